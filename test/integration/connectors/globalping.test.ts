import { createServer, get } from 'node:https';
import { getCACertificates, rootCertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, describe, expect, test } from 'vitest';
import { type GlobalpingConfig, measureOutside, type OutsideContext } from '../../../src/connectors/globalping.ts';
import type { Clock } from '../../../src/core/clock.ts';
import { createIdentity } from '../../../src/demo/lab/identity.ts';
import { listening } from '../../../src/demo/lab/listening.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { connectorContext } from '../../support/connectors/connector-context.ts';
import {
  createGlobalping,
  FAILED,
  measurementResponse,
  OFFLINE,
  presents,
  reaches,
  resolves,
} from '../../support/network/globalping.ts';

const TARGET = { host: 'fortitokenmobile.fortinet.com', port: 443 };
const FINGERPRINT = '52:EC:FB:20:C4:64:3A:25:2F:F7:C5:BE:F0:4A:32:86:18:03:71:D8:F6:62:57:B6:B3:1B:68:14:82:B1:35:D5';

const api = await createGlobalping();
afterAll(() => api[Symbol.asyncDispose]());

function config(more: Partial<GlobalpingConfig> = {}): GlobalpingConfig {
  return { countries: ['DE', 'US'], probes: 5, token: null, url: api.url, ...more };
}

/** The pauses between two requests are 20 times shorter. */
const hurried: Clock = { ...systemClock, after: (delay, callback) => systemClock.after(delay / 20, callback) };

function context(more: Partial<OutsideContext> = {}): OutsideContext {
  return {
    ...connectorContext({ clock: hurried }),
    proxy: null,
    readSecret: () => Promise.reject(new Error('no secret')),
    ...more,
  };
}

describe('measureOutside()', () => {
  test('returns the certificates that probes received, and leaves out what proves nothing', async () => {
    const seen = presents({ fingerprint: FINGERPRINT, issuer: 'fortinet-subca2001' });
    api.seen({ http: [seen, seen, FAILED, OFFLINE, seen] });
    const outcome = await measureOutside('certificate', TARGET, config(), context());
    expect(outcome).toMatchObject({
      kind: 'measured',
      measurement: {
        results: [
          { asn: 3320, country: 'DE', fingerprint: FINGERPRINT, issuer: 'fortinet-subca2001' },
          { asn: 7922, country: 'US', fingerprint: FINGERPRINT },
          { asn: 3303, country: 'CH', fingerprint: FINGERPRINT },
        ],
        answer: { status: 'finished' },
      },
    });
  });

  test('counts a finished TCP measurement without any answer as not reached, and a failed one as nothing', async () => {
    api.seen({ ping: [reaches(3), reaches(0), FAILED] });
    const outcome = await measureOutside('reach', TARGET, config(), context());
    expect(outcome).toMatchObject({
      kind: 'measured',
      measurement: {
        results: [
          { asn: 3320, reached: true },
          { asn: 7922, reached: false },
        ],
      },
    });
  });

  test('returns the addresses that resolvers elsewhere answer', async () => {
    api.seen({ dns: [resolves('192.0.2.2', '192.0.2.1'), resolves()] });
    const outcome = await measureOutside('addresses', TARGET, config(), context());
    expect(outcome).toMatchObject({
      kind: 'measured',
      measurement: { results: [{ addresses: ['192.0.2.1', '192.0.2.2'] }, { addresses: [] }] },
    });
  });

  test('sends the public name, the port and the countries, and nothing else', async () => {
    const before = api.requests.length;
    for (const kind of ['certificate', 'reach', 'addresses'] as const)
      await measureOutside(kind, TARGET, config({ probes: 3, countries: [] }), context());
    const common = { target: TARGET.host, locations: [], limit: 3 };
    expect(api.requests.slice(before)).toEqual([
      {
        ...common,
        type: 'http',
        measurementOptions: { protocol: 'HTTPS', port: 443, request: { method: 'HEAD', path: '/' } },
      },
      { ...common, type: 'ping', measurementOptions: { protocol: 'TCP', port: 443, packets: 3 } },
      { ...common, type: 'dns', measurementOptions: { query: { type: 'A' } } },
    ]);
  });
});

describe('without a result', () => {
  afterAll(() => api.answer(null));

  function answerAll(body: string): void {
    api.answer(({ method }, response) =>
      response.writeHead(method === 'POST' ? 202 : 200, { 'content-type': 'application/json' }).end(body),
    );
  }

  test.each([
    ['a limit that ends', { 'retry-after': '90' }, 90_000],
    ['a limit without a time', {}, null],
  ])('%s', async (_, headers, retryAfter) => {
    api.answer((_request, response) => {
      response.writeHead(429, { 'content-type': 'application/json', ...headers }).end('{"error":{}}');
    });
    const outcome = await measureOutside('reach', TARGET, config(), context());
    expect(outcome).toMatchObject({ kind: 'unavailable', retryAfter });
  });

  const item = { probe: { asn: 1, network: 'n', country: 'DE' }, result: { status: 'finished' } };
  test.each([
    ['1 MB', JSON.stringify({ id: 'a', status: 'finished', results: [], more: 'x'.repeat(1_100_000) })],
    ['no JSON', '<html>'],
    ['wrong types', JSON.stringify({ id: 'a', status: 'finished', results: [{ probe: { asn: '1' } }] })],
    ['too many results', JSON.stringify({ id: 'a', status: 'finished', results: Array(51).fill(item) })],
    ['an id that is a path', JSON.stringify({ id: '../../v1/limits', status: 'finished', results: [] })],
    ['nothing', ''],
  ])('a hostile answer: %s', async (_, body) => {
    answerAll(body);
    expect(await measureOutside('reach', TARGET, config(), context())).toMatchObject({ kind: 'unavailable' });
  });

  test('names of networks are shown without control characters', async () => {
    const probe = { asn: 1, network: 'evil\u001B[2J\n', country: 'DE' };
    const result = { status: 'finished', stats: { total: 3, rcv: 3 } };
    const body = JSON.stringify({ id: 'a', status: 'finished', results: [{ probe, result }] });
    answerAll(body);
    const outcome = await measureOutside('reach', TARGET, config(), context());
    const [seen] = outcome.kind === 'measured' ? outcome.measurement.results : [];
    expect(seen?.network).toMatch(/^evil/u);
    expect(seen?.network).not.toMatch(/\p{Cc}/u);
  });

  test('a relay that has a path', async () => {
    const paths: (string | undefined)[] = [];
    api.answer((request, response) => {
      paths.push(request.url);
      response.writeHead(503).end();
    });
    const outcome = await measureOutside('reach', TARGET, config({ url: `${api.url}/relay` }), context());
    expect(outcome).toMatchObject({ kind: 'unavailable', retryAfter: null });
    expect(paths).toEqual(['/relay/v1/measurements']);
  });

  test('a certificate that only this machine trusts', async () => {
    const { pem, keyPem } = await createIdentity({ name: 'CN=api', dnsNames: ['localhost'] });
    await using forged = await listening(createServer({ cert: pem, key: keyPem }, (_, response) => response.end('{}')));
    const url = `https://localhost:${String(forged.port)}`;
    const before = getCACertificates('default');
    setDefaultCACertificates([...rootCertificates, pem]);
    try {
      const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
      get(url, (response) => resolve(response.resume().statusCode)).on('error', reject);
      expect(await promise).toBe(200);
      const outcome = await measureOutside('reach', TARGET, config({ url }), context());
      expect(outcome).toMatchObject({ kind: 'unavailable', why: expect.stringContaining('certificate') });
    } finally {
      setDefaultCACertificates(before);
    }
  });
});

test("the simulated service's schema accepts the examples of the specification", () => {
  const place = { continent: 'AS', region: 'Eastern Asia', country: 'KR', state: null, city: 'Seoul' };
  const probe = {
    ...place,
    asn: 40_676,
    longitude: 126.98,
    latitude: 37.57,
    network: 'Psychz Networks',
    tags: ['datacenter-network'],
    resolvers: ['8.8.8.8', '8.8.4.4'],
  };
  const tls = {
    authorized: true,
    protocol: 'TLSv1.3',
    cipherName: 'TLS_AES_256_GCM_SHA384',
    createdAt: '2023-05-02T00:00:00.000Z',
    expiresAt: '2024-05-01T23:59:59.000Z',
    issuer: { C: 'US', O: 'Cloudflare, Inc.', CN: 'Cloudflare Inc ECC CA-3' },
    subject: { CN: 'sni.cloudflaressl.com', alt: 'DNS:cdn.jsdelivr.net, DNS:sni.cloudflaressl.com' },
    keyType: 'EC',
    keyBits: 256,
    serialNumber: '07:2D:BB:27:D4:67:BF:66:ED:70:DD:7B:A1:32:C6:22',
    fingerprint256: FINGERPRINT,
    publicKey: '04:32:0D:64',
  };
  const result = {
    status: 'finished',
    resolvedAddress: '104.16.88.20',
    headers: { server: 'cloudflare' },
    rawHeaders: 'Server: cloudflare',
    rawBody: null,
    rawOutput: 'HTTP/1.1 200',
    truncated: true,
    statusCode: 200,
    statusCodeName: 'OK',
    timings: { total: 325, download: 1, firstByte: 219, dns: 37, tls: 36, tcp: 32 },
    tls,
  };
  const example = {
    id: '9J2BCohDSuxoiaOD',
    type: 'http',
    status: 'finished',
    createdAt: '2023-07-14T18:34:05.161Z',
    updatedAt: '2023-07-14T18:34:06.310Z',
    target: 'cdn.jsdelivr.net',
    probesCount: 1,
    results: [{ probe, result }],
  };
  expect(measurementResponse.safeParse(example).error).toBeUndefined();
});
