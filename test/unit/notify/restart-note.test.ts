import { expect, test } from 'vitest';
import type { IncidentState, NoteNotification } from '../../../src/engine/incident/incident.ts';
import { takenUp, type Restart } from '../../../src/notify/notes.ts';
import { subjectOf } from '../../../src/notify/message/notification-text.ts';
import { causeOf } from '../../support/diagnosis-of.ts';
import { HOUR, MINUTE, START, timeline } from '../../support/incident-timeline.ts';

function restartNote(state: IncidentState, restart: Restart): NoteNotification | null {
  const [effect] = takenUp(state, { ...restart, isQuiet: false }).effects;
  return effect?.kind === 'notify' && effect.notification.kind === 'note' ? effect.notification : null;
}

const RAN: IncidentState = { ...timeline().state, runningSince: START };
const AT = { now: START + 5 * HOUR, lastRound: START + 2 * HOUR, timezone: 'Europe/Berlin' };

test('tells since when nothing was looked at, and what was open', () => {
  const { incidents } = timeline().rounds(2, [
    causeOf('tls-intercepted'),
    causeOf('certificate-rotated', { severity: 'info' }),
  ]).state;
  const note = restartNote({ ...RAN, incidents }, AT);
  expect(note).toMatchObject({ kind: 'note', event: 'restart', at: AT.now });
  expect(note?.summary).toContain('from 2026-11-24 16:00:00 +01:00 (15:00:00 UTC) to 2026-11-24 19:00:00 +01:00 (');
  expect(note?.sections).toEqual([
    { title: expect.stringContaining('Open'), lines: ['critical: TLS is intercepted (tls-intercepted)'] },
  ]);
  expect(note === null ? '' : subjectOf(note, 'hq')).toBe('RESTARTED hq: nothing seen for 3 h');
});

test('tells nothing after an end that was asked for, nor at the first start', () => {
  expect(restartNote({ ...RAN, runningSince: null }, AT)).toBeNull();
});

test('tells of one that dies again and again once an hour', () => {
  expect(restartNote({ ...RAN, restartToldAt: AT.now - HOUR + 1 }, AT)).toBeNull();
  expect(restartNote({ ...RAN, restartToldAt: AT.now - HOUR }, AT)).not.toBeNull();
  // The clock was set back since: nothing is held back for days.
  expect(restartNote({ ...RAN, restartToldAt: AT.now + 2 * HOUR }, AT)).not.toBeNull();
});

test('gives the same end the same id, however often it is told', () => {
  expect(restartNote(RAN, AT)?.id).toBe(restartNote(RAN, { ...AT, now: AT.now + MINUTE })?.id);
  expect(restartNote(RAN, AT)?.id).not.toBe(restartNote({ ...RAN, runningSince: START + 1 }, AT)?.id);
});

test.each([
  ['no round was kept', null, '5 h'],
  ['the last round is of a process before', START - HOUR, '5 h'],
  ['the clock was set back', START + 9 * HOUR, '0 ms'],
])('tells a span that is true when %s', (_, lastRound, span) => {
  expect(restartNote(RAN, { ...AT, lastRound })?.short).toBe(`nothing seen for ${span}`);
});

test('fits into a subject whatever the span is', () => {
  for (const days of [0, 0.001, 1, 99.96, 999.96, 9_999])
    expect(restartNote(RAN, { ...AT, now: START + days * 24 * HOUR, lastRound: null })?.short.length).toBeLessThan(33);
});

test('remembers that it runs and when that was told; nobody is told in maintenance', () => {
  const { state } = takenUp(RAN, { ...AT, isQuiet: false });
  expect(state).toMatchObject({ runningSince: AT.now, restartToldAt: AT.now });
  expect(takenUp(RAN, { ...AT, isQuiet: true })).toEqual({ state: { ...RAN, runningSince: AT.now }, effects: [] });
});
