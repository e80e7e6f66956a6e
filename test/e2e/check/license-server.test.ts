import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createIdentity } from '../../../src/demo/lab/identity.ts';
import { answering, createCheckBench, httpResponse, HOST } from '../../support/process/check-bench.ts';
import type { CheckBench } from '../../support/process/check-bench.ts';
import {
  conclusionOf,
  evidenceOf,
  notReady,
  preconditionOf,
  READY,
  remedyOf,
  type Conclusion,
} from '../../support/process/check-result.ts';
import { createDnsServer, zone } from '../../support/network/dns-server.ts';
import { createPeerAtHello, createTlsPeer } from '../../support/network/tls-peer.ts';
import { freePort } from '../../support/network/free-port.ts';

/** A fatal TLS alert, handshake_failure (RFC 8446 §6). */
const HANDSHAKE_FAILURE = Buffer.from([21, 3, 3, 0, 2, 2, 40]);

const BLOCK_PAGE =
  'HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\n\r\n' +
  '<title>FortiGuard Intrusion Prevention - Access Blocked</title>';

let bench: CheckBench;

beforeAll(async () => {
  bench = await createCheckBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

describe('a licence server that is alive', () => {
  test.for(['pinned', 'fortinet'])('clean path under the profile %s', async (profile) => {
    await using server = await bench.licenseServer();
    const result = await bench.check(server.port, { trust: { profile, caFiles: ['authority.pem'] } });
    expect(conclusionOf(result)).toEqual(READY);
    expect(preconditionOf(result, 'license-server').state).toBe('ok');
    expect(result.site).toBe('test');
  });

  test.for(['TLSv1.2', 'TLSv1.3'] as const)('demands a client certificate with %s', async (version) => {
    const { leaf, intermediate, root } = bench.hierarchy;
    await using server = await createTlsPeer({
      chain: [leaf, intermediate],
      minVersion: version,
      maxVersion: version,
      requestCert: true,
      rejectUnauthorized: true,
      ca: root.pem,
      serve: answering(httpResponse('200 OK')),
    });
    const result = await bench.check(server.port);
    expect(conclusionOf(result)).toEqual(READY);
    expect(preconditionOf(result, 'tls-genuine').state).toBe('ok');
  });
});

describe('port', () => {
  test('refused', async () => {
    const result = await bench.check(await freePort());
    expect(conclusionOf(result)).toEqual(notReady('egress-blocked', 'tls-genuine', 'license-server'));
    expect(evidenceOf(result)).toContain('refused');
  });

  test.each<readonly [string, boolean, string]>([
    ['works', true, ' This affects 127.0.0.2, but not 127.0.0.1.'],
    ['is intercepted, so that it is no clean one', false, ''],
  ])('refused at one of two addresses, the other one %s', async (_, isGenuine, told) => {
    const names = (name: string, ...addresses: readonly string[]) =>
      [name, addresses.map((data) => ({ type: 'A', name, class: 'IN', ttl: 300, data }) as const)] as const;
    await using resolver = await createDnsServer(
      zone(Object.fromEntries([names(HOST, '127.0.0.1', '127.0.0.2'), names('control.example.test', '127.0.0.1')])),
    );
    const { leaf, intermediate } = bench.hierarchy;
    const company = await createIdentity({ name: 'C=DE, O=Contoso, CN=Contoso TLS Inspection', authority: true });
    const forged = await createIdentity({ name: `CN=${HOST}`, dnsNames: [HOST], issuer: company });
    await using server = await createTlsPeer({
      chain: isGenuine ? [leaf, intermediate] : [forged, company],
      serve: answering(() => httpResponse('404 Not Found')),
    });
    const { causes } = await bench.check(server.port, { resolvers: [`127.0.0.1:${String(resolver.port)}`] });
    const refused = causes.find(({ id }) => id === 'egress-partly-blocked');
    expect(refused?.summary).toBe(
      `Some addresses of ${HOST}:${String(server.port)} accept connections, but 127.0.0.2 does not.${told}`,
    );
  });
});

describe('TLS', () => {
  test('an expired certificate under the genuine key', async () => {
    const { intermediate } = bench.hierarchy;
    const [notBefore, notAfter] = [new Date('2024-01-01'), new Date('2025-01-01')];
    const expired = await createIdentity({
      name: `CN=${HOST}`,
      dnsNames: [HOST],
      issuer: intermediate,
      notBefore,
      notAfter,
    });
    await using server = await createTlsPeer({
      chain: [expired, intermediate],
      serve: answering(httpResponse('200 OK')),
    });
    const result = await bench.check(server.port);
    expect(conclusionOf(result)).toEqual(notReady('certificate-broken', 'license-server'));
    expect(evidenceOf(result)).toContain('2025-01-01');
    expect(result.causes[0]?.remedy[0]).toMatch(/^First check the clocks/u);
    expect(result.causes[0]?.summary).toMatch(
      /^The certificate of .+, issued under a trusted authority, has expired\.$/u,
    );
  });

  test('a key that is too short: no clock is blamed', async () => {
    const { intermediate } = bench.hierarchy;
    const weak = await createIdentity({
      name: `CN=${HOST}`,
      dnsNames: [HOST],
      issuer: intermediate,
      key: 'RSA-1024',
    });
    await using server = await createTlsPeer({
      chain: [weak, intermediate],
      ciphers: 'DEFAULT:@SECLEVEL=0',
      serve: answering(() => httpResponse('404 Not Found')),
    });
    const result = await bench.check(server.port);
    expect(conclusionOf(result)).toEqual(notReady('certificate-broken', 'license-server'));
    expect(evidenceOf(result)).toContain('too weak');
    expect(remedyOf(result)).not.toMatch(/clock/u);
    expect(remedyOf(result)).toContain('Check the certificate from another network');
  });

  test.each<readonly [string, string, readonly string[], Conclusion]>([
    [
      "of another server of the vendor's",
      'O=Fortinet, OU=FortiGuard, CN=update.fortinet.com',
      ['update.fortinet.com'],
      notReady('certificate-broken', 'license-server'),
    ],
    [
      'of a unit',
      'O=Fortinet, OU=FortiGate, CN=FG3K4ETB19900078',
      [],
      notReady('tls-interception-suspected', 'license-server'),
    ],
  ])('a certificate %s under the genuine key', async (_, name, dnsNames, expected) => {
    const { intermediate } = bench.hierarchy;
    const other = await createIdentity({ name, dnsNames, issuer: intermediate });
    await using server = await createTlsPeer({
      chain: [other, intermediate],
      serve: answering(() => httpResponse('404 Not Found')),
    });
    const result = await bench.check(server.port, { trust: { profile: 'fortinet', caFiles: ['authority.pem'] } });
    expect(conclusionOf(result)).toEqual(expected);
    expect(result.causes).toMatchObject([
      { confidence: 'suspected', product: dnsNames.length === 0 ? 'Fortinet FortiGate' : null },
    ]);
  });

  test('reset at the hello', async () => {
    await using server = await createPeerAtHello((socket) => socket.resetAndDestroy());
    const result = await bench.check(server.port);
    expect(conclusionOf(result)).toEqual(notReady('tls-blocked', 'license-server'));
    expect(evidenceOf(result)).toMatch(/reset/iu);
  });

  test('a block page in plain text', async () => {
    await using server = await createPeerAtHello((socket) => socket.end(BLOCK_PAGE));
    const result = await bench.check(server.port);
    expect(conclusionOf(result)).toEqual(notReady('tls-blocked', 'license-server'));
    expect(result.causes[0]?.product).toBe('Fortinet FortiGate');
  });

  test('an alert at the hello', async () => {
    await using server = await createPeerAtHello((socket) => socket.end(HANDSHAKE_FAILURE));
    const result = await bench.check(server.port);
    expect(conclusionOf(result)).toEqual(notReady('tls-blocked', 'license-server'));
    expect(evidenceOf(result)).toContain('handshake_failure');
  });
});

test('a block page within genuine TLS is told with its product, and may be of either side', async () => {
  await using server = await bench.licenseServer(answering(BLOCK_PAGE));
  const result = await bench.check(server.port);
  expect(conclusionOf(result)).toEqual({ ...notReady('license-server-down'), causes: ['critical tls-blocked'] });
  expect(result.causes).toMatchObject([
    { product: 'Fortinet FortiGate', confidence: 'suspected', precondition: 'license-server' },
  ]);
  expect(result.causes[0]?.summary).toMatch(/ return a block page from Fortinet FortiGate over TLS\.$/u);
});

describe('a block page of a product that only the configuration knows', () => {
  const products = `products: [{ id: acme, name: Acme Gateway, pages: [Acme policy \\d+ denies], mentions: [Acme] }]`;
  const page = (text: string): string => `HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\n\r\n<h1>${text}</h1>`;
  const trust = { profile: 'pinned', caFiles: ['authority.pem'], productFiles: ['products.yaml'] };
  beforeAll(() => writeFile(join(bench.folder, 'products.yaml'), products));

  test('within genuine TLS', async () => {
    await using server = await bench.licenseServer(answering(page('Acme policy 12 denies this site')));
    const result = await bench.check(server.port, { trust });
    expect(conclusionOf(result)).toEqual({ ...notReady('license-server-down'), causes: ['critical tls-blocked'] });
    expect(result.causes).toMatchObject([{ product: 'Acme Gateway', precondition: 'license-server' }]);
    expect(evidenceOf(result)).toContain('Acme policy 12 denies');
  });

  test('in plain text, by its name alone', async () => {
    await using server = await createPeerAtHello((socket) => socket.end(page('Acme')));
    const result = await bench.check(server.port, { trust });
    expect(conclusionOf(result)).toEqual(notReady('tls-blocked', 'license-server'));
    expect(result.causes[0]?.product).toBe('Acme Gateway');
  });

  test('is not what a server sends that only mentions the product', async () => {
    await using server = await bench.licenseServer(answering(page('Works with Acme')));
    expect(conclusionOf(await bench.check(server.port, { trust }))).toEqual(READY);
  });
});

test('HTTP status 503', async () => {
  await using server = await bench.licenseServer(answering(httpResponse('503 Service Unavailable')));
  const result = await bench.check(server.port);
  expect(conclusionOf(result)).toEqual(notReady('license-server-down'));
  expect(evidenceOf(result)).toContain('503');
});

// These tests only wait, so they run concurrently and take no longer than one of them.
describe.concurrent('silence', () => {
  test('at the hello', async () => {
    await using server = await createPeerAtHello(() => {});
    const result = await bench.check(server.port);
    expect(conclusionOf(result)).toEqual(notReady('tls-blocked', 'license-server'));
    expect(evidenceOf(result)).toContain('The TLS hello was not answered');
  });

  test('at the hello, after some bytes: an answer that is not finished', async () => {
    await using server = await createPeerAtHello((socket) => {
      socket.on('error', () => undefined);
      socket.write(Buffer.from([0x16, 0x03, 0x03, 0x40, 0x00, 0x02, 0x00, 0x3f, 0xfc]));
      const trickle = setInterval(() => socket.write('x'), 500);
      socket.once('close', () => clearInterval(trickle));
    });
    const result = await bench.check(server.port);
    expect(conclusionOf(result)).toEqual(notReady('tls-blocked', 'license-server'));
    expect(evidenceOf(result)).toMatch(
      /The answer to the TLS hello was not complete after 4\.?\d* s \(\d+ bytes received\)\./u,
    );
    expect(evidenceOf(result)).not.toContain('No answer');
  });

  test('to the HTTP request', async () => {
    await using server = await bench.licenseServer(() => {});
    const result = await bench.check(server.port);
    expect(conclusionOf(result)).toEqual(notReady('license-server-down'));
    expect(evidenceOf(result)).toContain('no answer within 4 s');
  });
});
