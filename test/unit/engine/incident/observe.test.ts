import { describe, expect, test } from 'vitest';
import type { Cause } from '../../../../src/engine/model.ts';
import type { EpochMs } from '../../../../src/core/clock.ts';
import {
  EMPTY_STATE,
  type Candidate,
  type Incident,
  type IncidentState,
  type Occurrence,
} from '../../../../src/engine/incident/incident.ts';
import type { IncidentStep } from '../../../../src/engine/incident/round-view.ts';
import { next } from '../../../../src/engine/incident/machine.ts';
import { causeOf, diagnosisOf } from '../../../support/checks/diagnosis-of.ts';
import { POLICY, START } from '../../../support/store/incident-timeline.ts';
import { MINUTE, SECOND } from '../../../support/time/units.ts';
import { formerCauseOf, incidentOf } from '../../../support/notify/outbox-entry-of.ts';

const CAUSE = causeOf('tls-intercepted');
const NOW = START + 10 * MINUTE;
const INCIDENT: Incident = { ...incidentOf(CAUSE), lastSeen: NOW - 30 * SECOND };
const CLOSED: Incident = { ...INCIDENT, status: 'closed', presence: 'absent', closedAt: NOW - MINUTE };

/** During maintenance, no notifications are created. */
const QUIET: IncidentState = { ...EMPTY_STATE, origin: 'here', counter: 7, maintenance: true };

function round(state: Partial<IncidentState>, causes: readonly Cause[], at: EpochMs = NOW): IncidentStep {
  const input = { kind: 'diagnosis', diagnosis: diagnosisOf(at, causes), fresh: null } as const;
  return next({ ...QUIET, ...state }, input, POLICY);
}

/** Returns a cause that was seen once, in the previous round. */
function seenOnce(cause: Cause = CAUSE, looks: Candidate['looks'] = [NOW - 30 * SECOND]): Candidate {
  const since = NOW - 30 * SECOND;
  return { cause, since, causeSince: since, streak: 1, looks, clearBefore: NOW - MINUTE };
}

/** Returns the incident after one round. */
function after(over: Partial<Incident>, causes: readonly Cause[], at?: EpochMs): Incident {
  return round({ incidents: [{ ...INCIDENT, ...over }] }, causes, at).state.incidents[0] ?? INCIDENT;
}

function occurrenceOf({ since, openedAt, lastSeen, closedAt, clear }: Incident): Occurrence {
  return { since, openedAt, lastSeen, closedAt, clear };
}

const transitions = ({ effects }: IncidentStep): readonly string[] =>
  effects.flatMap((effect) => (effect.kind === 'transition' ? [`${effect.transition} ${effect.incident.id}`] : []));

describe('a new incident', () => {
  test('has a name of its own, and the times of its rounds', () => {
    const step = round({ candidates: [seenOnce()] }, [CAUSE]);
    const known = { status: 'open', cause: CAUSE, openingEvidence: CAUSE.evidence, presence: 'seen', published: false };
    const times = {
      since: NOW - 30 * SECOND,
      causeSince: NOW - 30 * SECOND,
      openedAt: NOW,
      lastSeen: NOW,
      closedAt: null,
    };
    const opened = {
      id: '20261124T131000Z-here-8',
      ...known,
      ...times,
      clear: { before: NOW - MINUTE, after: null },
      lastNotified: null,
      returns: [],
    };
    expect(step.state).toMatchObject({ counter: 8, incidents: [opened], candidates: [] });
    expect(step.effects).toEqual([{ kind: 'transition', transition: 'opened', incident: step.state.incidents[0] }]);
  });

  test('began before a wall clock was set back: it begins now', () => {
    const at = NOW - 60 * MINUTE;
    expect(round({ candidates: [seenOnce()] }, [CAUSE], at).state.incidents).toMatchObject([
      { since: at, causeSince: at, openedAt: at },
    ]);
  });
});

describe('an open incident', () => {
  test('is told anew by each round that shows it', () => {
    const told = { ...CAUSE, summary: 'more of it', evidence: ['new'] };
    expect(after({}, [told])).toEqual({ ...INCIDENT, cause: told, lastSeen: NOW, presence: 'seen' });
  });

  test('has another cause where it is graver or milder, from this round on', () => {
    const milder: Cause = { ...CAUSE, severity: 'warning' };
    expect(after({ published: true }, [milder])).toMatchObject({
      cause: milder,
      causeSince: NOW,
      published: false,
      formerCauses: [{ id: CAUSE.id, severity: 'critical', since: START, replacedAt: NOW }],
    });
  });

  test('keeps its last twenty former causes', () => {
    const formerCauses = Array.from({ length: 20 }, (_, index) => formerCauseOf('tls-blocked', START + index));
    const { formerCauses: kept } = after({ formerCauses }, [{ ...CAUSE, severity: 'warning' }]);
    expect(kept).toEqual([...formerCauses.slice(1), expect.objectContaining({ id: CAUSE.id })]);
  });

  test('counts the rounds without it, and remembers when it was back', () => {
    const gone = after({}, []);
    expect(gone).toMatchObject({ presence: 'absent', streak: 1, lastSeen: NOW - 30 * SECOND, returns: [] });
    expect(after({ streak: 1 }, [CAUSE])).toMatchObject({ streak: 0, returns: [NOW] });
    expect(after({ streak: 0 }, [CAUSE])).toMatchObject({ streak: 0, returns: [] });
  });

  test('forgets returns that are older than two hours, and those that a clock was set back from', () => {
    const returns = [NOW - 120 * MINUTE, NOW - 120 * MINUTE + 1, NOW, NOW + 1];
    expect(after({ returns }, [CAUSE]).returns).toEqual(returns.slice(1, 3));
    expect(after({ returns, streak: 1 }, [CAUSE]).returns).toEqual([...returns.slice(1, 3), NOW]);
  });

  test('remembers the last fifty returns', () => {
    const returns = Array.from({ length: 50 }, (_, index) => NOW - 60 + index);
    expect(after({ returns, streak: 1 }, [CAUSE]).returns).toEqual([...returns.slice(1), NOW]);
  });

  test('was last seen now at the latest, by a wall clock that was set back', () => {
    expect(after({}, [], START).lastSeen).toBe(START);
  });

  test('one that is over is not looked at any more', () => {
    expect(after(CLOSED, [])).toEqual(CLOSED);
  });
});

describe('a fault that is confirmed', () => {
  test('brings back the incident that it was, and counts as a return', () => {
    const step = round({ incidents: [CLOSED], candidates: [seenOnce()] }, [CAUSE]);
    expect(transitions(step)).toEqual([`reopened ${INCIDENT.id}`]);
    expect(step.state.incidents).toEqual([
      {
        ...CLOSED,
        status: 'open',
        since: NOW - 30 * SECOND,
        causeSince: NOW - 30 * SECOND,
        openedAt: NOW,
        closedAt: null,
        clear: { before: NOW - MINUTE, after: null },
        earlier: [occurrenceOf(CLOSED)],
        presence: 'seen',
        lastSeen: NOW,
        returns: [NOW - 30 * SECOND],
      },
    ]);
  });

  test('brings it back graver or milder, as of the round that showed it first', () => {
    const milder: Cause = { ...CAUSE, severity: 'warning' };
    expect(round({ incidents: [CLOSED], candidates: [seenOnce(milder)] }, [milder]).state.incidents).toMatchObject([
      { cause: milder, causeSince: NOW - 30 * SECOND, formerCauses: [{ replacedAt: NOW }] },
    ]);
  });

  test('counts each time that it was back meanwhile', () => {
    const looks = [1, 3, 5, 7].flatMap((minute) => [START + minute * MINUTE, null]);
    const candidate = { ...seenOnce(CAUSE, looks), streak: 0 };
    expect(round({ incidents: [CLOSED], candidates: [candidate] }, [CAUSE]).state.incidents[0]?.returns).toEqual([
      ...[1, 3, 5, 7].map((minute) => START + minute * MINUTE),
      NOW,
    ]);
  });

  test.each<readonly [string, Partial<Incident>]>([
    ['was about something else', { cause: causeOf('clock-skewed') }],
    ['ended half an hour ago', { closedAt: NOW - 30 * MINUTE }],
  ])('does not bring back an incident that %s', (_, over) => {
    const step = round({ incidents: [{ ...CLOSED, ...over }], candidates: [seenOnce()] }, [CAUSE]);
    expect(transitions(step)).toEqual(['opened 20261124T131000Z-here-8']);
  });
});

/** Returns times in the last minutes at which the cause returned. */
const back = (times: number): readonly EpochMs[] =>
  Array.from({ length: times }, (_, index) => NOW - (9 - index) * MINUTE);

describe('an incident of a target that had five outages before', () => {
  const other = (over: Partial<Incident>): Incident => ({
    ...CLOSED,
    id: 'other',
    cause: causeOf('tls-blocked'),
    since: NOW - 100 * MINUTE,
    returns: back(3),
    ...over,
  });

  test.each<readonly [string, readonly Incident[], boolean]>([
    ['of the same cause', [{ ...INCIDENT, returns: back(5) }], true],
    ['of the same cause, one fewer', [{ ...INCIDENT, returns: back(4) }], false],
    ['of another cause as well', [{ ...INCIDENT, returns: [NOW] }, other({})], true],
    ['one of them too long ago', [{ ...INCIDENT, returns: [NOW] }, other({ since: NOW - 120 * MINUTE })], false],
    ['of another target', [INCIDENT, other({ cause: causeOf('tls-blocked', { subject: 'other:443' }) })], false],
    ['which are the same outages', [{ ...INCIDENT, returns: back(3) }, other({ status: 'open' })], false],
  ])('%s: flaps, or does not', (_, incidents, flapping) => {
    expect(round({ incidents }, [CAUSE]).state.incidents[0]).toMatchObject({ id: INCIDENT.id, flapping });
  });

  test('says so from its beginning on, and no longer once it has ended', () => {
    const outages = other({ cause: CAUSE, returns: back(4) });
    const begun = round({ incidents: [outages], candidates: [seenOnce()] }, [CAUSE]);
    expect(begun.effects).toMatchObject([{ transition: 'reopened', incident: { flapping: true } }]);
    const gone = { ...INCIDENT, presence: 'absent', streak: 1, returns: back(5), lastSeen: NOW - 15 * MINUTE } as const;
    expect(round({ incidents: [gone] }, []).state.incidents).toMatchObject([{ status: 'closed', flapping: false }]);
  });
});

describe('the end', () => {
  const away = { presence: 'absent', streak: 1 } as const;

  test.each<readonly [string, Partial<Incident>, boolean]>([
    ['comes with the second round without it', away, true],
    ['does not come with the first', { ...away, streak: 0 }, false],
    ['comes as soon after the fifth outage', { ...away, returns: back(4) }, true],
    ['waits after the sixth', { ...away, returns: back(5), lastSeen: NOW - 15 * MINUTE + 1 }, false],
    ['comes 15 minutes after the sixth', { ...away, returns: back(5), lastSeen: NOW - 15 * MINUTE }, true],
    ['forgets outages that are too old', { ...away, returns: back(5).with(0, NOW - 120 * MINUTE) }, true],
  ])('%s', (_, over, closes) => {
    const step = round({ incidents: [{ ...INCIDENT, ...over }] }, []);
    expect(transitions(step)).toEqual(closes ? [`closed ${INCIDENT.id}`] : []);
    expect(step.state.incidents).toMatchObject([
      closes ? { status: 'closed', closedAt: NOW, streak: 0 } : { status: 'open', closedAt: null },
    ]);
  });
});
