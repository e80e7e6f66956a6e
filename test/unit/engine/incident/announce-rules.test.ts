import { describe, expect, test } from 'vitest';
import type { Severity } from '../../../../src/core/severity.ts';
import { announce, heldIn } from '../../../../src/engine/incident/announce.ts';
import {
  deliveryKey,
  type DigestItem,
  EMPTY_STATE,
  type Incident,
  type IncidentState,
  type LastNotified,
  type NamedCause,
  type Notification,
  type IncidentPolicy,
} from '../../../../src/engine/incident/incident.ts';
import type { IncidentStep } from '../../../../src/engine/incident/round-view.ts';
import { causeOf } from '../../../support/checks/diagnosis-of.ts';
import { POLICY, START } from '../../../support/store/incident-timeline.ts';
import { incidentNotificationOf, incidentOf, outboxEntryOf } from '../../../support/notify/outbox-entry-of.ts';
import { HOUR } from '../../../support/time/units.ts';

const NOW = START + 10 * HOUR;
const CAUSE = causeOf('mail-unreachable', { severity: 'warning', subject: 'mail:25', product: 'Exim' });
const WORD: NamedCause = { cause: CAUSE.id, subject: CAUSE.subject, severity: CAUSE.severity };

function told(at: number, ...named: readonly NamedCause[]): LastNotified {
  return { ...WORD, at, named };
}

/** Returns an open incident for which no notification was sent. */
function incident(over: Partial<Incident> = {}): Incident {
  return {
    ...incidentOf(CAUSE),
    lastNotified: null,
    published: false,
    thread: { count: 0, first: null, last: null },
    ...over,
  };
}

function severe(id: string, severity: Severity, over: Partial<Incident> = {}): Incident {
  return incident({ id, cause: { ...CAUSE, severity, subject: id }, ...over });
}

function said(
  incidents: readonly Incident[],
  policy: Partial<IncidentPolicy> = {},
  state: Partial<IncidentState> = {},
): IncidentStep {
  const before = { ...EMPTY_STATE, origin: 'here', counter: 7, incidents, ...state };
  return announce(before, NOW, { ...POLICY, ...policy });
}

function notifications({ effects }: IncidentStep): readonly Notification[] {
  return effects.flatMap((effect) => (effect.kind === 'notify' ? [effect.notification] : []));
}

/** Returns each event with its subject. Those in a digest are marked. */
function heard(step: IncidentStep): readonly string[] {
  return notifications(step).flatMap((notification) =>
    notification.kind === 'test' || notification.kind === 'note'
      ? []
      : (notification.kind === 'incident' ? [notification] : notification.items).map(
          (item) => `${notification.kind === 'digest' ? 'digest: ' : ''}${item.event} ${item.incident.cause.subject}`,
        ),
  );
}

const CLOSED = { status: 'closed', closedAt: NOW } as const;

describe('what is due', () => {
  const KNOWN = { lastNotified: told(START, WORD) };
  const last = (one: Partial<NamedCause>, ...named: readonly NamedCause[]): Pick<Incident, 'lastNotified'> => ({
    lastNotified: told(NOW, { ...WORD, ...one }, ...named),
  });
  const ABSENT = { presence: 'absent' } as const;
  const UNJUDGED = { presence: 'unjudged' } as const;
  const NOT_KNOWN = 'precondition-unknown';
  const LAST_UNKNOWN = { lastNotified: { ...told(START, { ...WORD, cause: NOT_KNOWN }), cause: NOT_KNOWN } };

  test.each<readonly [string, Partial<Incident>, string]>([
    ['a beginning, once', {}, 'firing mail:25'],
    ['nothing of a note', { cause: { ...CAUSE, severity: 'info' } }, ''],
    ['an end of what was told', { ...CLOSED, ...KNOWN }, 'resolved mail:25'],
    ['no end of what was not', CLOSED, ''],
    ['what came and went, in a digest', { ...CLOSED, awaitsDigest: true }, 'digest: resolved mail:25'],
    ['nothing that may be over long since', { presence: 'unverified' }, ''],
    ['nothing that the last round did not show', ABSENT, ''],
    ['nothing new so soon', { lastNotified: told(NOW - 4 * HOUR + 1, WORD) }, ''],
    ['a reminder in time', { lastNotified: told(NOW - 4 * HOUR, WORD) }, 'reminder mail:25'],
    ['a reminder of what cannot be checked just now', { ...KNOWN, ...UNJUDGED }, 'reminder mail:25'],
    ['none of an event', { cause: { ...CAUSE, isEvent: true }, ...KNOWN }, ''],
    ['none of what is going away', { ...KNOWN, ...ABSENT }, ''],
    ['none of what something deeper hides', { ...KNOWN, presence: 'hidden' }, ''],
    ['none of what is not known', { cause: { ...CAUSE, id: NOT_KNOWN }, ...LAST_UNKNOWN }, ''],
    ['that it is known again', { lastNotified: { ...told(NOW - 1, WORD), cause: NOT_KNOWN } }, 'changed mail:25'],
    ['another cause', last({ cause: 'mail-slow' }), 'changed mail:25'],
    ['the same elsewhere', last({ subject: 'other:25' }), 'changed mail:25'],
    ['the same, graver', last({ severity: 'info' }), 'changed mail:25'],
    ['not the same, less grave', last({ severity: 'critical' }), ''],
    ['not what was named before', last({ cause: 'mail-slow' }, WORD), ''],
    ['no other cause that is not seen', { ...last({ cause: 'mail-slow' }), ...UNJUDGED }, ''],
  ])('%s', (_, over, expected) => {
    expect(heard(said([incident(over)])).join()).toBe(expected);
  });

  test('is told gravest first, and what began before what is over', () => {
    const over = (id: string): Incident => severe(id, 'warning', { ...CLOSED, lastNotified: told(START, WORD) });
    const due = [over('a'), severe('b', 'warning'), over('c'), severe('d', 'critical')];
    expect(heard(said(due, { burst: 9 }))).toEqual(['firing d', 'firing b', 'resolved a', 'resolved c']);
  });

  test('is bounded by what went out within the last hour, not by what did before or will', () => {
    const spent = (...sent: readonly number[]): readonly string[] =>
      heard(said([incident()], { maxPerHour: 1 }, { sent }));
    expect(spent(NOW - HOUR, NOW + 1)).toEqual(['firing mail:25']);
    expect(spent(NOW - HOUR + 1)).toEqual([]);
    expect(spent(NOW)).toEqual([]);
  });

  test('only what was held back waits for the digest', () => {
    const { state } = said([severe('a', 'critical'), severe('b', 'warning')], { maxPerHour: 1 });
    expect(state.incidents.map(({ awaitsDigest }) => awaitsDigest)).toEqual([false, true]);
  });
});

describe('a notification', () => {
  test('has its place in the thread of its incident', () => {
    const step = said([incident({ lastNotified: told(START, WORD), thread: { count: 4, first: 'a', last: 'b' } })]);
    const [{ id } = { id: '' }] = notifications(step);
    expect(id).toBe(`${incident().id}.5-here`);
    expect(step.state.incidents[0]?.thread).toEqual({ count: 5, first: 'a', last: id });
    const [{ thread } = incident()] = said([incident()]).state.incidents;
    expect(thread).toEqual({ count: 1, first: `${incident().id}.1-here`, last: `${incident().id}.1-here` });
  });

  test('is delivered to each recipient of each channel by itself', () => {
    const told = incidentNotificationOf(incident());
    const keys = [{}, { channel: 'webhook' }, { recipient: 'b' }, { notificationId: 'another' }].map((more) =>
      deliveryKey(outboxEntryOf(told, more).delivery),
    );
    expect(new Set(keys).size).toBe(4);
  });

  test('needs no more than a number where the incident was opened with this store', () => {
    const own = incident({ id: '20261124T130030Z-here-1' });
    expect(notifications(said([own])).map(({ id }) => id)).toEqual(['20261124T130030Z-here-1.1']);
  });

  test('is counted, and says when the next one comes', () => {
    const step = said([incident()]);
    expect(step.state).toMatchObject({ counter: 8, sent: [NOW] });
    expect(notifications(step)).toMatchObject([{ at: NOW, nextReminder: NOW + POLICY.reminder }]);
    expect(notifications(said([incident()], { reminder: 0 }))).toMatchObject([{ nextReminder: null }]);
    const end = incident({ ...CLOSED, lastNotified: told(START, WORD) });
    expect(notifications(said([end]))).toMatchObject([{ nextReminder: null }]);
  });

  test('names what else is open, gravest first', () => {
    const others = [
      severe('note', 'info'),
      severe('mild', 'warning', { lastNotified: told(NOW, { ...WORD, subject: 'mild' }) }),
      severe('over', 'critical', CLOSED),
      severe('grave', 'critical', { lastNotified: told(NOW, { ...WORD, subject: 'grave', severity: 'critical' }) }),
    ];
    expect(notifications(said([incident(), ...others]))).toMatchObject([
      {
        stillOpen: [
          { id: CAUSE.id, subject: 'grave', severity: 'critical', product: 'Exim', since: START },
          { id: CAUSE.id, subject: 'mild', severity: 'warning', product: 'Exim', since: START },
        ],
      },
    ]);
  });

  test('of many has a name that is unique anywhere, a hundred of them, and all others', () => {
    const many = Array.from({ length: 120 }, (_, index) => severe(String(index), 'warning'));
    const [, digest] = notifications(said(many, { burst: 1 }));
    expect(digest).toMatchObject({ id: `digest-${String(NOW)}-here-9`, at: NOW, omitted: 19 });
    expect(digest).toMatchObject({ omittedOpen: 19, items: { length: 100 } });
    const over = many.map((one): Incident => ({ ...one, id: `${one.id}-over`, status: 'closed', closedAt: NOW }));
    const critical = over.map((one) => ({
      ...one,
      cause: { ...one.cause, severity: 'critical' as const },
      awaitsDigest: true,
    }));
    const [mixed] = notifications(said([...critical, ...many.slice(0, 10)], { burst: 1 }));
    expect(mixed).toMatchObject({ items: { length: 100 }, omitted: 30, omittedOpen: 0 });
    const known = many.map((one) => ({
      ...one,
      lastNotified: told(NOW, { ...WORD, subject: one.cause.subject }),
    }));
    expect(notifications(said([incident(), ...known]))).toMatchObject([{ stillOpen: { length: 120 } }]);
    expect(notifications(said(many.slice(0, 9)))).toMatchObject([{}, { omitted: 0 }]);
  });
});

describe('what is remembered of it', () => {
  const slow: NamedCause = { ...WORD, cause: 'mail-slow' };
  const there: NamedCause = { ...WORD, subject: 'other:25' };
  const grave: NamedCause = { ...WORD, severity: 'critical' };
  const named = (before: LastNotified | null, cause = CAUSE): readonly NamedCause[] | undefined =>
    said([incident({ cause, lastNotified: before })]).state.incidents[0]?.lastNotified?.named;

  test.each<readonly [string, LastNotified | null, readonly NamedCause[]]>([
    ['the first word', null, [WORD]],
    ['each cause that was named', told(START, slow, there), [slow, there, WORD]],
    ['the same one once', told(START, WORD, slow), [slow, WORD]],
    ['the same one as grave as it was named', told(START, grave, slow), [slow, grave]],
    [
      'not the gravity of another one',
      told(START, { ...grave, cause: 'mail-slow' }),
      [{ ...grave, cause: 'mail-slow' }, WORD],
    ],
    [
      'nor of the same elsewhere',
      told(START, { ...grave, subject: 'other:25' }),
      [{ ...grave, subject: 'other:25' }, WORD],
    ],
  ])('%s', (_, before, expected) => {
    expect(named(before)).toEqual(expected);
  });

  test('a graver word takes the place of the milder one', () => {
    expect(named(told(START, WORD), { ...CAUSE, severity: 'critical' })).toEqual([grave]);
  });

  test('nothing is after an end', () => {
    const end = incident({ ...CLOSED, lastNotified: told(START, WORD), awaitsDigest: true });
    expect(said([end]).state.incidents).toMatchObject([{ lastNotified: null, awaitsDigest: false }]);
  });
});

describe('the hourly limit', () => {
  /** `unheard` means that no notification of its beginning was sent. */
  type Due = readonly [event: DigestItem['event'], severity: Severity, unheard?: 'unheard'];

  const many = (count: number, due: Due): readonly Due[] => Array.from({ length: count }, () => due);
  const WARNING: Due = ['firing', 'warning'];
  const ENDED: Due = ['resolved', 'warning'];
  const CRITICAL: Due = ['firing', 'critical'];

  function dueOf([event, severity, unheard]: Due, index: number): Incident {
    const known = told(START, { ...WORD, subject: String(index), severity });
    const states: Readonly<Record<Due[0], Partial<Incident>>> = {
      firing: {},
      changed: { lastNotified: { ...known, named: [] } },
      reminder: { lastNotified: known },
      resolved: { ...CLOSED, ...(unheard === undefined ? { lastNotified: known } : { awaitsDigest: true }) },
    };
    return severe(String(index), severity, states[event]);
  }

  /** Returns which of them are sent alone, sent together, and held back. */
  function shared(due: readonly Due[], maxPerHour: number, sentBefore: number): readonly (readonly number[])[] {
    const sent = Array.from({ length: sentBefore }, () => NOW);
    const step = said(due.map(dueOf), { maxPerHour, burst: 3 }, { sent });
    const sentIn = (isDigest: boolean): readonly number[] =>
      heard(step)
        .filter((text) => text.startsWith('digest: ') === isDigest)
        .map((text) => Number(text.split(' ').at(-1)))
        .toSorted((a, b) => a - b);
    const held = heldIn(step.state).map(({ id }) => Number(id));
    return [sentIn(false), sentIn(true), held];
  }

  test.each<readonly [string, readonly Due[], number, number, readonly (readonly number[])[]]>([
    ['nothing is due', [], 20, 0, [[], [], []]],
    ['three at once go out alone', many(3, WARNING), 20, 0, [[0, 1, 2], [], []]],
    ['of four at once one goes out alone', many(4, WARNING), 20, 0, [[0], [1, 2, 3], []]],
    ['of four grave ones too', many(4, CRITICAL), 20, 0, [[0], [1, 2, 3], []]],
    ['the gravest of four goes out alone', [...many(3, WARNING), CRITICAL], 20, 0, [[3], [0, 1, 2], []]],
    ['the last place of the hour is for the digest', many(3, WARNING), 2, 0, [[0], [1, 2], []]],
    ['a single one in the last place goes out alone', [WARNING], 2, 1, [[0], [], []]],
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
    ['one that began takes a place of the others', [CRITICAL, WARNING, WARNING], 2, 0, [[0], [1, 2], []]],
    ['one whose end is due goes out alone', [ENDED], 20, 0, [[0], [], []]],
    ['one that came and went goes into a digest', [['resolved', 'warning', 'unheard']], 20, 0, [[], [0], []]],
    ['one that came and went waits for a place', [['resolved', 'warning', 'unheard']], 1, 1, [[], [], [0]]],
  ])('%s', (_, ...[due, maxPerHour, sent, expected]) => {
    expect(shared(due, maxPerHour, sent)).toEqual(expected);
  });
});

test('times of a wall clock that was set back are now, at the latest', () => {
  const ahead = incident({ causeSince: NOW + HOUR, lastNotified: told(NOW + HOUR, WORD) });
  expect(said([ahead]).state.incidents).toMatchObject([{ causeSince: NOW, lastNotified: { at: NOW } }]);
  const before = incident({ causeSince: START, lastNotified: told(NOW - 1, WORD) });
  expect(said([before]).state.incidents).toEqual([{ ...before, published: true }]);
});

test.each<readonly [string, Partial<Incident>, Partial<IncidentState>, boolean]>([
  ['an open fault', {}, {}, true],
  ['a fault in maintenance', {}, { maintenance: true }, false],
  ['one that it was told of before', { published: true }, { maintenance: true }, true],
  ['a note', { cause: { ...CAUSE, severity: 'info' } }, {}, false],
  ['what is over', CLOSED, {}, false],
])('Alertmanager may know about %s', (_, over, state, published) => {
  expect(said([incident(over)], {}, state).state.incidents).toMatchObject([{ published }]);
});
