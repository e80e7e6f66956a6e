import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Millis } from '../../../src/core/clock.ts';
import { INTERMITTENT_RULE } from '../../../src/checks/intermittent/finding.ts';
import type { Diagnosis } from '../../../src/engine/model.ts';
import { diagnosisToJson } from '../../../src/checks/diagnosis-json.ts';
import type { Incident } from '../../../src/engine/incident/incident.ts';
import { CHECK_EXIT, exitCodeOf } from '../../../src/document/site-state.ts';
import { pluginAnswer } from '../../../src/report/nagios-line.ts';
import { exitCodeBeside, unseenIncidents } from '../../../src/report/report-text.ts';
import { incidentsToJson } from '../../../src/web/incident-json.ts';
import { verdictWords } from '../../../src/checks/verdict-words.ts';
import { flakyPath, type FlakyPath, type PathFault } from '../../support/network/flaky-path.ts';
import { randomOf } from '../../support/random/random-of.ts';
import { itemsOf, POLICY } from '../../support/store/incident-timeline.ts';
import { SECOND } from '../../support/time/units.ts';
import { samples } from '../../support/random/samples.ts';

const SEQUENCES = samples(50);

/** State of the path during a number of rounds. */
interface Phase {
  /** A number is the share of connections that are dropped. */
  readonly is: 'ok' | PathFault | number;
  readonly rounds: number;
  /** The daemon restarts before this phase. */
  readonly restarts: boolean;
}

const phase: fc.Arbitrary<Phase> = fc.record({
  is: fc.oneof(
    { weight: 4, arbitrary: fc.constant('ok' as const) },
    { weight: 6, arbitrary: fc.constantFrom<PathFault>('drop', 'reset', 'inspection') },
    { weight: 1, arbitrary: fc.constantFrom(0.2, 0.5) },
  ),
  rounds: fc.integer({ min: 6, max: 30 }),
  restarts: fc.boolean(),
});

const sequence = fc.record({
  phases: fc.array(phase, { minLength: 2, maxLength: 8 }),
  every: fc.constantFrom(5 * SECOND, 30 * SECOND),
  seed: fc.integer({ min: 1, max: 1_000_000 }),
});

const CAUSES: Readonly<Record<PathFault, string>> = {
  drop: 'egress-blocked',
  reset: 'tls-blocked',
  inspection: 'tls-intercepted',
};

/** The current status in each output: `0` ready, `1` with warnings, `2` not ready, `3` unknown. */
interface Said {
  readonly status: Diagnosis['ready'];
  readonly page: ReturnType<typeof verdictWords>['look'];
  readonly nagios: number;
  readonly check: number;
  readonly open: readonly Incident[];
  readonly intermittent: boolean;
}

function saidBy(site: FlakyPath): Said {
  const { diagnosis } = site.last();
  const status = diagnosisToJson(diagnosis);
  const incidents = incidentsToJson(site.line.state.incidents).filter((incident) => incident.status === 'open');
  const own = site.check();
  const nagios = pluginAnswer(status, { by: 'daemon', incidents, now: diagnosis.at, longest: Infinity });
  return {
    status: status.ready,
    page: verdictWords(diagnosis).look,
    nagios: nagios.exitCode,
    check: exitCodeBeside(
      exitCodeOf(diagnosisToJson(own), { by: 'itself' }),
      unseenIncidents(own, { diagnosis: status, incidents }),
    ),
    open: site.line.state.incidents.filter((incident) => incident.status === 'open'),
    intermittent: diagnosis.preconditions.some(({ findings }) =>
      findings.some(({ rule }) => rule === INTERMITTENT_RULE),
    ),
  };
}

/** Returns the event of the last message about each incident. */
function lastMessages(site: FlakyPath): readonly string[] {
  const last = new Map<string, string>();
  for (const told of site.line.told) {
    for (const { event, incident } of itemsOf(told)) last.set(incident.id, event);
  }
  return [...last.values()];
}

/** Returns the outputs that contradict the status, after several rounds with the same status. */
function contradictions(site: FlakyPath, said: Said): readonly string[] {
  const { status, nagios, check, open, page } = said;
  const [flapping, others] = [open.filter(({ flapping: is }) => is), open.filter(({ flapping: is }) => !is)];
  const messages = lastMessages(site).filter((event) => event !== 'resolved').length;
  const wrong = (claim: string, holds: boolean): readonly string[] =>
    holds
      ? []
      : [`${claim}: ${JSON.stringify({ status, nagios, check, page, open: open.map(({ cause }) => cause.id) })}`];
  switch (status) {
    case 'ready':
      return [
        ...wrong('the page is not ready', page === 'ready' || page === 'warning'),
        ...wrong('the plugin is no more than a warning', nagios <= CHECK_EXIT.warnings),
        ...wrong('check is no more than a warning', said.intermittent || check <= CHECK_EXIT.warnings),
        ...wrong('no incident is open', said.intermittent || others.length === 0),
        ...wrong('the last message is an end', said.intermittent || messages === flapping.length),
      ];
    case 'not-ready':
      return [
        ...wrong('the page is ready', page === 'not-ready'),
        ...wrong('the plugin is critical', nagios === CHECK_EXIT.notReady),
        ...wrong('check is critical', check === CHECK_EXIT.notReady),
        ...wrong('an incident is open', open.length > 0),
        ...wrong('the last message is a beginning', messages > 0),
      ];
    case 'unknown':
      return wrong('nothing is unknown here for long', false);
  }
}

/** A path and its history so far. */
interface Run {
  readonly site: FlakyPath;
  readonly every: Millis;
  /** At some time, some connections failed and others did not. */
  readonly wasIntermittent: boolean;
}

/** Returns wrong statements about the path, in addition to contradictions between outputs. */
function untruths({ is }: Phase, { wasIntermittent, site }: Run, said: Said, looks: number): readonly string[] {
  if (is === 'ok') return looks > POLICY.recoveries && !wasIntermittent ? whatIsNot('ready', said) : [];
  // If some connections fail anyway, more rounds in which all fail are needed to call it an outage.
  if (typeof is === 'number' || looks < (wasIntermittent ? 8 : 5)) return [];
  const cause = String(site.last().diagnosis.causes[0]?.id);
  return [...whatIsNot('not-ready', said), ...(wasIntermittent || cause === CAUSES[is] ? [] : [`called ${cause}`])];
}

function whatIsNot(expected: Said['status'], { status }: Said): readonly string[] {
  return status === expected ? [] : [`${status}, which is ${expected}`];
}

function untruthsOfShare({ intermittent, open, check }: Said, { wasIntermittent }: Run): readonly string[] {
  if (!intermittent) return [];
  if (!wasIntermittent) return ['called intermittent'];
  return open.length > 0 && check === CHECK_EXIT.ready ? ['check is a bare READY'] : [];
}

function wrongIn(phase: Phase, run: Run): readonly string[] {
  const { site, every } = run;
  const wrong: string[] = [];
  const earlier = site.line.inputs.length;
  let [looks, same, before] = [0, 0, ''];
  for (let round = 0; round < phase.rounds; round += 1) {
    site.run(every);
    // A round can take longer than the scheduled interval.
    if (site.line.inputs.length - earlier === looks) continue;
    looks = site.line.inputs.length - earlier;
    const said = saidBy(site);
    const state = `${said.status} ${String(said.intermittent)}`;
    same = state === before ? same + 1 : 0;
    before = state;
    const isSettled = same >= POLICY.recoveries && (typeof phase.is !== 'number' || said.intermittent);
    const all = [
      ...(isSettled ? contradictions(site, said) : []),
      ...untruths(phase, run, said, looks),
      ...untruthsOfShare(said, run),
    ];
    wrong.push(...all.map((text) => `${String(phase.is)}, round ${String(round)}: ${text}`));
  }
  return wrong;
}

async function wrongInAll(phases: readonly Phase[], every: Millis, seed: number): Promise<readonly string[]> {
  const random = randomOf(seed);
  const path: { is: Phase['is'] } = { is: 'ok' };
  const fails = (): boolean | PathFault => {
    if (typeof path.is === 'number') return random() < path.is;
    return path.is === 'ok' ? false : path.is;
  };
  const site = flakyPath(fails, { every });
  const wrong: string[] = [];
  let wasIntermittent = false;
  for (const phase of phases) {
    path.is = phase.is;
    wasIntermittent ||= typeof phase.is === 'number';
    if (phase.restarts && site.line.inputs.length > 0) await site.restart();
    wrong.push(...wrongIn(phase, { site, every, wasIntermittent }));
  }
  return wrong;
}

test(`the status, page, plugin, check and last message agree (${String(SEQUENCES)} sequences)`, async () => {
  await fc.assert(
    fc.asyncProperty(sequence, async ({ phases, every, seed }) => {
      expect(await wrongInAll(phases, every, seed)).toEqual([]);
    }),
    { numRuns: SEQUENCES },
  );
});
