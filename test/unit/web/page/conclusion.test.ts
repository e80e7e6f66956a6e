import { expect, test } from 'vitest';
import { conclusionOf } from '../../../../src/web/page/status-page.ts';
import type { PreconditionStatus } from '../../../../src/engine/model.ts';
import { causeOf, diagnosisOf } from '../../../support/checks/diagnosis-of.ts';

const READY = 'All configured checks pass.';
const warning = (subject: string) => causeOf('mail-unreachable', { severity: 'warning', subject });

test('not ready: the summary of the first cause, which is the gravest', () => {
  const diagnosis = diagnosisOf(0, [causeOf('tls-intercepted'), causeOf('mail-unreachable')]);
  expect(conclusionOf(diagnosis)).toBe('Summary of tls-intercepted');
  expect(conclusionOf({ ...diagnosis, causes: [] })).toBe('FortiToken Mobile activation does not work.');
});

test.each([
  [1, '1 precondition is'],
  [2, '2 preconditions are'],
] as const)('%d unknown', (count, words) => {
  const states = count === 1 ? ({ mail: 'unknown' } as const) : ({ mail: 'unknown', clock: 'unknown' } as const);
  const diagnosis = { ...diagnosisOf(0, [], states), ready: 'unknown' } as const;
  expect(conclusionOf(diagnosis)).toBe(`Some checks could not be evaluated: ${words} unknown. No faults are known.`);
});

test('ready: names the checks that are unknown and do not count', () => {
  const diagnosis = diagnosisOf(0, [], { clock: 'unknown', polling: 'unknown' });
  const preconditions = diagnosis.preconditions.map((status): PreconditionStatus => {
    if (status.state !== 'unknown') return status;
    return { ...status, isLeftOut: true, ...(status.id === 'polling' ? { waits: true } : {}) };
  });
  expect(conclusionOf({ ...diagnosis, ready: 'ready', preconditions })).toBe(
    `${READY} Unknown, but not required for activation: Clock.`,
  );
});

test('ready: warnings are counted, notes are not', () => {
  const note = causeOf('certificate-rotated', { severity: 'info' });
  expect(conclusionOf(diagnosisOf(0, [note]))).toBe(READY);
  expect(conclusionOf(diagnosisOf(0, [warning('a:25'), note]))).toBe(`${READY} One warning needs attention.`);
  expect(conclusionOf(diagnosisOf(0, [warning('a:25'), warning('b:25')]))).toBe(`${READY} 2 warnings need attention.`);
});
