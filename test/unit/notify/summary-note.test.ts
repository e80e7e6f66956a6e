import { expect, test } from 'vitest';
import type { IncidentState, NoteNotification } from '../../../src/engine/incident/incident.ts';
import { subjectOf } from '../../../src/document/notification.ts';
import { dueSummary, type SummaryFacts } from '../../../src/notify/notes.ts';
import { readCrontab } from '../../../src/text/crontab.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { HOUR, MINUTE, START, timeline } from '../../support/store/incident-timeline.ts';
import { noSummaryFacts } from '../../support/notify/plain-alerting.ts';

const DAY = 24 * HOUR;
const SPAN = { from: START - 7 * DAY, until: START, timezone: 'UTC' };
const NONE = noSummaryFacts();
const EMPTY = timeline().state;
const DOWN = causeOf('mail-unreachable', { subject: 'mx:25' });
const LOW = causeOf('tokens-running-out', { subject: 'fac-1', severity: 'warning' });

const EVERY_MINUTE = readCrontab('* * * * *', 'UTC');

function summaryNote(
  state: IncidentState,
  facts: SummaryFacts,
  { from, until, timezone }: typeof SPAN,
): NoteNotification {
  const step = dueSummary({ ...state, summarizedUntil: from }, EVERY_MINUTE, { now: until, timezone }, () => facts);
  const [effect] = step?.effects ?? [];
  if (effect?.kind !== 'notify' || effect.notification.kind !== 'note') throw new Error('No summary is due');
  return effect.notification;
}

const sectionsOf = (state: IncidentState, facts: SummaryFacts): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries(summaryNote(state, facts, SPAN).sections.map(({ title, lines }) => [title, lines]));

test('says how the time was', () => {
  const open = timeline().rounds(2, [LOW, DOWN]).state;
  const { incidents: ended } = timeline()
    .rounds(2, [causeOf('tls-intercepted')])
    .wait(HOUR)
    .rounds(2, []).state;
  const silence = {
    id: 's',
    cause: 'mail-slow',
    subject: null,
    from: START,
    until: START + HOUR,
    by: 'ada',
    comment: '',
  };
  const past = { ...silence, until: START };
  const planned = { ...silence, from: START + HOUR, until: START + 2 * HOUR };
  const facts: SummaryFacts = {
    availability: { ready: 99_876 * MINUTE, notReady: 124 * MINUTE, unknown: 7 * DAY },
    ended,
    tokensLeft: [{ appliance: 'fac-1', count: 12 }],
    ends: [{ what: 'the certificate of push.example.org:443', at: START + 5 * DAY }],
  };
  const state = { ...open, silences: [silence, past, planned] };
  const note = summaryNote(state, facts, SPAN);
  expect(subjectOf(note, 'hq')).toBe('SUMMARY hq: 99.8 % ready, 3 incidents');
  expect(note).toMatchObject({
    event: 'summary',
    tone: 'critical',
    action: 'Still open: the mail server mx:25 is unreachable, and 1 more.',
    summary:
      'From 2026-11-17 13:00:00 UTC to 2026-11-24 13:00:00 UTC, activation was possible for 99.8 % of the known time ' +
      '(69 d 10 h of 76 d 10 h).',
  });
  expect(sectionsOf(state, facts)).toEqual({
    'Still open': [
      'critical: the mail server mx:25 is unreachable (mail-unreachable, mx:25), since 2026-11-24 13:00:00 UTC',
      'warning: tokens are running out (tokens-running-out, fac-1), since 2026-11-24 13:00:00 UTC',
    ],
    Resolved: [
      'critical: TLS is intercepted (tls-intercepted, fortitokenmobile.fortinet.com:443), seen from 2026-11-24 ' +
        '13:00:00 UTC to 2026-11-24 13:00:30 UTC, lasted at least 30 s',
    ],
    'Tokens left': ['fac-1: 12'],
    'Expires soon': ['the certificate of push.example.org:443: 2026-11-29'],
    'Active silences': ['mail-slow, until 2026-11-24 14:00:00 UTC, by ada'],
    'Planned silences': ['mail-slow, from 2026-11-24 14:00:00 UTC until 2026-11-24 15:00:00 UTC, by ada'],
  });
});

test('of a quiet time has nothing to do, and no empty list', () => {
  const note = summaryNote(EMPTY, { ...NONE, availability: { ready: DAY, notReady: 0, unknown: 0 } }, SPAN);
  expect(note).toMatchObject({ tone: 'good', action: 'No action is required.', sections: [] });
  expect(subjectOf(note, 'hq')).toBe('SUMMARY hq: 100 % ready, 0 incidents');
});

test.each([
  [99_999, 1, '99.9 % ready, 0 incidents'],
  [0, 1, '0 % ready, 0 incidents'],
  [0, 0, 'no data, 0 incidents'],
])('%d ms ready and %d ms not ready are told as "%s"', (ready, notReady, short) => {
  expect(summaryNote(EMPTY, { ...NONE, availability: { ready, notReady, unknown: 5 } }, SPAN).short).toBe(short);
});

test('asks to renew what ends next where nothing is open', () => {
  const ends = [{ what: "the status page's certificate", at: START + DAY }];
  expect(summaryNote(EMPTY, { ...NONE, ends }, SPAN).action).toBe("Renew soon: the status page's certificate.");
});

test('tells nobody of what is only noted, and once of what was merged', () => {
  const [over] = timeline().rounds(2, [DOWN]).rounds(2, []).state.incidents;
  const [noted] = timeline()
    .rounds(2, [causeOf('certificate-rotated', { severity: 'info' })])
    .rounds(2, []).state.incidents;
  if (over === undefined || noted === undefined) throw new Error('Two incidents were to end');
  const ended = [over, noted, { ...over, mergedInto: 'another' }];
  expect(summaryNote(EMPTY, { ...NONE, ended }, SPAN).short).toBe('no data, 1 incident');
});

test('cuts long lists', () => {
  const many = Array.from({ length: 40 }, (_, index) => ({ appliance: `fac-${String(index)}`, count: index }));
  const tokens = sectionsOf(EMPTY, { ...NONE, tokensLeft: many })['Tokens left'];
  expect(tokens).toHaveLength(31);
  expect(tokens?.at(-1)).toBe('and 10 more');
});

test('is told under the time that it ends with', () => {
  const idOf = (until: number): string => summaryNote(EMPTY, NONE, { ...SPAN, until }).id;
  expect(idOf(START)).toBe('summary-1795525200000-a1b2c3d4e5');
  expect(idOf(START + MINUTE)).not.toBe(idOf(START));
});
