import { expect, test } from 'vitest';
import { diagnose } from '../../../src/engine/diagnose.ts';
import { CONTEXT, finding, round, type Special } from '../../support/checks/judged-round.ts';
import { MINUTE, SECOND, START, timeline } from '../../support/store/incident-timeline.ts';
import { render } from '../../support/web/rendered-page.ts';

/** Runs rounds of 5 s, in which every second answer is wrong, and returns what the page shows while the incident is open. */
function shownDuring(fault: Special): { readonly words: readonly string[]; readonly events: readonly string[] } {
  const line = timeline();
  const words = new Set<string>();
  for (let count = 0; line.now < START + 5 * MINUTE; count += 1) {
    const assessments = count % 2 === 0 ? round(fault) : round();
    const diagnosis = diagnose(assessments, { ...CONTEXT, at: line.now });
    line.input({ kind: 'diagnosis', diagnosis, fresh: null });
    const { incidents } = line.state;
    if (incidents.some(({ status }) => status === 'open')) {
      const [, word = ''] = /data-word="([^"]*)"/u.exec(render({ diagnosis, incidents: [...incidents] })) ?? [];
      words.add(word);
    }
    line.wait(5 * SECOND);
  }
  const events = line.told.map((told) => (told.kind === 'incident' ? told.event : told.kind));
  return { words: [...words], events };
}

const WRONG: Special = ['name-resolution', [finding('answer-hijacked', { subject: 'udp://10.0.0.53:53' })]];
const SERVFAIL: Special = ['name-resolution', [finding('resolver-unreachable', { subject: 'udp://10.0.0.53:53' })]];

test.each([
  ['wrong', WRONG],
  ['SERVFAIL', SERVFAIL],
] as const)('every second answer is %s: one incident, told once', (_, fault) => {
  expect(shownDuring(fault).events).toEqual(['firing']);
});

// Expected: one state for as long as the incident is open. A daemon's page changes between "Ready" and "Not ready" with
// each round, because it shows the latest round.
test.fails.each([
  ['wrong', WRONG],
  ['SERVFAIL', SERVFAIL],
] as const)('every second answer is %s: the page shows one state', (_, fault) => {
  expect(shownDuring(fault).words).toEqual(['Not ready']);
});
