import { describe, expect, test } from 'vitest';
import { EMPTY_STATE, type Incident, type LastNotified } from '../../../../src/engine/incident/incident.ts';
import { type IncidentStep, roundView } from '../../../../src/engine/incident/round-view.ts';
import { mergeAlternating } from '../../../../src/engine/incident/merge.ts';
import { CHECKS } from '../../../../src/checks/registry.ts';
import { causeOf, diagnosisOf } from '../../../support/checks/diagnosis-of.ts';
import { formerCauseOf, incidentOf } from '../../../support/notify/outbox-entry-of.ts';

const NOW = 100;
const FIRST = causeOf('tls-intercepted', { consequences: [] });
const SECOND = causeOf('tls-blocked', { consequences: [] });
const ELSEWHERE = { subject: 'other.example:443' };

function told(at: number, cause: string): LastNotified {
  const word = { cause, subject: FIRST.subject, severity: 'critical' } as const;
  return { ...word, at, named: [word] };
}

/** Seen until 10. The second incident began afterwards and was seen until 99. */
const FIRST_INCIDENT: Incident = {
  ...incidentOf(FIRST),
  id: 'first',
  since: 1,
  openedAt: 2,
  causeSince: 1,
  lastSeen: 10,
  published: true,
  lastNotified: told(2, FIRST.id),
  thread: { count: 1, first: 'first.1', last: 'first.1' },
};
const SECOND_INCIDENT: Incident = {
  ...incidentOf(SECOND),
  id: 'second',
  since: 20,
  openedAt: 21,
  causeSince: 20,
  lastSeen: 99,
  presence: 'absent',
  published: true,
  lastNotified: told(21, SECOND.id),
  thread: { count: 2, first: 'second.1', last: 'second.2' },
};
const BACK = { presence: 'seen', lastSeen: NOW, returns: [NOW] } as const;

interface Change {
  /** Changes to the first incident before and after the round. */
  readonly first?: Partial<Incident>;
  /** Changes to the first incident only after the round. */
  readonly back?: Partial<Incident>;
  readonly second?: Partial<Incident>;
}

function merged({ first = {}, back = {}, second = {} }: Change): IncidentStep {
  const known = { ...FIRST_INCIDENT, ...first };
  const incidents = [
    { ...known, ...BACK, ...back },
    { ...SECOND_INCIDENT, ...second },
  ];
  const view = roundView({ diagnosis: diagnosisOf(NOW, []), fresh: null, checks: CHECKS });
  return mergeAlternating(
    { ...EMPTY_STATE, incidents: [known] },
    { state: { ...EMPTY_STATE, incidents }, effects: [] },
    view,
  );
}

/** Returns both incidents after the merge. */
function both(change: Change): readonly [Incident, Incident] {
  const [first = FIRST_INCIDENT, second = SECOND_INCIDENT] = merged(change).state.incidents;
  return [first, second];
}

describe('two faults become one incident', () => {
  test.each<readonly [string, Change, boolean]>([
    ['when the first is back and the second away', {}, true],
    ['when the second is hidden', { second: { presence: 'hidden' } }, true],
    ['not while both are there', { second: { presence: 'seen' } }, false],
    ['not when the second cannot be checked', { second: { presence: 'unjudged' } }, false],
    ['not while the first is away', { back: { presence: 'absent' } }, false],
    ['not once the first is over', { back: { status: 'closed' } }, false],
    ['not when the first is a note', { back: { cause: { ...FIRST, severity: 'info' } } }, false],
    ['not when the first is understood in a new way', { back: { cause: causeOf('certificate-broken') } }, false],
    [
      'when the first is what it was before',
      {
        first: { formerCauses: [formerCauseOf('certificate-broken', 5, FIRST.subject)] },
        back: { cause: causeOf('certificate-broken') },
      },
      true,
    ],
    ['not once the second is over', { second: { status: 'closed' } }, false],
    ['not when the second is a note', { second: { cause: { ...SECOND, severity: 'info' } } }, false],
    ['not when the second began while the first was there', { second: { since: 10 } }, false],
    ['when it began a moment later', { second: { since: 11 } }, true],
    ['not in two places', { second: { cause: { ...SECOND, ...ELSEWHERE } } }, false],
    ['not at two steps', { second: { cause: causeOf('egress-blocked', { consequences: [] }) } }, false],
    ['when the second explains the first', { second: { cause: causeOf('egress-blocked', ELSEWHERE) } }, true],
    [
      'when the first explains the second',
      { second: { cause: causeOf('license-server-down', ELSEWHERE) }, first: { cause: causeOf('tls-intercepted') } },
      true,
    ],
  ])('%s', (_, change, one) => {
    expect(merged(change).effects.length > 0).toBe(one);
  });
});

test('one that is not there any more merges with none', () => {
  const view = roundView({ diagnosis: diagnosisOf(NOW, []), fresh: null, checks: CHECKS });
  const placed: IncidentStep = { state: { ...EMPTY_STATE, incidents: [SECOND_INCIDENT] }, effects: [] };
  expect(mergeAlternating({ ...EMPTY_STATE, incidents: [FIRST_INCIDENT] }, placed, view)).toBe(placed);
});

describe('the one incident', () => {
  test('goes on in the first with all that is known of both, and the second has no end of its own', () => {
    const step = merged({});
    const [one, gone] = both({});
    const ended = { ...SECOND_INCIDENT, status: 'closed', closedAt: NOW, lastNotified: null, mergedInto: 'first' };
    expect(gone).toEqual(ended);
    expect(one).toEqual({
      ...FIRST_INCIDENT,
      ...BACK,
      causeSince: NOW,
      formerCauses: [
        {
          id: FIRST.id,
          subject: FIRST.subject,
          severity: 'critical',
          since: 1,
          until: 10,
          replacedAt: NOW,
          published: true,
        },
        {
          id: SECOND.id,
          subject: FIRST.subject,
          severity: 'critical',
          since: 20,
          until: 99,
          replacedAt: NOW,
          published: true,
        },
      ],
      merged: ['second'],
      lastNotified: { ...told(21, SECOND.id), named: [...told(2, FIRST.id).named, ...told(21, SECOND.id).named] },
      thread: { count: 1, first: 'first.1', last: 'second.2' },
    });
    expect(step.effects).toEqual([
      { kind: 'transition', transition: 'merged', incident: ended },
      { kind: 'transition', transition: 'changed', incident: one },
    ]);
  });

  test('goes on in the second where people know of that one alone', () => {
    const [gone, one] = both({
      first: { lastNotified: null, thread: { count: 0, first: null, last: null }, merged: ['zero'] },
      second: { merged: ['third'] },
    });
    expect(one).toMatchObject({
      id: 'second',
      openedAt: 21,
      since: 1,
      cause: FIRST,
      merged: ['third', 'zero', 'first'],
      lastNotified: told(21, SECOND.id),
      thread: { count: 2, first: 'second.1', last: 'second.2' },
    });
    expect(gone).toMatchObject({ id: 'first', status: 'closed', mergedInto: 'second' });
  });

  test('stays in the first where people know of none', () => {
    const untold = { lastNotified: null, thread: { count: 0, first: null, last: null } };
    const [one] = both({ first: untold, second: untold });
    expect(one).toMatchObject({ id: 'first', openedAt: 2, lastNotified: null });
  });

  test('keeps the thread of the one that was told of', () => {
    const untold = { lastNotified: null, thread: { count: 0, first: null, last: null } };
    expect(both({ second: untold })[0]).toMatchObject({
      lastNotified: told(2, FIRST.id),
      thread: { count: 1, first: 'first.1', last: 'first.1' },
    });
    // The thread continues even if its incident was sent as resolved.
    const [, one] = both({ first: { lastNotified: null }, second: { thread: { count: 0, first: null, last: null } } });
    expect(one.thread).toEqual({ count: 0, first: 'first.1', last: 'first.1' });
  });

  test('has the last word of both', () => {
    expect(both({ first: { lastNotified: told(50, FIRST.id) } })[0].lastNotified).toMatchObject({
      at: 50,
      cause: FIRST.id,
    });
    expect(both({ second: { lastNotified: told(50, SECOND.id) } })[0].lastNotified).toMatchObject({
      at: 50,
      cause: SECOND.id,
    });
  });

  test.each<readonly [string, Change, Partial<Incident>]>([
    ['came back when it was last back', { back: { returns: [5, 30, 60] } }, { causeSince: 60, returns: [5, 30, 60] }],
    [
      'came back now where no other return is known',
      { back: { returns: [5, 10] } },
      { causeSince: NOW, returns: [5, 10, NOW] },
    ],
    ['began with the older one', { second: { since: 11 }, first: { since: 30 } }, { since: 11 }],
    ['waits for the digest where the first does', { first: { awaitsDigest: true } }, { awaitsDigest: true }],
    ['waits for the digest where the second does', { second: { awaitsDigest: true } }, { awaitsDigest: true }],
    ['waits for the digest where neither does', {}, { awaitsDigest: false }],
  ])('%s', (_, change, expected) => {
    const [one, gone] = both(change);
    expect(one).toMatchObject(expected);
    expect(gone.awaitsDigest).toBe(false);
  });

  test('names once what the first was before it went, also beside a third one', () => {
    const said = (causeSince: number): readonly string[] =>
      both({ back: { causeSince } })[0].formerCauses.map(({ id }) => id);
    expect(said(10)).toEqual([FIRST.id, SECOND.id]);
    expect(said(11)).toEqual([SECOND.id]);
  });

  test('keeps what the second was before', () => {
    const former = formerCauseOf('certificate-broken', 50);
    expect(both({ second: { formerCauses: [former] } })[0].formerCauses).toContainEqual(former);
  });
});
