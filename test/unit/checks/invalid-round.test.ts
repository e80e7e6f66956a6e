import { expect, test } from 'vitest';
import { CHECKS, checksOf } from '../../../src/checks/registry.ts';
import { factsOf, shown } from '../../support/checks/facts.ts';
import { failed } from '../../support/checks/observed.ts';

/** Returns what each check of a round says after a stall of this length. */
function judgedAfter(stalledMs: number) {
  const facts = factsOf({ round: shown({ port: failed('timeout'), isOffline: true, stalledMs }) });
  const ofRound = CHECKS.filter(({ id }) => checksOf('round').includes(id));
  return new Map(ofRound.map((check) => [check.id, check.judge(facts)]));
}

test('a short stall changes nothing', () => {
  const short = judgedAfter(400);
  expect(short).toEqual(judgedAfter(0));
  expect(short.get('internet')).toMatchObject({ kind: 'judged', findings: [{ level: 'broken' }] });
});

test('a stalled round shows nothing about what is configured, and says why', () => {
  for (const [id, { kind, findings, summary }] of judgedAfter(3_200)) {
    const isAbsent = ['mail', 'delivery', 'clock'].includes(id);
    expect([id, kind, findings]).toEqual([id, isAbsent ? 'not-configured' : 'unjudged', []]);
    expect(summary.includes('3.2 s')).toBe(!isAbsent);
  }
});
