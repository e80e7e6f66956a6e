import { expect, test } from 'vitest';
import { lookedAt } from '../../../src/checks/named-subjects.ts';

const isLookedAt = lookedAt(
  {
    licenseServer: { host: 'license.example', port: 443 },
    firewall: [{ source: '10.0.0.5' }],
    resolvers: ['192.0.2.1'],
  },
  { appliances: [{ seen: { licenses: ['FTM-1'] } }] },
);

test.each([
  'license.example',
  'license.example:443',
  '10.0.0.5 to license.example:443',
  '192.0.2.1, 10.0.0.5',
  'FTM-1',
  'internet',
  'the clock of ftm-watch',
  'clock of 192.0.2.1',
  'memory of 192.0.2.1',
  'users of 192.0.2.1',
  '192.0.2.1 itself',
])('is looked at: %s', (subject) => {
  expect(isLookedAt(subject)).toBe(true);
});

test.each([
  '',
  'mail.example:25',
  'license.example:8443',
  '10.0.0.6 to license.example:443',
  '192.0.2.1, 192.0.2.2',
  'FTM',
  'clock of fac-9',
  'fac-9 itself',
])('is not looked at: %s', (subject) => {
  expect(isLookedAt(subject)).toBe(false);
});
