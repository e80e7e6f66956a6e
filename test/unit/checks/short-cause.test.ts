import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CAUSE_IDS, type CauseId } from '../../../src/checks/registry.ts';
import { shortCause } from '../../../src/checks/headline.ts';
import { SEVERITIES } from '../../../src/core/severity.ts';
import { anyText } from '../../support/security/any-text.ts';
import { parseCatalogue } from '../../../src/system/catalogue-file.ts';
import { parseProducts } from '../../../src/trust/products.ts';

const SHIPPED = 'config/inspection-products.yaml';
const PRODUCTS = parseProducts(
  parseCatalogue(readFileSync(SHIPPED, 'utf8'), 'products', SHIPPED),
  SHIPPED,
).products.map(({ name }) => name);

test.each(CAUSE_IDS)('%s is short, and whole', (id) => {
  const texts = SEVERITIES.flatMap((severity) =>
    [null, ...PRODUCTS].map((product) => shortCause({ id, severity, product })),
  );
  expect(texts.filter(({ length }) => length > 32)).toEqual([]);
  for (const text of texts) expect(text).not.toMatch(/…|\{|fortinet\.com|\.$|^[^\p{L}]/u);
});

test.each<readonly [CauseId, string | null, string]>([
  ['tls-intercepted', 'Fortinet FortiGate', 'TLS intercepted by FortiGate'],
  ['tls-intercepted', 'Fortinet device', 'a Fortinet device intercepts TLS'],
  ['tls-intercepted', 'Zscaler', 'TLS intercepted by Zscaler'],
  ['tls-intercepted', 'Cato Networks', 'TLS intercepted by Cato Networks'],
  ['tls-interception-suspected', 'Cato Networks', 'TLS intercepted by Cato?'],
  ['tls-intercepted', 'Trend Micro InterScan Web Security', 'TLS intercepted by Trend Micro'],
  ['tls-intercepted', 'Unpronounceable-Gateway 5', 'TLS is intercepted'],
  ['tls-intercepted', 'A $& B', 'TLS intercepted by A $& B'],
  ['tls-intercepted', 'constructor', 'TLS intercepted by constructor'],
  ['tls-intercepted', null, 'TLS is intercepted'],
  ['tls-blocked', 'Zscaler', 'TLS is blocked'],
])('%s by %s is "%s"', (id, product, text) => {
  expect(shortCause({ id, severity: 'critical', product })).toBe(text);
});

test('a warning has a form of its own where it has another meaning', () => {
  expect(shortCause({ id: 'polling-failing', severity: 'warning', product: null })).toBe("warning in a unit's log");
  expect(shortCause({ id: 'polling-failing', severity: 'critical', product: null })).toBe(
    'FortiAuthenticator polling fails',
  );
});

test('a product of any name neither makes it longer nor hides anything in it', () => {
  fc.assert(
    fc.property(anyText(60), fc.constantFrom(...CAUSE_IDS), (product, id) => {
      const text = shortCause({ id, severity: 'critical', product });
      expect(text.length).toBeLessThanOrEqual(32);
      expect(text).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    }),
  );
});
