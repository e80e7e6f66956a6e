import { describe, expect, test } from 'vitest';
import type { Delivery } from '../../../src/engine/incident/incident.ts';
import { channelHealth } from '../../../src/runtime/own-health.ts';
import { incidentOf, outboxEntryOf, incidentNotificationOf } from '../../support/notify/outbox-entry-of.ts';

const FIRING = incidentNotificationOf(incidentOf());
const ALL = (): boolean => true;

function delivery(recipient: string, status: Delivery['status']): Delivery {
  return outboxEntryOf(FIRING, { recipient, status }).delivery;
}

/** The number of recipients that are not reached, by channel. */
function unreached(records: Partial<Parameters<typeof channelHealth>[0]>): Readonly<Record<string, number>> {
  const channels = channelHealth({
    deliveries: [],
    givenUp: [],
    isRecipient: ALL,
    failingSince: new Map(),
    ...records,
  });
  return Object.fromEntries(channels.flatMap(({ name, unreached: count }) => (count === 0 ? [] : [[name, count]])));
}

describe('channelHealth', () => {
  test.each([
    ['nothing was told', [], {}],
    ['everything arrived', [delivery('a', 'sent')], {}],
    ['what is put off is not given up', [delivery('a', 'pending')], {}],
    ['refused', [delivery('a', 'rejected')], { email: 1 }],
    ['not taken for days', [delivery('a', 'expired'), delivery('b', 'sent')], { email: 1 }],
    ['a later one arrived', [delivery('a', 'sent'), delivery('a', 'rejected')], {}],
    ['a later one is still tried', [delivery('a', 'pending'), delivery('a', 'rejected')], { email: 1 }],
    ['what was withdrawn says nothing', [delivery('a', 'withdrawn'), delivery('a', 'sent')], {}],
  ])('%s', (_, deliveries, expected) => {
    expect(unreached({ deliveries })).toEqual(expected);
  });

  test('counts what is given up about an open incident, though another message arrived', () => {
    const givenUp = [outboxEntryOf(FIRING, { recipient: 'a', status: 'rejected' })];
    expect(unreached({ deliveries: [delivery('a', 'sent')], givenUp })).toEqual({ email: 1 });
  });

  test('counts recipients once and by channel, and forgets those that are not configured', () => {
    const hook = outboxEntryOf(FIRING, { channel: 'webhook', recipient: 'https://h', status: 'rejected' }).delivery;
    const [a, b, gone] = [delivery('a', 'rejected'), delivery('b', 'expired'), delivery('gone', 'rejected')];
    const deliveries = [a, b, a, gone, hook];
    expect(unreached({ deliveries, isRecipient: ({ recipient }) => recipient !== 'gone' })).toEqual({
      email: 2,
      webhook: 1,
    });
  });
});
