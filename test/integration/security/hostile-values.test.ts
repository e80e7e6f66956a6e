import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chooseProbe } from '../../../src/runtime/probe-on-demand.ts';
import { configOf } from '../../support/config/config-of.ts';
import { corpus } from '../../support/security/corpus.ts';
import { actingTexts, mutated, mutatedJson } from '../../support/security/fuzz.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { ACCOUNT_LOGIN, startWeb, type WebBench } from '../../support/web/web-bench.ts';
import { samples } from '../../support/random/samples.ts';

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

/** Sends what it is given in many ways, and reads each answer. Nothing is logged as an error. */
async function sendMany(
  web: WebBench,
  inputs: fc.Arbitrary<Buffer>,
  ask: (bytes: Buffer) => Promise<Answer | null>,
  read: (answer: Answer, bytes: Buffer) => void,
): Promise<void> {
  let answered = 0;
  await fc.assert(
    fc.asyncProperty(inputs, async (bytes) => {
      const answer = await ask(bytes);
      if (answer === null) return;
      answered += 1;
      read(answer, bytes);
    }),
    { numRuns: samples(20) },
  );
  expect(answered).toBeGreaterThan(samples(20) / 2);
  expect(web.log.filter((line) => line.includes('"level":50'))).toEqual([]);
}

function seedsOf(name: Parameters<typeof corpus>[0]): readonly Buffer[] {
  return corpus(name).map(({ bytes }) => bytes);
}

describe('a client that sends anything', () => {
  test('as its login: gets in with the right one only, and harms nobody', async () => {
    const passwordHash = { kind: 'env', name: 'PASSWORD_HASH' } as const;
    // The login in the corpus.
    await using web = await startWeb({ config: { users: [{ name: 'ops', passwordHash, role: 'change' }] } });
    const loginIn = (bytes: Buffer): string => sendable(bytes).slice(0, 4_000);
    await sendMany(
      web,
      mutated(seedsOf('authorization'), ['Basic ', 'Og==']),
      (bytes) => send(web, '/api/v1/incidents', { authorization: loginIn(bytes) }),
      ({ status }, bytes) => {
        const sent = Buffer.from(loginIn(bytes).trim().split(/\s+/u)[1] ?? '', 'base64').toString('utf8');
        const isRight = sent === 'ops:secret';
        expect([400, 401, 429, ...(isRight ? [200] : [])]).toContain(status);
      },
    );
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
    await sendMany(
      web,
      mutated(seedsOf('probe-query'), ['%00', '%0d%0a', '&target=', '&module=', '[::1]', '@']),
      (bytes) => send(web, `/probe?${sendable(bytes).replaceAll(' ', '+').slice(0, 4_000)}`),
      ({ status, body }) => {
        expect([400, 403, 503]).toContain(status);
        expect(actingTexts(body, true)).toEqual([]);
      },
    );
  });

  test('as a silence: is told what is wrong, in JSON', async () => {
    const clock = handClock(Date.now());
    await using web = await startWeb({ account: 'ops', clock });
    const seeds = seedsOf('json-silence');
    await sendMany(
      web,
      fc.oneof(mutated(seeds), mutatedJson(seeds)),
      (bytes) => {
        // An account may make only some changes a minute.
        clock.advance(60_000);
        web.state.silences = [];
        const body = bytes.toString('utf8').slice(0, 1_000) || ' ';
        const length = String(Buffer.byteLength(body));
        const headers = { 'content-type': 'application/json', 'content-length': length, ...ACCOUNT_LOGIN };
        return send(web, '/api/v1/silences', headers, body);
      },
      ({ status, body }) => {
        expect([201, 400]).toContain(status);
        expect(actingTexts(JSON.parse(body))).toEqual([]);
      },
    );
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
