import { describe, expect, test } from 'vitest';
import { heldIn, share } from '../../../../src/engine/incident/announce.ts';
import { EMPTY_STATE, type DigestItem } from '../../../../src/engine/incident/incident.ts';
import type { Severity } from '../../../../src/core/severity.ts';
import { causeOf } from '../../../support/checks/diagnosis-of.ts';
import { POLICY, START } from '../../../support/store/incident-timeline.ts';
import { incidentOf } from '../../../support/notify/outbox-entry-of.ts';

const TOLD = { at: START, cause: 'mail-unreachable', subject: 's', severity: 'warning', named: [] } as const;

/** `unheard` means that no notification of its beginning was sent. */
type Due = readonly [event: DigestItem['event'], severity: Severity, unheard?: 'unheard'];

function item([event, severity, unheard]: Due, index: number): DigestItem {
  const cause = causeOf('mail-unreachable', { severity, subject: String(index) });
  return { event, incident: { ...incidentOf(cause), lastNotified: unheard === undefined ? TOLD : null } };
}

/** Returns the positions of the items that are sent alone, sent together, and held back. */
function shared(due: readonly Due[], maxPerHour: number, sentBefore = 0): readonly (readonly number[])[] {
  const items = due.map(item);
  const sent = Array.from({ length: sentBefore }, () => START);
  const { singles, digest, held } = share(items, { ...EMPTY_STATE, sent }, { ...POLICY, maxPerHour, burst: 3 });
  return [singles, digest, held].map((part) => part.map((one) => items.indexOf(one)));
}

const many = (count: number, due: Due): readonly Due[] => Array.from({ length: count }, () => due);
const WARNING: Due = ['firing', 'warning'];
const ENDED: Due = ['resolved', 'warning'];
const CRITICAL: Due = ['firing', 'critical'];

describe('share()', () => {
  test.each<readonly [string, readonly Due[], number, number, readonly (readonly number[])[]]>([
    ['nothing is due', [], 20, 0, [[], [], []]],
    ['three at once go out alone', many(3, WARNING), 20, 0, [[0, 1, 2], [], []]],
    ['of four at once one goes out alone', many(4, WARNING), 20, 0, [[0], [1, 2, 3], []]],
    ['of four grave ones too', many(4, CRITICAL), 20, 0, [[0], [1, 2, 3], []]],
    ['the gravest of four goes out alone', [...many(3, WARNING), CRITICAL], 20, 0, [[3], [0, 1, 2], []]],
    ['the last place of the hour is for the digest', many(2, WARNING), 2, 0, [[0], [1], []]],
    ['a single one in the last place goes out as a digest', [WARNING], 2, 1, [[], [0], []]],
    ['the only place of the hour is for any', [WARNING], 1, 0, [[0], [], []]],
    ['of two for the only place one waits', many(2, WARNING), 1, 0, [[0], [], [1]]],
    ['without a place all wait', many(3, WARNING), 2, 2, [[], [], [0, 1, 2]]],
    ['what is more than the hour had waits', many(2, WARNING), 2, 9, [[], [], [0, 1]]],
    ['that a critical one began never waits', [CRITICAL, ['changed', 'critical']], 2, 9, [[0, 1], [], []]],
    ['nor do many, which share a digest', [...many(4, CRITICAL), WARNING], 2, 9, [[0], [1, 2, 3], [4]]],
    ['that a critical one lasts waits', [['reminder', 'critical']], 2, 2, [[], [], [0]]],
    ['an end whose beginning was sent never waits', [['resolved', 'critical'], ENDED], 2, 9, [[0, 1], [], []]],
    ['nor do many ends, which share a digest', [...many(4, ENDED), WARNING], 2, 9, [[0], [1, 2, 3], [4]]],
    ['an end takes no place of the others', [ENDED, WARNING], 1, 0, [[0, 1], [], []]],
    ['nor does it take the place of a graver one', [...many(3, CRITICAL), ENDED], 2, 9, [[0], [1, 2, 3], []]],
    ['one that began takes a place of the others', [CRITICAL, WARNING, WARNING], 3, 0, [[0, 1], [2], []]],
    ['one whose end is due goes out alone', [ENDED], 20, 0, [[0], [], []]],
    ['one that began unheard goes out alone', [['firing', 'warning', 'unheard']], 20, 0, [[0], [], []]],
    ['one that came and went goes into a digest', [['resolved', 'warning', 'unheard']], 20, 0, [[], [0], []]],
    ['one that came and went waits for a place', [['resolved', 'warning', 'unheard']], 1, 1, [[], [], [0]]],
  ])('%s', (_, ...[due, maxPerHour, sent, expected]) => {
    expect(shared(due, maxPerHour, sent)).toEqual(expected);
  });
});

test('heldIn() gives what waits for the digest', () => {
  const waits = { ...incidentOf(), awaitsDigest: true };
  expect(heldIn({ ...EMPTY_STATE, incidents: [waits, { ...waits, awaitsDigest: false }, waits] })).toEqual([
    waits,
    waits,
  ]);
});
