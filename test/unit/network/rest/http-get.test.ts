import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { createHttpGetter, type HttpGetter } from '../../../../src/network/rest/json-exchange.ts';
import { connectorContext } from '../../../support/connectors/connector-context.ts';

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
      await expect(createHttpGetter(options, connectorContext())).rejects.toThrow(
        'expected a URL that begins with "https://"',
      );
    },
  );
});

describe('what looks at the outside world', () => {
  it('uses POST only in the exchange itself, for the registration service, and for DNS over HTTPS', async () => {
    const files = (await readdir(SRC, { recursive: true })).filter((file) =>
      /^(?:network|connectors|logs|round)\/.*\.ts$/u.test(file),
    );
    expect(files.length).toBeGreaterThan(40);
    const texts = await Promise.all(
      files.map(async (file) => [file, await readFile(join(SRC, file), 'utf8')] as const),
    );
    const posting = texts.filter(([, text]) => /'(?:POST|PUT|PATCH|DELETE)'/u.test(text)).map(([file]) => file);
    expect(posting.toSorted()).toEqual([
      'connectors/registration.ts',
      'network/dns/https.ts',
      'network/rest/json-exchange.ts',
    ]);
    const exchanging = texts.filter(([, text]) => text.includes('exchangeJson(')).map(([file]) => file);
    expect(exchanging.toSorted()).toEqual(['connectors/registration.ts', 'network/rest/json-exchange.ts']);
  });
});
