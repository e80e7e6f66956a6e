import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { createSecretFilter } from '../../../../src/core/visible-text.ts';
import { cleanJson, createHttpGetter, type HttpGetter } from '../../../../src/network/rest/json-exchange.ts';
import { connectorContext } from '../../../support/connectors/connector-context.ts';

const KEY = 'web-service/key"ä';
const filter = createSecretFilter([KEY]);

/** Escapes each character by its number, which JSON allows for any text. */
function escaped(text: string): string {
  return Array.from({ length: text.length }, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join(
    '',
  );
}

describe('cleanJson()', () => {
  it.each([
    ['raw', JSON.stringify(`a ${KEY} b`)],
    ['escaped', `"a ${escaped(KEY)} b"`],
    ['in base64', JSON.stringify(`a ${Buffer.from(KEY).toString('base64')} b`)],
    ['in base64, escaped', `"a ${escaped(Buffer.from(KEY).toString('base64'))} b"`],
  ])('takes a secret out, %s: as a text, in a list, in an object, and as a name', (_, json) => {
    const text = `{"a":${json},"b":[[${json},1]],"c":{"d":${json}},${json}:2,"e":null,"f":true}`;

    const cleaned = cleanJson(JSON.parse(text), filter);

    const said = 'a ‹secret› b';
    expect(cleaned).toEqual({ a: said, b: [[said, 1]], c: { d: said }, [said]: 2, e: null, f: true });
  });

  it('takes a secret out of what is nothing but a text', () => {
    expect(cleanJson(KEY, filter)).toBe('‹secret›');
  });

  it('leaves a list in its order, and a field that is named like a prototype a field', () => {
    const cleaned = cleanJson(JSON.parse(`["x",${JSON.stringify(KEY)},{"__proto__":"${escaped(KEY)}"}]`), filter);

    expect(JSON.stringify(cleaned)).toBe('["x","‹secret›",{"__proto__":"‹secret›"}]');
    expect(Object.hasOwn(Object.prototype, 'a')).toBe(false);
  });

  it('reaches what is nested 100,000 levels deep', () => {
    let found = cleanJson(JSON.parse(`${'['.repeat(100_000)}"${escaped(KEY)}"${']'.repeat(100_000)}`), filter);
    while (Array.isArray(found)) [found] = found as unknown[];

    expect(found).toBe('‹secret›');
  });
});

const SRC = join(import.meta.dirname, '../../../../src');

describe('HttpGetter', () => {
  it('can say a path, and no method or body', async () => {
    expectTypeOf<Parameters<HttpGetter['get']>>().toEqualTypeOf<[path: string]>();
    const options = { url: 'https://127.0.0.1', trust: { caFile: null, pin: null }, authorization: '', secrets: [] };
    await using http = await createHttpGetter(options, connectorContext());
    expect(Reflect.ownKeys(http)).toEqual(['hasConnected', 'get', Symbol.asyncDispose]);
  });

  it.each(['http://127.0.0.1', 'ftp://127.0.0.1', '127.0.0.1', ''])(
    'refuses %j: credentials go over TLS alone',
    async (url) => {
      const options = { url, trust: { caFile: null, pin: null }, authorization: '', secrets: [] };
      await expect(createHttpGetter(options, connectorContext())).rejects.toThrow('https://');
    },
  );
});

describe('what looks at the outside world', () => {
  it('uses POST only in the exchange itself, for registration, for other networks, and for DNS over HTTPS', async () => {
    const files = (await readdir(SRC, { recursive: true })).filter((file) =>
      /^(?:network|connectors|logs|round)\/.*\.ts$/u.test(file),
    );
    expect(files.length).toBeGreaterThan(40);
    const texts = await Promise.all(
      files.map(async (file) => [file, await readFile(join(SRC, file), 'utf8')] as const),
    );
    const posting = texts.filter(([, text]) => /'(?:POST|PUT|PATCH|DELETE)'/u.test(text)).map(([file]) => file);
    expect(posting.toSorted()).toEqual([
      'connectors/globalping.ts',
      'connectors/registration.ts',
      'network/dns/https.ts',
      'network/rest/json-exchange.ts',
    ]);
    const exchanging = texts.filter(([, text]) => text.includes('exchangeJson(')).map(([file]) => file);
    expect(exchanging.toSorted()).toEqual([
      'connectors/globalping.ts',
      'connectors/registration.ts',
      'network/rest/json-exchange.ts',
    ]);
  });
});
