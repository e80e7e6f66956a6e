import { describe, expect, test } from 'vitest';
import { causeGroups, groupHeadline, verdictWords } from '../../../src/checks/verdict-words.ts';
import { causeOf, diagnosisOf } from '../../support/checks/diagnosis-of.ts';
import { PAGE_STATES } from '../../support/web/page-states.ts';

const note = causeOf('certificate-rotated', { severity: 'info' });
const own = causeOf('store-not-writable', { severity: 'warning' });
const warning = (subject: string) => causeOf('mail-unreachable', { severity: 'warning', subject });
const NOTHING_WORKS = verdictWords({ ready: 'not-ready', causes: [] }).text;
const intercepted = causeOf('tls-intercepted', { impact: `${NOTHING_WORKS}. Codes do.` });
// Breaks an earlier step of an activation.
const elsewhere = causeOf('license-on-other-unit', { impact: 'Some tokens fail. Others work.' });
const rejected = causeOf('mail-recipient-rejected', { impact: 'Mails fail. Tokens work.' });

describe('verdictWords()', () => {
  test.each([
    ['nothing', [], 'ready', 'Activation works'],
    ['a note, and trouble of ftm-watch itself', [note, own], 'ready', 'Activation works'],
    ['a warning', [warning('mx-1.example.org:25'), note], 'warning', 'Activation works, 1 warning'],
    [
      'two warnings',
      [warning('mx-1.example.org:25'), causeOf('clock-skewed', { severity: 'warning' })],
      'warning',
      'Activation works, 2 warnings',
    ],
    [
      'a warning about several servers',
      [warning('mx-1.example.org:25'), warning('mx-2.example.org:25')],
      'warning',
      'Activation works, 1 warning',
    ],
    ['a fault', [rejected], 'not-ready', 'Mails fail'],
    ['the worst impact of two', [elsewhere, intercepted], 'not-ready', `${NOTHING_WORKS}, 2 faults`],
  ] as const)('%s', (_, causes, look, text) => {
    expect(verdictWords(diagnosisOf(0, causes))).toMatchObject({ look, text });
  });

  test('nothing is claimed when nothing is known', () => {
    expect(verdictWords({ ready: 'unknown', causes: [] }).look).toBe('unknown');
    expect(verdictWords({ ready: 'not-ready', causes: [] }).look).toBe('not-ready');
  });
});

describe('causeGroups()', () => {
  test('equal causes of several servers are one, whatever their ports', () => {
    const { causes } = PAGE_STATES['24 services'].diagnosis ?? { causes: [] };
    const [group, ...others] = causeGroups(causes);
    expect([group?.length, others]).toEqual([24, []]);
    expect(group === undefined ? '' : groupHeadline(group)).toMatch(/^[A-Z].* to 24 servers /u);
  });

  test.each([
    ['kind', { kind: 'other' }],
    ['severity', { severity: 'critical' }],
    ['remedy', { remedySteps: [] }],
  ] as const)('another %s is another fault', (_, more) => {
    expect(causeGroups([warning('mx-1.example.org:25'), { ...warning('mx-2.example.org:25'), ...more }])).toHaveLength(
      2,
    );
  });

  test('severity comes first, then the step of an activation', () => {
    const causes = [
      causeOf('mail-unreachable'),
      warning('mx-1.example.org:25'),
      causeOf('tls-intercepted'),
      causeOf('license-on-other-unit'),
    ];
    expect(causeGroups(causes).map(([{ id }]) => id)).toEqual([
      'license-on-other-unit',
      'tls-intercepted',
      'mail-unreachable',
      'mail-unreachable',
    ]);
  });
});
