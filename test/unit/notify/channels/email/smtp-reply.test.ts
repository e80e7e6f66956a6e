import { expect, it } from 'vitest';
import { combineVerdicts } from '../../../../../src/notify/channels/email.ts';

type RelayOutcome = Parameters<typeof combineVerdicts>[1][number];

const ALICE = 'alice@example.org';

function outcomes(...verdicts: readonly RelayOutcome['verdict'][]): readonly RelayOutcome[] {
  return verdicts.map((verdict, index) => ({ recipient: ALICE, verdict, detail: `relay-${String(index)}` }));
}

it.each<[string, readonly RelayOutcome[], number, string]>([
  ['every server refuses', outcomes('refused', 'refused'), 2, 'rejected'],
  ['one refuses and the other was not asked', outcomes('refused'), 2, 'deferred'],
  ['one refuses and the other is down', outcomes('refused', 'deferred'), 2, 'deferred'],
  ['one refuses and the other takes it', outcomes('refused', 'sent'), 2, 'sent'],
  ['none was asked', [], 2, 'deferred'],
])('where %s', (_, own, servers, kind) => {
  const others: RelayOutcome = { recipient: 'bob@example.org', verdict: 'refused', detail: 'x' };
  expect(combineVerdicts(ALICE, [...own, others], servers).kind).toBe(kind);
});
