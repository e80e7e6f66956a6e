import { describe, expect, test } from 'vitest';
import type { Delivery, OutboxEntry } from '../../../src/engine/incident/incident.ts';
import { channelHealth } from '../../../src/runtime/own-health.ts';
import { incidentOf, outboxEntryOf, incidentNotificationOf } from '../../support/notify/outbox-entry-of.ts';

const FIRING = incidentNotificationOf(incidentOf());
const ALL = (): boolean => true;

function outboxEntry(recipient: string, status: Delivery['status']): OutboxEntry {
  return outboxEntryOf(FIRING, { recipient, status });
}

/** The number of recipients that are not reached, by channel. */
function unreached(records: Partial<Parameters<typeof channelHealth>[0]>): Readonly<Record<string, number>> {
  const channels = channelHealth({
    outboxEntries: [],
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
    ['everything arrived', [outboxEntry('a', 'sent')], {}],
    ['what is put off is not given up', [outboxEntry('a', 'pending')], {}],
    ['refused', [outboxEntry('a', 'rejected')], { email: 1 }],
    ['not taken for days', [outboxEntry('a', 'expired'), outboxEntry('b', 'sent')], { email: 1 }],
    ['a later one arrived', [outboxEntry('a', 'sent'), outboxEntry('a', 'rejected')], {}],
    ['a later one is still tried', [outboxEntry('a', 'pending'), outboxEntry('a', 'rejected')], { email: 1 }],
    ['what was withdrawn says nothing', [outboxEntry('a', 'withdrawn'), outboxEntry('a', 'sent')], {}],
  ])('%s', (_, outboxEntries, expected) => {
    expect(unreached({ outboxEntries })).toEqual(expected);
  });

  test('counts what is given up about an open incident, though another message arrived', () => {
    const givenUp = [outboxEntry('a', 'rejected')];
    expect(unreached({ outboxEntries: [outboxEntry('a', 'sent')], givenUp })).toEqual({ email: 1 });
  });

  test('counts recipients once and by channel, and forgets those that are not configured', () => {
    const hook = outboxEntryOf(FIRING, { channel: 'webhook', recipient: 'https://h', status: 'rejected' });
    const [a, b, gone] = [outboxEntry('a', 'rejected'), outboxEntry('b', 'expired'), outboxEntry('gone', 'rejected')];
    const outboxEntries = [a, b, a, gone, hook];
    expect(unreached({ outboxEntries, isRecipient: ({ recipient }) => recipient !== 'gone' })).toEqual({
      email: 2,
      webhook: 1,
    });
  });
});
