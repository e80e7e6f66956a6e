import { describe, expect, test } from 'vitest';
import { recognisePasted } from '../../../../src/sources/log/recognise.ts';
import { fixtureLines } from '../../../support/fixture-lines.ts';
import { shippedCatalogue } from '../../../support/signature-catalogue.ts';

const catalogue = await shippedCatalogue();

describe('recognisePasted', () => {
  test('knows every text of the catalogue', () => {
    for (const signature of catalogue.signatures) {
      const texts =
        signature.kind === 'message'
          ? signature.texts
          : [
              Object.entries(signature.fields)
                .map(([key, value]) => `${key}="${value}"`)
                .join(' '),
            ];
      for (const text of texts) {
        const line =
          signature.kind === 'message'
            ? text.replaceAll('*', ' something ')
            : `date=2026-11-24 time=10:00:00 ${text} policyid=1`;
        expect({ text, known: recognisePasted(catalogue, line) !== null }).toEqual({ text, known: true });
      }
    }
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
    { line: "token already activated, and seed won't be returned", id: 'seed-not-returned' },
    { line: 'activation error (token not exist in FortiGuard)', id: 'token-not-in-fortiguard' },
    { line: 'no valid token found', id: 'trial-import-refused' },
    { line: 'pushd error -3', id: 'push-failed' },
    { line: 'Product is not registered(21)', id: 'ftm-ha-serial-not-registered' },
  ])('knows "$line" as people paste it', ({ line, id }) => {
    expect(recognisePasted(catalogue, line)?.signature.id).toBe(id);
  });

  test('knows nothing of harmless lines', () => {
    const harmless = fixtureLines('fac-syslog-samples.txt').slice(0, 10);
    expect(harmless.filter((line) => recognisePasted(catalogue, line) !== null)).toEqual([]);
  });
});
