import { describe, expect, test } from 'vitest';
import type { Diagnosis } from '../../../src/engine/model.ts';
import type { RoundResult } from '../../../src/report/report-contents.ts';
import { deservesAnotherRound } from '../../../src/runtime/monitor.ts';
import { causeOf, diagnosisOf } from '../../support/checks/diagnosis-of.ts';
import { round } from '../../support/checks/observed.ts';

const AT = Date.UTC(2026, 10, 24, 13);
const CRITICAL = causeOf('tls-intercepted');
const OTHER = causeOf('mail-unreachable', { subject: 'mail.test:25' });
const WARNING = causeOf('answer-unexpected', { severity: 'warning' });
const STALLED = { stalledMs: 5_000 };

function looked(diagnosis: Partial<Diagnosis> = {}, observed: Parameters<typeof round>[0] = {}): RoundResult {
  return {
    observations: round(observed),
    judged: { assessments: [], tls: [] },
    diagnosis: { ...diagnosisOf(AT, diagnosis.causes ?? []), ...diagnosis },
  };
}

describe('another look at once', () => {
  test.each<readonly [string, RoundResult | null, RoundResult, boolean]>([
    ['what is new and critical', looked(), looked({ causes: [CRITICAL] }), true],
    ['what the first round shows', null, looked({ causes: [CRITICAL] }), true],
    ['what is known', looked({ causes: [CRITICAL] }), looked({ causes: [CRITICAL] }), false],
    ['a warning', looked(), looked({ causes: [WARNING] }), false],
    ['what two witnesses agree on', looked(), looked({ causes: [CRITICAL], corroborated: [CRITICAL] }), false],
    [
      'what one of them alone tells, beside it',
      looked(),
      looked({ causes: [CRITICAL, OTHER], corroborated: [CRITICAL] }),
      true,
    ],
    ['a round in which this process stalled', looked(), looked({}, STALLED), true],
    ['one that stalled as the one before did', looked({}, STALLED), looked({}, STALLED), false],
  ])('is taken at %s, or not', (_, before, now, wanted) => {
    expect(deservesAnotherRound(before, now)).toBe(wanted);
  });
});
