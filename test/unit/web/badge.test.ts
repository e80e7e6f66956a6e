import { expect, test } from 'vitest';
import { badgeOf } from '../../../src/web/badge.ts';
import type { Diagnosis } from '../../../src/engine/model.ts';
import { causeOf, diagnosisOf } from '../../support/checks/diagnosis-of.ts';
import { MINUTE, START } from '../../support/store/incident-timeline.ts';

const READY = diagnosisOf(START, []);
const UNKNOWN: Diagnosis = { ...READY, ready: 'unknown' };

test.each([
  ['ready', READY, 0],
  ['ready', diagnosisOf(START, [causeOf('certificate-rotated', { severity: 'info' })], { 'tls-genuine': 'ok' }), 0],
  ['warning', diagnosisOf(START, [causeOf('mail-unreachable', { severity: 'warning' })]), 0],
  ['warning', diagnosisOf(START, [], { mail: 'warning' }), 0],
  ['not ready', diagnosisOf(START, [causeOf('tls-intercepted')]), 0],
  ['unknown', UNKNOWN, 0],
  ['unknown', null, 0],
  // The clock was set back.
  ['ready', READY, -60 * MINUTE],
  ['ready', READY, 10 * MINUTE],
  ['unknown', READY, 10 * MINUTE + 1],
  ['unknown', diagnosisOf(START, [causeOf('tls-intercepted')]), 24 * 60 * MINUTE],
] as const)('the badge says "%s"', (message, diagnosis, age) => {
  const badge = badgeOf({ site: () => 'hq', diagnosis: () => diagnosis }, START + age);
  expect(badge).toEqual({ label: 'FTM hq', message, look: message.replace(' ', '-') });
});
