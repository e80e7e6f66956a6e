import { describe, expect, test } from 'vitest';
import { type BlockPage, blockPageText, recogniseBlockPage, type TextPattern } from '../../../src/core/block-page.ts';
import { readableText } from '../../../src/network/tls/handshake.ts';
import { compileRegExp, loadProducts } from '../../../src/trust/products.ts';
import { fixtureLines } from '../../support/logs/fixture-lines.ts';
import { cpuMsOf } from '../../support/process/cpu-time.ts';

const products = await loadProducts([]);

function anywhere(source: string): TextPattern {
  return compileRegExp(source, 'anywhere');
}

function found(text: string, status: number | null = 403, location: string | null = null): BlockPage | null {
  return recogniseBlockPage({ status, location, text, words: readableText(Buffer.from(text)) }, products);
}

describe('recogniseBlockPage', () => {
  test.each(fixtureLines('block-pages.txt').map((entry) => entry.split(' | ')))('recognises %s: %s', (...page) => {
    const [product, text = ''] = page;
    expect(found(text)).toMatchObject({ kind: 'filter', product });
    expect(found(`HTTP/1.1 403 Forbidden ${text}`, null)).toMatchObject({ kind: 'filter', product });
  });

  test.each<readonly [string, number | null, string | null, string]>([
    ['the status made for it', 511, null, ''],
    ['a FortiGate portal', 303, 'https://fw.example:1003/fgtauth?0403abcd', ''],
    ['a portal by its name', 302, 'http://captive.example.test/login', ''],
    ['a private address', 302, 'http://10.0.0.1/', ''],
    ['a private IPv6 address', 302, 'http://[fd00::1]:8080/x', ''],
    ['plain text where TLS was expected', null, null, 'HTTP/1.1 302 Found Location: http://192.168.1.1/portal A: 0'],
  ])('recognises a captive portal by %s', (_, status, location, text) => {
    expect(found(text, status, location)).toMatchObject({ kind: 'portal', product: null });
  });

  test.each<readonly [string, number | null, string | null, string]>([
    ['an ordinary refusal', 403, null, '<h1>403 Forbidden</h1> Access is denied.'],
    [
      'a site that speaks of its products',
      200,
      null,
      'FortiGuard Intrusion Prevention Service. Zscaler. Cisco Umbrella. Sophos.',
    ],
    ['a redirect to another public host', 301, 'https://www.fortinet.com/', ''],
    ['a redirect to a public address', 302, 'https://173.243.138.84/', ''],
    ['a relative redirect', 302, '/login', ''],
    ['nothing', 204, null, ''],
    ['a banner', null, null, '220 mail.example.test ESMTP location: http://10.0.0.1/'],
  ])('takes %s for no block page', (_, status, location, text) => {
    expect(found(text, status, location)).toBeNull();
  });

  test.each([
    ['Powered by FortiGuard', 'Fortinet FortiGate', 'FortiGuard'],
    ['HTTP/1.1 400 Bad Request Server: squid/6.13', 'Squid', 'Server: squid'],
    ['HTTP/1.1 200 OK Access has been denied', null, 'Access has been denied'],
    ['HTTP/1.1 403 Forbidden: ask the Netskope team', 'Netskope', 'Netskope'],
  ])('takes a mention or a refusal for a page only where TLS was expected: %s', (text, product, quote) => {
    expect(found(text, null)).toEqual({ kind: 'filter', product, quote });
    expect(found(text)).toBeNull();
  });

  test.each([
    ['HTTP/1.1 302 Found Location: http://10.0.0.1/login', 'Location: http://10.0.0.1/login'],
    ['HTTP/1.1 307 See Location: https://fw.example:1003/fgtauth?0a', 'Location: https://fw.example:1003/fgtauth?0a'],
  ])('quotes by what a portal was recognised: %s', (text, quote) => {
    expect(found(text, null)).toEqual({ kind: 'portal', product: null, quote });
  });

  test('knows the products of an administrator, within TLS and instead of it', () => {
    const acme = {
      name: 'Acme',
      pages: ['blocked by acme', String.raw`Acme rule \d+`].map(anywhere),
      mentions: [anywhere('acme')],
    };
    const at = (status: number | null, text: string): BlockPage | null =>
      recogniseBlockPage({ status, location: null, text, words: readableText(Buffer.from(text)) }, [acme, ...products]);
    expect(at(200, '<p>Blocked by Acme</p>')).toMatchObject({ product: 'Acme', quote: 'Blocked by Acme' });
    expect(at(null, 'ACME says no')).toMatchObject({ product: 'Acme', quote: 'ACME' });
    expect(at(200, 'ACME says no')).toBeNull();
    // A pattern with a repetition is matched only against the words at the beginning. Others match the whole text.
    expect(at(403, '<b>Acme</b> <i>rule 12</i>')).toMatchObject({ quote: 'Acme rule 12' });
    expect(at(403, `${'x '.repeat(300)}Acme rule 12`)).toBeNull();
    expect(at(403, `${'x '.repeat(300)}blocked by Acme`)).toMatchObject({ product: 'Acme' });
    expect(at(403, '<img alt="blocked by Acme">')).toMatchObject({ product: 'Acme' });
  });

  test('quotes 100 printable characters at most', () => {
    const noisy = { name: 'Noisy', pages: [anywhere(String.raw`N[\s\S]{0,300}`)], mentions: [] };
    const text = `N\u0007${'o'.repeat(300)}`;
    const found = recogniseBlockPage({ status: 200, location: null, text, words: text }, [noisy]);
    expect(found?.quote).toBe(`N\\u{7}${'o'.repeat(93)}…`);
  });

  test.each([
    ['filter', null, 'a block page'],
    ['filter', 'Zscaler', 'a block page from Zscaler'],
    ['portal', null, 'a captive portal page'],
  ] as const)('is called by whose it is: %s of %s', (kind, product, text) => {
    expect(blockPageText({ kind, product, quote: '' })).toBe(text);
  });

  test('is quick on long hostile text', () => {
    const texts = ['SonicWall', 'Sophos', '<', 'location: '].map((text) => text.repeat(65_536 / text.length));
    expect(cpuMsOf(() => texts.forEach((text) => found(text)))).toBeLessThan(500);
  });
});
