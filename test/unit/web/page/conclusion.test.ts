import { expect, test } from 'vitest';
import { conclusionOf } from '../../../../src/web/page/status-page.ts';
import type { PreconditionStatus } from '../../../../src/engine/model.ts';
import { causeOf, diagnosisOf } from '../../../support/checks/diagnosis-of.ts';

const warning = (subject: string) => causeOf('mail-unreachable', { severity: 'warning', subject });

test('not ready: the summary of the first cause, which is the gravest', () => {
  const diagnosis = diagnosisOf(0, [causeOf('tls-intercepted'), causeOf('mail-unreachable')]);
  expect(conclusionOf(diagnosis)).toEqual({ kind: 'cause', text: 'Summary of tls-intercepted' });
  expect(conclusionOf({ ...diagnosis, causes: [] }).kind).toBe('no-cause');
});

test.each([
  [1, { mail: 'unknown' }],
  [2, { mail: 'unknown', clock: 'unknown' }],
] as const)('%d unknown', (count, states) => {
  const { kind, text } = conclusionOf({ ...diagnosisOf(0, [], states), ready: 'unknown' });
  expect([kind, /\d+/u.exec(text)?.[0]]).toEqual(['unknown', String(count)]);
});

test('ready: names the checks that are unknown and do not count', () => {
  const diagnosis = diagnosisOf(0, [], { clock: 'unknown', polling: 'unknown' });
  const preconditions = diagnosis.preconditions.map((status): PreconditionStatus => {
    if (status.state !== 'unknown') return status;
    return { ...status, isLeftOut: true, ...(status.id === 'polling' ? { waits: true } : {}) };
  });
  const { kind, text } = conclusionOf({ ...diagnosis, ready: 'ready', preconditions });
  expect(kind).toBe('ready');
  expect(text).toContain('Clock');
  expect(text).not.toContain('Polling');
});

test('ready: warnings are counted, notes are not', () => {
  const note = causeOf('certificate-rotated', { severity: 'info' });
  const two = conclusionOf(diagnosisOf(0, [warning('a:25'), warning('b:25')]));
  expect(conclusionOf(diagnosisOf(0, [note])).kind).toBe('ready');
  expect(conclusionOf(diagnosisOf(0, [warning('a:25'), note])).kind).toBe('warnings');
  expect([two.kind, /\d/u.exec(two.text)?.[0]]).toEqual(['warnings', '2']);
});
