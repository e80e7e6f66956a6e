import { expect, it } from 'vitest';
import type { RecipientOutcome } from '../../../../../src/notify/channels/channel.ts';
import { combineVerdicts } from '../../../../../src/notify/channels/email.ts';

const ALICE = 'alice@example.org';

function outcomes(...kinds: readonly RecipientOutcome['kind'][]): readonly RecipientOutcome[] {
  return kinds.map((kind, index) => ({ recipient: ALICE, kind, detail: `relay-${String(index)}` }));
}

it.each<[string, readonly RecipientOutcome[], number, string]>([
  ['every server refuses', outcomes('rejected', 'rejected'), 2, 'rejected'],
  ['one refuses and the other was not asked', outcomes('rejected'), 2, 'deferred'],
  ['one refuses and the other is down', outcomes('rejected', 'deferred'), 2, 'deferred'],
  ['one refuses and the other takes it', outcomes('rejected', 'sent'), 2, 'sent'],
  ['none was asked', [], 2, 'deferred'],
])('where %s', (_, own, servers, kind) => {
  const others: RecipientOutcome = { recipient: 'bob@example.org', kind: 'rejected', detail: 'x' };
  expect(combineVerdicts(ALICE, [...own, others], servers).kind).toBe(kind);
});
