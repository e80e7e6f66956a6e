import { Hono } from 'hono';
import { expect, test } from 'vitest';
import { addBadgeRoutes } from '../../../src/web/badge.ts';
import type { WebEnv } from '../../../src/web/sources.ts';
import type { Diagnosis } from '../../../src/engine/model.ts';
import { causeOf, diagnosisOf } from '../../support/checks/diagnosis-of.ts';
import { MINUTE, START } from '../../support/store/incident-timeline.ts';

const READY = diagnosisOf(START, []);
const UNKNOWN: Diagnosis = { ...READY, ready: 'unknown' };

test.each([
  ['ready', READY, 0],
  ['ready', diagnosisOf(START, [causeOf('certificate-rotated', { severity: 'info' })], { 'tls-genuine': 'ok' }), 0],
  ['warning', diagnosisOf(START, [causeOf('mail-unreachable', { severity: 'warning' })]), 0],
  // As on the page, trouble of ftm-watch itself is no warning about activation.
  ['ready', diagnosisOf(START, [causeOf('store-not-writable', { severity: 'warning' })]), 0],
  ['not ready', diagnosisOf(START, [causeOf('tls-intercepted')]), 0],
  ['unknown', UNKNOWN, 0],
  ['unknown', null, 0],
  // The clock was set back.
  ['ready', READY, -60 * MINUTE],
  ['ready', READY, 10 * MINUTE],
  ['unknown', READY, 10 * MINUTE + 1],
  ['unknown', diagnosisOf(START, [causeOf('tls-intercepted')]), 24 * 60 * MINUTE],
] as const)('the badge says "%s"', async (message, diagnosis, age) => {
  const sources = { site: () => 'hq', diagnosis: () => diagnosis, knownFor: () => 10 * MINUTE };
  const routes = new Hono<WebEnv>();
  addBadgeRoutes(routes, { sources, clock: { now: () => START + age } });

  expect(await (await routes.request('/badge.json')).json()).toEqual({
    schemaVersion: 1,
    label: 'FTM hq',
    message,
    color: { ready: 'brightgreen', warning: 'yellow', 'not ready': 'red', unknown: 'lightgrey' }[message],
  });
  expect(await (await routes.request('/badge.svg')).text()).toContain(`aria-label="FTM hq: ${message}"`);
});
