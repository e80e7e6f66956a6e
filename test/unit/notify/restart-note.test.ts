import { describe, expect, test } from 'vitest';
import type { EpochMs } from '../../../src/core/clock.ts';
import type { IncidentState, IncidentPolicy, NoteNotification } from '../../../src/engine/incident/incident.ts';
import { resumedState } from '../../../src/notify/notes.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { HOUR, MINUTE, POLICY, SECOND, START, timeline } from '../../support/store/incident-timeline.ts';

function restartNote(
  state: IncidentState,
  restart: Omit<Parameters<typeof resumedState>[1], 'isQuiet'>,
): NoteNotification | null {
  const [effect] = resumedState(state, { ...restart, isQuiet: false }, POLICY).effects;
  return effect?.kind === 'notify' && effect.notification.kind === 'note' ? effect.notification : null;
}

const RAN: IncidentState = { ...timeline().state, runningSince: START };
const AT = { now: START + 5 * HOUR, lastRound: START + 2 * HOUR, timezone: 'Europe/Berlin' };

test('tells how long nothing was looked at, and which faults were open', () => {
  const { incidents } = timeline().rounds(2, [
    causeOf('tls-intercepted'),
    causeOf('certificate-rotated', { severity: 'info' }),
  ]).state;
  const note = restartNote({ ...RAN, incidents }, AT);
  expect(note).toMatchObject({ kind: 'note', event: 'restart', at: AT.now });
  expect(note?.sections.map(({ lines }) => lines)).toEqual([[expect.stringContaining('tls-intercepted')]]);
  expect(note?.short).toMatch(/ 3 h$/u);
});

test('tells nothing after an end that was asked for, nor at the first start', () => {
  expect(restartNote({ ...RAN, runningSince: null }, AT)).toBeNull();
});

test('tells of one that dies again and again once an hour', () => {
  expect(restartNote({ ...RAN, restartToldAt: AT.now - HOUR + 1 }, AT)).toBeNull();
  expect(restartNote({ ...RAN, restartToldAt: AT.now - HOUR }, AT)).not.toBeNull();
  // The clock was set back since then, which must not hold the note back for days.
  expect(restartNote({ ...RAN, restartToldAt: AT.now + 2 * HOUR }, AT)).not.toBeNull();
});

test('gives the same end the same id, however often it is told', () => {
  expect(restartNote(RAN, AT)?.id).toBe(restartNote(RAN, { ...AT, now: AT.now + MINUTE })?.id);
  expect(restartNote(RAN, AT)?.id).not.toBe(restartNote({ ...RAN, runningSince: START + 1 }, AT)?.id);
});

const SKEWED: IncidentState = { ...RAN, runningSince: START + 9 * HOUR };

test.each([
  ['no round was kept', RAN, null, '5 h'],
  ['the last round is of a process before', RAN, START - HOUR, '5 h'],
  ['the clock was set back after the start', SKEWED, START + 2 * HOUR, '3 h'],
  ['the clock was set back after the start, and no round was kept since', SKEWED, null, 'unknown time'],
])('tells a span that is true when %s', (_, state, lastRound, span) => {
  expect(restartNote(state, { ...AT, lastRound })?.short.endsWith(` ${span}`)).toBe(true);
});

test('fits into a subject whatever the span is', () => {
  for (const days of [0, 0.001, 1, 99.96, 999.96, 9_999])
    expect(restartNote(RAN, { ...AT, now: START + days * 24 * HOUR, lastRound: null })?.short.length).toBeLessThan(33);
});

test('remembers that it runs and when that was told; nobody is told in maintenance', () => {
  const { state } = resumedState(RAN, { ...AT, isQuiet: false }, POLICY);
  expect(state).toMatchObject({ runningSince: AT.now, restartToldAt: AT.now });
  expect(resumedState(RAN, { ...AT, isQuiet: true }, POLICY)).toEqual({
    state: { ...RAN, runningSince: AT.now },
    effects: [],
  });
});

describe('after a time without rounds', () => {
  const policy: IncidentPolicy = { ...POLICY, intervals: { 'tls-genuine': 30 * SECOND, appliance: HOUR } };
  const { state } = timeline()
    .rounds(2, [causeOf('tls-intercepted'), causeOf('appliance-unreachable', { subject: 'fac-1' })])
    .rounds(1, [causeOf('tls-blocked', { subject: 'push.example.org:443' })]);
  const at = (lastRound: EpochMs | null, now: EpochMs): IncidentState =>
    resumedState(state, { ...AT, lastRound, now, isQuiet: true }, policy).state;
  const presences = ({ incidents }: IncidentState): readonly string[] => incidents.map(({ presence }) => presence);

  test('an incident is not verified that was checked more often', () => {
    expect(presences(at(START, START + 10 * MINUTE))).toEqual(['unverified', 'resumed']);
    expect(presences(at(START, START + 10 * HOUR))).toEqual(['unverified', 'unverified']);
    expect(presences(at(null, START + 10 * MINUTE))).toEqual(['unverified', 'resumed']);
  });

  test('it is as before after a short one', () => {
    const resumed = at(START + HOUR, START + HOUR + MINUTE);
    expect(resumed).toMatchObject({ candidates: state.candidates, runningSince: START + HOUR + MINUTE });
    expect(presences(resumed)).toEqual(['resumed', 'resumed']);
  });

  test('what was seen before is no confirmation', () => {
    expect(state.candidates).toHaveLength(1);
    expect(at(START, START + 10 * MINUTE).candidates).toEqual([]);
  });
});
