import { expect, test } from 'vitest';
import { impactOf } from '../../../../src/engine/model.ts';

const UNKNOWN = { licenseActive: null, offlineSupported: null };

test.each([
  ['codes', /^Activation codes do not reach users by email\. .*\.$/u],
  ['push', /^Phones show no push notifications\. .*\.$/u],
  ['answers', /^Users may not be able to answer push notifications\. .*\.$/u],
  ['sms', /^Codes do not reach users by SMS\. .*\.$/u],
  ['fortigate', /^Tokens on a FortiGate cannot be activated\. .*\.$/u],
  ['cloud', /^Logins with FortiIdentity Cloud tokens may fail\.$/u],
  ['assignment', /^The licence server refuses this FortiAuthenticator, so .* be provisioned or activated\. .*\.$/u],
  ['tokens', /^New users cannot get a token if no free tokens are left\. .*\.$/u],
  ['blind', /^Activation may work, but .*\.$/u],
  ['none', /^None at the moment\.$/u],
] as const)('a fault of %s is told by what users feel', (kind, text) => {
  expect(impactOf(kind, UNKNOWN)).toMatch(text);
});

test.each([
  [
    'nothing is known',
    {},
    /^New tokens and licences cannot be activated\. .* With FortiAuthenticator 6\.6\.1 and later, .* offline if .*\.$/u,
  ],
  ['the licence is active', { licenseActive: true }, /^New tokens cannot be activated\. .*\.$/u],
  ['it is not', { licenseActive: false }, /^New tokens and licences cannot be activated\. .*\.$/u],
  [
    'users can activate offline',
    { offlineSupported: true },
    / keep working\. Users can still activate offline if offline provisioning is enabled .*\.$/u,
  ],
  ['they cannot', { offlineSupported: false }, / keep working\.$/u],
])('that tokens cannot be activated is told by what the unit allows: %s', (_, known, text) => {
  expect(impactOf('activation', { ...UNKNOWN, ...known })).toMatch(text);
});
