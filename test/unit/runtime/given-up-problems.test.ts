import { describe, expect, test } from 'vitest';
import type { Delivery, OutboxEntry } from '../../../src/engine/incident/incident.ts';
import { givenUpProblems } from '../../../src/runtime/web-sources.ts';
import { incidentOf, outboxEntryOf, incidentNotificationOf } from '../../support/notify/outbox-entry-of.ts';

const FIRING = incidentNotificationOf(incidentOf());
const ALL = (): boolean => true;
const MAIL = 'Notifications by email were rejected or abandoned for 1 recipient (see the status page and the log)';

function outboxEntry(recipient: string, status: Delivery['status']): OutboxEntry {
  return outboxEntryOf(FIRING, { recipient, status });
}

describe('givenUpProblems', () => {
  test.each([
    ['nothing was told', [], []],
    ['everything arrived', [outboxEntry('a', 'sent')], []],
    ['what is put off is not given up', [outboxEntry('a', 'pending')], []],
    ['refused', [outboxEntry('a', 'rejected')], [MAIL]],
    ['not taken for days', [outboxEntry('a', 'expired'), outboxEntry('b', 'sent')], [MAIL]],
    ['a later one arrived', [outboxEntry('a', 'sent'), outboxEntry('a', 'rejected')], []],
    ['a later one is still tried', [outboxEntry('a', 'pending'), outboxEntry('a', 'rejected')], [MAIL]],
    ['what was withdrawn says nothing', [outboxEntry('a', 'withdrawn'), outboxEntry('a', 'sent')], []],
  ])('%s', (_, outboxEntries, expected) => {
    expect(givenUpProblems({ outboxEntries, givenUp: [], isRecipient: ALL })).toEqual(expected);
  });

  test('counts what is given up about an open incident, though another message arrived', () => {
    const givenUp = [outboxEntry('a', 'rejected')];
    expect(givenUpProblems({ outboxEntries: [outboxEntry('a', 'sent')], givenUp, isRecipient: ALL })).toEqual([MAIL]);
  });

  test('counts recipients once and by channel, and forgets those that are not configured', () => {
    const hook = outboxEntryOf(FIRING, { channel: 'webhook', recipient: 'https://h', status: 'rejected' });
    const outboxEntries = [
      outboxEntry('a', 'rejected'),
      outboxEntry('b', 'expired'),
      outboxEntry('a', 'rejected'),
      outboxEntry('gone', 'rejected'),
      hook,
    ];
    expect(
      givenUpProblems({ outboxEntries, givenUp: [], isRecipient: ({ recipient }) => recipient !== 'gone' }),
    ).toEqual([
      'Notifications by email were rejected or abandoned for 2 recipients (see the status page and the log)',
      'Notifications by webhook were rejected or abandoned for 1 recipient (see the status page and the log)',
    ]);
  });
});
