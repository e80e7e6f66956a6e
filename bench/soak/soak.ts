import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EpochMs, Millis } from '../../src/core/clock.ts';
import { offsetOf } from '../../src/system/cron-timer.ts';
import { createCertificates } from './certificates.ts';
import { Conductor } from './conductor.ts';
import { configurationOf, writeConfiguration } from './configuration.ts';
import { judge, type Evidence, type Judgement, type SeenMail } from './judge.ts';
import { readMail } from './read-mail.ts';
import { plan, type Plan } from './plan.ts';
import type { Memory, SaidLine } from './protocol.ts';
import { DAY, MINUTE } from './special-moments.ts';
import { createWorld, type World } from './world.ts';

export interface SoakOptions {
  readonly seed: number;
  readonly days: number;
  readonly start: EpochMs;
  /** Seconds between two rounds. */
  readonly everySeconds: number;
  readonly onDay: (day: DayReport) => void;
}

export interface DayReport {
  readonly day: number;
  readonly memory: Memory;
  readonly incidents: number;
  readonly mails: number;
}

export interface SoakOutcome {
  readonly plan: Plan;
  readonly judgement: Judgement;
  readonly evidence: Evidence;
  /** Measured after each simulated day. */
  readonly memory: readonly Memory[];
  /** Number of times that time advanced with unexplained data in transit; should be close to zero. */
  readonly unexplained: number;
}

/** Interval of FortiAuthenticator's log lines. */
const SPEAKS_EVERY: Millis = 10 * MINUTE;
/** A level of pino. */
const ERROR = 50;

interface Act {
  readonly at: Millis;
  readonly run: () => Promise<void> | void;
}

/** Runs all days. */
export async function soak(options: SoakOptions): Promise<SoakOutcome> {
  const { seed, days, start, everySeconds } = options;
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'ftm-watch-soak-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const said: SaidLine[] = [];
  const conductor = stack.use(new Conductor(start, (line) => said.push(line)));
  const certificates = await createCertificates();
  const world = stack.use(await createWorld(folder, certificates, conductor));
  const configFile = await writeConfiguration(folder, { everySeconds }, certificates);
  const every = everySeconds * 1000;
  const planned = plan({ seed, start, days, every, offset: offsetOfRounds(everySeconds) });
  await conductor.start({ configFile, folder, start });
  const memory = await live(world, actsOf(world, planned, days), { ...options, said });
  await conductor.order({ kind: 'stop' });
  const evidence = evidenceOf(
    said,
    world.inbox.received.map(({ at, text }) => readMail(at, text)),
  );
  return {
    plan: planned,
    evidence,
    judgement: judge(planned.injections, evidence),
    memory,
    unexplained: conductor.unexplained,
  };
}

function offsetOfRounds(everySeconds: number): Millis {
  const { schedule, site } = configurationOf({ everySeconds }, '') as {
    readonly schedule: { readonly probes: string };
    readonly site: string;
  };
  return offsetOf(`${site} ${schedule.probes}`, everySeconds * 1000);
}

async function live(
  world: World,
  acts: readonly Act[],
  options: SoakOptions & { readonly said: readonly SaidLine[] },
): Promise<readonly Memory[]> {
  const { conductor } = world;
  const measured: Memory[] = [];
  let next = 0;
  for (let day = 1; day <= options.days; day += 1) {
    for (; (acts[next]?.at ?? Number.POSITIVE_INFINITY) <= day * DAY; next += 1) {
      const act = acts[next];
      if (act === undefined) break;
      if (act.at > conductor.elapsed()) await conductor.order({ kind: 'advance', until: act.at });

      await act.run();
    }
    await conductor.order({ kind: 'advance', until: day * DAY });
    const { memory } = await conductor.order({ kind: 'measure' });
    if (memory === null) throw new Error('Memory was not measured: a mistake of the product host');
    measured.push(memory);
    const incidents = options.said.filter(
      ({ transition }) => transition === 'opened' || transition === 'reopened',
    ).length;
    options.onDay({ day, memory, incidents, mails: world.inbox.received.length });
  }
  return measured;
}

/** Returns the plan and FortiAuthenticator's regular log lines, in order. */
function actsOf(world: World, { injections, noise, restarts }: Plan, days: number): readonly Act[] {
  const acts: Act[] = [];
  for (const { fault, from, to } of injections) {
    acts.push({ at: from, run: () => fault.begin(world) }, { at: to, run: () => fault.end(world) });
    const { during } = fault;
    for (let at = from + 5 * MINUTE; at < to; at += 5 * MINUTE) {
      if (during !== undefined) acts.push({ at, run: () => during(world) });
      if (fault.isNoticed && at + 4 * MINUTE < to) acts.push({ at: at + 3 * MINUTE, run: () => complain(world) });
    }
  }
  for (const { noise: one, from, to } of noise) {
    const { end } = one;
    acts.push({ at: from, run: () => one.begin(world) });
    if (end !== undefined) acts.push({ at: to, run: () => end(world) });
  }
  for (const at of restarts)
    acts.push({ at, run: async () => void (await world.conductor.order({ kind: 'restart' })) });
  for (let at = MINUTE; at < days * DAY; at += SPEAKS_EVERY) acts.push({ at, run: () => speak(world) });
  return acts.toSorted((a, b) => a.at - b.at);
}

async function speak({ speaking, log }: World): Promise<void> {
  if (!speaking) return;
  await log.say('Local user authentication with FortiToken successful');
  await log.write('Local user authentication with FortiToken successful');
}

function complain({ log }: World): Promise<void> {
  return log.say('FTM polling error: connection timeout', 'error');
}

function evidenceOf(said: readonly SaidLine[], mails: readonly SeenMail[]): Evidence {
  return {
    changes: said.filter(({ event }) => event === 'incident-changed'),
    errors: said.filter(({ level }) => level >= ERROR),
    mails,
  };
}
