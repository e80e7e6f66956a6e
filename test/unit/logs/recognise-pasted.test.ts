import { describe, expect, test } from 'vitest';
import { recognisePasted } from '../../../src/logs/reader.ts';
import { fixtureLines } from '../../support/logs/fixture-lines.ts';
import { shippedCatalogue } from '../../support/logs/signature-catalogue.ts';

const catalogue = await shippedCatalogue();

describe('recognisePasted', () => {
  test('knows every signature of a firewall', () => {
    const lines = catalogue.signatures.flatMap((signature) =>
      signature.kind === 'firewall'
        ? [Object.entries(signature.fields).map(([key, value]) => `${key}="${value}"`)]
        : [],
    );
    expect(lines.length).toBeGreaterThan(2);
    const pasted = lines.map((fields) => `date=2026-11-24 time=10:00:00 ${fields.join(' ')} policyid=1`);
    expect(pasted.filter((line) => recognisePasted(catalogue, line) === null)).toEqual([]);
  });

  test.each([
    { line: 'ftm POLLING   error: Problem with ssl comm layer', id: 'ftm-polling-ssl' },
    {
      line: 'my log says "FTM polling error: connection timeout: server connection failed"',
      id: 'ftm-polling-timeout',
    },
    { line: 'error_code 31 token does not belong to product', id: 'token-of-another-product' },
    {
      line: 'invalid server certificate: FortiToken Mobile cannot validate the server certificate',
      id: 'phone-refuses-certificate',
    },
    { line: 'forticare license expired', id: 'license-certificate-expired' },
    { line: 'license expired', id: 'license-certificate-expired' },
    { line: 'Error: License expired', id: 'license-certificate-expired' },
    { line: 'it says "license expired".', id: 'license-certificate-expired' },
    { line: 'FTM polling error: license expired', id: 'license-certificate-expired' },
    { line: 'No active token found', id: 'trial-token-stale' },
    { line: 'FTKMOB0000000001   0   provision timeout', id: 'provision-timeout' },
    { line: 'FTM provision error: connection timeout: SSL session failed', id: 'ftm-provision-timeout' },
    { line: 'pushd error -7', id: 'push-error' },
    {
      line: '192.0.2.7 is blocklisted by FortiGuard. This email from IP has been rejected.',
      id: 'mail-relay-blocklisted',
    },
    {
      line:
        'Unable to provision token FTKMOB0000000001: Unknown error. Your changes have been rolled back. ' +
        'Please try again later.',
      id: 'provision-rolled-back',
    },
    { line: "token already activated, and seed won't be returned", id: 'seed-not-returned' },
    { line: 'activation error (token not exist in FortiGuard)', id: 'token-not-in-fortiguard' },
    { line: 'no valid token found', id: 'trial-import-refused' },
    { line: 'pushd error -3', id: 'push-failed' },
    { line: 'Failed to send notification to user due to pushd error -32: no answer', id: 'push-error' },
    { line: 'pushd error -31', id: 'push-error' },
    { line: 'Product is not registered(21)', id: 'ftm-ha-serial-not-registered' },
  ])('knows "$line" as people paste it', ({ line, id }) => {
    expect(recognisePasted(catalogue, line)?.signature.id).toBe(id);
  });

  test('knows nothing of harmless lines', () => {
    const harmless = fixtureLines('fac-syslog-samples.txt').slice(0, 10);
    expect(harmless.flatMap((line) => recognisePasted(catalogue, line)?.signature.id ?? [])).toEqual([
      'authentication-successful',
    ]);
  });
});
