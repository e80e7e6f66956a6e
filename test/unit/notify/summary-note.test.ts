import { expect, test } from 'vitest';
import type { IncidentState, NoteNotification } from '../../../src/engine/incident/incident.ts';
import { dueSummary, type SummaryFacts } from '../../../src/notify/notes.ts';
import { readCrontab } from '../../../src/text/crontab.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { HOUR, MINUTE, START, timeline } from '../../support/store/incident-timeline.ts';
import { noSummaryFacts } from '../../support/notify/plain-alerting.ts';

const DAY = 24 * HOUR;
const EMPTY = timeline().state;
const DOWN = causeOf('mail-unreachable', { subject: 'mx:25' });
const LOW = causeOf('tokens-running-out', { subject: 'fac-1', severity: 'warning' });
const EVERY_MINUTE = readCrontab('* * * * *', 'UTC');

function summaryNote(state: IncidentState, facts: Partial<SummaryFacts>, until = START): NoteNotification {
  const step = dueSummary(
    { ...state, summarizedUntil: START - 7 * DAY },
    EVERY_MINUTE,
    { now: until, timezone: 'UTC' },
    () => ({ ...noSummaryFacts(), ...facts }),
  );
  const [effect] = step?.effects ?? [];
  if (effect?.kind !== 'notify' || effect.notification.kind !== 'note') throw new Error('No summary is due');
  return effect.notification;
}

test('lists what is open, the gravest first, and has its tone', () => {
  const open = timeline().rounds(2, [LOW, DOWN]).state;
  const { tone, sections } = summaryNote(open, {});
  expect(sections.map(({ lines }) => lines.map((line) => /mx:25|fac-1/u.exec(line)?.[0]))).toEqual([
    ['mx:25', 'fac-1'],
  ]);
  expect([tone, summaryNote(timeline().rounds(2, [LOW]).state, {}).tone, summaryNote(EMPTY, {})]).toEqual([
    'critical',
    'warning',
    expect.objectContaining({ event: 'summary', tone: 'good', sections: [] }),
  ]);
});

test('lists silences that last', () => {
  const silence = { cause: null, subject: null, from: START, by: 'ada', comment: '' };
  const silences = [
    { ...silence, id: 'active', comment: 'active', until: START + HOUR },
    { ...silence, id: 'past', comment: 'past', until: START },
    { ...silence, id: 'planned', comment: 'planned', from: START + HOUR, until: START + 2 * HOUR },
  ];
  const lines = summaryNote({ ...EMPTY, silences }, {}).sections.map((section) => section.lines);
  expect(lines).toEqual([[expect.stringMatching(/active$/u)], [expect.stringMatching(/planned$/u)]]);
});

test.each([
  [99_876 * MINUTE, 124 * MINUTE, /^99\.8 %/u],
  [99_999, 1, /^99\.9 %/u],
  [DAY, 0, /^100 %/u],
  [0, 1, /^0 %/u],
  [0, 0, /^[^%]*$/u],
])('%d ms ready and %d ms not ready are told as %s', (ready, notReady, short) => {
  expect(summaryNote(EMPTY, { availability: { ready, notReady, unknown: 5 } }).short).toMatch(short);
});

test('counts nothing that is only noted', () => {
  const [over] = timeline().rounds(2, [DOWN]).rounds(2, []).state.incidents;
  const [noted] = timeline()
    .rounds(2, [causeOf('certificate-rotated', { severity: 'info' })])
    .rounds(2, []).state.incidents;
  if (over === undefined || noted === undefined) throw new Error('Two incidents were to end');
  const ended = [over, noted];
  const { short, sections } = summaryNote(timeline().rounds(2, [LOW]).state, { ended });
  expect(short).toMatch(/, 2 /u);
  expect(sections.map(({ lines }) => lines.length)).toEqual([1, 1]);
});

test('cuts long lists', () => {
  const tokensLeft = Array.from({ length: 40 }, (_, index) => ({ appliance: `fac-${String(index)}`, count: index }));
  const [tokens] = summaryNote(EMPTY, { tokensLeft }).sections;
  expect(tokens?.lines).toHaveLength(31);
  expect(tokens?.lines.at(-1)).toContain('10');
});

test('is told under the time that it ends with', () => {
  expect(summaryNote(EMPTY, {}).id).toBe('summary-1795525200000-a1b2c3d4e5');
  expect(summaryNote(EMPTY, {}, START + MINUTE).id).not.toBe(summaryNote(EMPTY, {}).id);
});
