import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chooseProbe } from '../../../src/runtime/probe-on-demand.ts';
import { hashPassword } from '../../../src/web/password-hash.ts';
import { configOf } from '../../support/config/config-of.ts';
import { corpus } from '../../support/security/corpus.ts';
import { actingTexts, mutated, mutatedJson } from '../../support/security/fuzz.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { ACCOUNT_LOGIN, startWeb, type WebBench } from '../../support/web/web-bench.ts';
import { samples } from '../../support/random/samples.ts';

const USERS = [{ name: 'ops', passwordHash: { kind: 'env', name: 'OPS_HASH' }, role: 'change' }] as const;
const config = await configOf(
  'licenseServer: { host: license.example.test, expectedAddresses: [192.0.2.0/24] }\n' +
    'controlHosts: [www.example.test:443]\n',
);

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Sends a header and a query that no well-meaning client would send; null: they cannot be sent. */
async function send(
  web: WebBench,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  body = '',
): Promise<Answer | null> {
  try {
    const asked = request({ port: web.port, path, headers, method: body === '' ? 'GET' : 'POST', agent: false });
    const arrived = once(asked, 'response');
    asked.end(body);
    const [response] = (await arrived) as [IncomingMessage];
    let text = '';
    for await (const chunk of response) text += String(chunk);
    return { status: response.statusCode ?? 0, body: text };
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

/** Returns bytes in a form that a header field and a request line can carry. */
function sendable(bytes: Buffer): string {
  return bytes.toString('latin1').replaceAll(/[\p{Cc}]/gu, '');
}

describe('a client that sends anything', () => {
  test('as its login: gets in with the right one only, and harms nobody', async () => {
    const env = { OPS_HASH: await hashPassword('secret', { ln: 4, r: 8, p: 1 }) };
    await using web = await startWeb({ config: { users: USERS }, env });
    const seeds = corpus('authorization').map(({ bytes }) => bytes);

    let answered = 0;
    await fc.assert(
      fc.asyncProperty(mutated(seeds, ['Basic ', 'Og==']), async (bytes) => {
        const authorization = sendable(bytes).slice(0, 4_000);
        const answer = await send(web, '/api/v1/incidents', { authorization });
        const isRight =
          Buffer.from(authorization.trim().split(/\s+/u)[1] ?? '', 'base64').toString('utf8') === 'ops:secret';
        if (answer === null) return;
        answered += 1;
        expect([400, 401, 429, ...(isRight ? [200] : [])]).toContain(answer.status);
      }),
      { numRuns: samples(20) },
    );
    expect(answered).toBeGreaterThan(samples(20) / 2);
    expect(web.log.filter((line) => line.includes('"level":50'))).toEqual([]);
  });

  test('as the query of a probe: is told what is wrong', async () => {
    await using web = await startWeb({
      state: {
        probe: ({ target, module }) => {
          const choice = chooseProbe(config, target, module);
          return Promise.resolve(
            choice.kind === 'malformed' || choice.kind === 'forbidden' ? choice : { kind: 'busy' },
          );
        },
      },
    });
    const seeds = corpus('probe-query').map(({ bytes }) => bytes);

    let answered = 0;
    await fc.assert(
      fc.asyncProperty(mutated(seeds, ['%00', '%0d%0a', '&target=', '&module=', '[::1]', '@']), async (bytes) => {
        const answer = await send(web, `/probe?${sendable(bytes).replaceAll(' ', '+').slice(0, 4_000)}`);
        if (answer === null) return;
        answered += 1;
        expect([400, 403, 503]).toContain(answer.status);
        expect(actingTexts(answer.body, true)).toEqual([]);
      }),
      { numRuns: samples(20) },
    );
    expect(answered).toBeGreaterThan(samples(20) / 2);
    expect(web.log.filter((line) => line.includes('"level":50'))).toEqual([]);
  });

  test('as a silence: is told what is wrong, in JSON', async () => {
    const clock = handClock(Date.now());
    await using web = await startWeb({ account: 'ops', clock });
    const seeds = corpus('json-silence').map(({ bytes }) => bytes);

    let answered = 0;
    await fc.assert(
      fc.asyncProperty(fc.oneof(mutated(seeds), mutatedJson(seeds)), async (bytes) => {
        // An account may make only some changes a minute.
        clock.advance(60_000);
        web.state.silences = [];
        const body = bytes.toString('utf8').slice(0, 1_000) || ' ';
        const headers = {
          'content-type': 'application/json',
          'content-length': String(Buffer.byteLength(body)),
          ...ACCOUNT_LOGIN,
        };
        const answer = await send(web, '/api/v1/silences', headers, body);
        if (answer === null) return;
        answered += 1;
        expect([201, 400]).toContain(answer.status);
        expect(actingTexts(JSON.parse(answer.body))).toEqual([]);
      }),
      { numRuns: samples(20) },
    );
    expect(answered).toBeGreaterThan(samples(20) / 2);
    expect(web.log.filter((line) => line.includes('"level":50'))).toEqual([]);
  });
});

describe('a target that the configuration does not name', () => {
  const spellings = [
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    '0.0.0.0',
    '[::1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[64:ff9b::7f00:1]',
    '169.254.169.254',
    'metadata.google.internal',
    'localhost',
    'license.example.test.evil.example',
    'evil.example#license.example.test',
    'evil.example@license.example.test',
    'license.example.test@evil.example',
    'license.example.test%00.evil.example',
    'license.example.test\0',
    'license.example.test/../evil',
    'http://license.example.test',
    'file:///etc/passwd',
    'license.example.test:22',
    'license.example.test:443:25',
    'license.example.test:0',
    'license.example.test:65979',
    'ｌicense.example.test',
    '',
    ' ',
  ];

  test.each(
    spellings.flatMap((target) =>
      (['tcp', 'tls', 'http', 'smtp', 'dns'] as const).map((module) => [target, module] as const),
    ),
  )('%j is never looked at by %s', (target, module) => {
    const choice = chooseProbe(config, target, module);
    // A resolver ignores the port of a name.
    const isName = module === 'dns' && /^license\.example\.test(?::\d+)?$/u.test(target);
    expect(choice.kind === 'forbidden' || choice.kind === 'malformed' || isName).toBe(true);
  });

  test('whatever is asked for, only what the configuration names is looked at', () => {
    const known = ['license.example.test:443', 'www.example.test:443'];
    fc.assert(
      fc.property(
        mutated([Buffer.from('license.example.test:443'), Buffer.from('www.example.test')]),
        fc.constantFrom('tcp', 'tls', 'http', 'smtp', 'dns'),
        (bytes, module) => {
          const choice = chooseProbe(config, bytes.toString('utf8'), module);
          const looked =
            choice.kind === 'path' || choice.kind === 'name'
              ? [`${choice.target.host}:${String(choice.target.port)}`]
              : [];
          expect(looked.filter((target) => !known.includes(target))).toEqual([]);
          expect(choice.kind).not.toBe('mail');
          expect(actingTexts('problem' in choice ? choice.problem : null)).toEqual([]);
        },
      ),
      { numRuns: samples(100) },
    );
  });
});
