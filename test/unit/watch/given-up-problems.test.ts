import { describe, expect, test } from 'vitest';
import type { Delivery, Parcel } from '../../../src/engine/incident/journal.ts';
import { givenUpProblems } from '../../../src/watch/given-up-problems.ts';
import { incidentOf, parcelOf, tellingOf } from '../../support/parcel-of.ts';

const FIRING = tellingOf(incidentOf());
const ALL = (): boolean => true;
const MAIL = 'Notifications by mail were refused or given up for 1 recipient: see the page and the log';

function parcel(recipient: string, status: Delivery['status']): Parcel {
  return parcelOf(FIRING, { recipient, status });
}

describe('givenUpProblems', () => {
  test.each([
    ['nothing was told', [], []],
    ['everything arrived', [parcel('a', 'sent')], []],
    ['what is put off is not given up', [parcel('a', 'pending')], []],
    ['refused', [parcel('a', 'rejected')], [MAIL]],
    ['not taken for days', [parcel('a', 'expired'), parcel('b', 'sent')], [MAIL]],
    ['a later one arrived', [parcel('a', 'sent'), parcel('a', 'rejected')], []],
    ['a later one is still tried', [parcel('a', 'pending'), parcel('a', 'rejected')], [MAIL]],
    ['what was withdrawn says nothing', [parcel('a', 'withdrawn'), parcel('a', 'sent')], []],
  ])('%s', (_, parcels, expected) => {
    expect(givenUpProblems({ parcels, givenUp: [], isRecipient: ALL })).toEqual(expected);
  });

  test('counts what is given up about an open incident, though another message arrived', () => {
    const givenUp = [parcel('a', 'rejected')];
    expect(givenUpProblems({ parcels: [parcel('a', 'sent')], givenUp, isRecipient: ALL })).toEqual([MAIL]);
  });

  test('counts recipients once and by channel, and forgets those that are not configured', () => {
    const hook = parcelOf(FIRING, { channel: 'webhook', recipient: 'https://h', status: 'rejected' });
    const parcels = [
      parcel('a', 'rejected'),
      parcel('b', 'expired'),
      parcel('a', 'rejected'),
      parcel('gone', 'rejected'),
      hook,
    ];
    expect(givenUpProblems({ parcels, givenUp: [], isRecipient: ({ recipient }) => recipient !== 'gone' })).toEqual([
      'Notifications by mail were refused or given up for 2 recipients: see the page and the log',
      'Notifications by web hook were refused or given up for 1 recipient: see the page and the log',
    ]);
  });
});
