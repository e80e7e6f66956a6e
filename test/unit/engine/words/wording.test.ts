import { describe, expect, test } from 'vitest';
import { fill, type WordingFacts } from '../../../../src/engine/remedy-words.ts';

const FACTS: WordingFacts = { subject: 'mail.example.org:25', host: 'server.test', port: '443' };

const filled = (text: string, facts: Partial<WordingFacts> = {}): string => fill(text, { ...FACTS, ...facts });

describe('fill()', () => {
  test('puts in what is known, as often as it is named', () => {
    expect(filled('{host}:{port} and {host} by {product}', { product: 'Squid' })).toBe(
      'server.test:443 and server.test by Squid',
    );
  });

  test('leaves a name that nobody knows as it stands', () => {
    expect(filled('{nonsense} {constructor} {Host}')).toBe('{nonsense} {constructor} {Host}');
  });

  test.each([
    ['{address} fail and {clean} works', 'its addresses fail and no other address works'],
    ['through {proxy}, by {resolver}', 'through the proxy, by the resolver'],
    [
      '{product} of {issuer}',
      'an inspecting device that is not in the product catalogue of an authority without a name',
    ],
    ['{appliance} {failing}', 'FortiAuthenticator does not answer'],
    ['{serial}', 'the serial number of this FortiAuthenticator'],
    ['{primary}, {holder}, {license}', 'the active unit, another unit, the licence'],
    ['{configured}, {found}', 'the configured value, a different value'],
    ['{firewall}, {policy}, {profile}', 'the firewall, the matching policy, its inspection profile'],
    ['{source}', 'FortiAuthenticator'],
    ['{security}', 'starttls'],
    ['{unclear}', 'a part of the path could not be checked'],
    ['{judgement}.', "The licence server's certificate is not valid."],
  ])('says %s in general words where nothing is known', (text, expected) => {
    expect(filled(text)).toContain(expected);
  });

  test('names an unknown device by its authority', () => {
    expect(filled('{product}', { issuer: 'Acme CA' })).toBe('"Acme CA", which is not in the product catalogue');
    expect(filled('{appliance}', { issuer: 'Acme CA' })).toBe('FortiAuthenticator');
  });
});

test.each<readonly [Partial<WordingFacts>, string]>([
  [{ address: '10.0.0.5' }, 'https://10.0.0.5'],
  [{}, 'the URL in appliances[].api.url'],
])('the interface of a unit with %j is %s', (facts, expected) => {
  expect(filled('{interface}', facts)).toBe(expected);
});
