import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Cause } from '../../../src/engine/model.ts';
import { createIdentity } from '../../../src/demo/lab/identity.ts';
import type { Identity } from '../../../src/demo/lab/identity.ts';
import { createDnsServer, zone } from '../../support/network/dns-server.ts';
import { freePort } from '../../support/network/free-port.ts';
import { createPeerAtHello, createTlsPeer, type Peer, type TlsPeerOptions } from '../../support/network/tls-peer.ts';
import { answering, createCheckBench, HOST, httpResponse, type Section } from '../../support/process/check-bench.ts';
import {
  conclusionOf,
  notReady,
  READY,
  readyWithWarning,
  remedyOf,
  type Conclusion,
} from '../../support/process/check-result.ts';

const bench = await createCheckBench();
afterAll(() => bench[Symbol.asyncDispose]());

/** A fatal TLS alert, handshake_failure (RFC 8446 §6). */
const HANDSHAKE_FAILURE = Buffer.from([21, 3, 3, 0, 2, 2, 40]);
const FORTINET = { trust: { profile: 'fortinet', caFiles: ['authority.pem'] } };
const OWN_PRODUCTS = { trust: { profile: 'pinned', caFiles: ['authority.pem'], productFiles: ['products.yaml'] } };

const BLOCKED = notReady('tls-blocked', 'license-server');
const BLOCKED_WITHIN = { ...notReady('license-server-down'), causes: ['critical tls-blocked'] };
const BROKEN = notReady('certificate-broken', 'license-server');

function blockPage(text: string): string {
  return `HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\n\r\n<title>${text}</title>`;
}
const FORTIGUARD = blockPage('FortiGuard Intrusion Prevention - Access Blocked');

const atHello = (serve: (socket: Socket) => unknown): Promise<Peer> =>
  createPeerAtHello((socket) => void serve(socket));

/** Signed by the bench's intermediate authority. */
function leaf(more: Partial<Parameters<typeof createIdentity>[0]> = {}): Promise<Identity> {
  const { intermediate: issuer } = bench.hierarchy;
  return createIdentity({ name: `CN=${HOST}`, dnsNames: [HOST], issuer, ...more });
}

async function serving(own: Identity | Promise<Identity>, options: Partial<TlsPeerOptions> = {}): Promise<Peer> {
  const chain = [await own, bench.hierarchy.intermediate] as const;
  return createTlsPeer({ chain, serve: answering(() => httpResponse('404 Not Found')), ...options });
}

interface Situation {
  readonly what: string;
  readonly server: () => Promise<Peer>;
  readonly more?: Section;
  readonly is: Conclusion;
  /** Of the first cause. */
  readonly cause?: Partial<Record<keyof Cause, unknown>>;
  /** Parts of the evidence. */
  readonly shows?: readonly (string | RegExp)[];
  /** What no remedy may name. */
  readonly never?: RegExp;
}

const { leaf: genuine, root } = bench.hierarchy;
const [notBefore, notAfter] = [new Date('2024-01-01'), new Date('2025-01-01')];

const SITUATIONS: readonly Situation[] = [
  ...(['pinned', 'fortinet'] as const).map((profile) => ({
    what: `is clean under the profile ${profile}`,
    server: () => bench.licenseServer(),
    more: { trust: { profile, caFiles: ['authority.pem'] } },
    is: READY,
  })),
  ...(['TLSv1.2', 'TLSv1.3'] as const).map((version) => ({
    what: `demands a client certificate with ${version}`,
    server: () =>
      serving(genuine, {
        minVersion: version,
        maxVersion: version,
        requestCert: true,
        rejectUnauthorized: true,
        ca: root.pem,
      }),
    is: READY,
  })),
  {
    what: 'refuses connections',
    server: async () => ({ port: await freePort(), seen: 0, open: 0, [Symbol.asyncDispose]: () => Promise.resolve() }),
    is: notReady('egress-blocked', 'tls-genuine', 'license-server'),
    shows: ['refused'],
  },
  {
    what: 'has an expired certificate under the genuine key',
    server: () => serving(leaf({ notBefore, notAfter })),
    is: BROKEN,
    shows: ['2025-01-01'],
  },
  {
    what: 'has a key that is too short: no clock is blamed',
    server: () => serving(leaf({ key: 'RSA-1024' }), { ciphers: 'DEFAULT:@SECLEVEL=0' }),
    is: BROKEN,
    shows: ['too weak'],
    never: /clock/u,
  },
  {
    what: "has a certificate of another server of the vendor's",
    server: () =>
      serving(leaf({ name: 'O=Fortinet, OU=FortiGuard, CN=update.fortinet.com', dnsNames: ['update.fortinet.com'] })),
    more: FORTINET,
    is: BROKEN,
    cause: { confidence: 'suspected', product: null },
  },
  {
    what: 'has a certificate of a unit under the genuine key',
    server: () => serving(leaf({ name: 'O=Fortinet, OU=FortiGate, CN=FG3K4ETB19900078', dnsNames: [] })),
    more: FORTINET,
    is: notReady('tls-interception-suspected', 'license-server'),
    cause: { confidence: 'suspected', product: 'Fortinet FortiGate' },
  },
  {
    what: 'resets at the hello',
    server: () => atHello((socket) => socket.resetAndDestroy()),
    is: BLOCKED,
    shows: [/reset/iu],
  },
  {
    what: 'sends a block page in plain text',
    server: () => atHello((socket) => socket.end(FORTIGUARD)),
    is: BLOCKED,
    cause: { product: 'Fortinet FortiGate' },
  },
  {
    what: 'sends an alert at the hello',
    server: () => atHello((socket) => socket.end(HANDSHAKE_FAILURE)),
    is: BLOCKED,
    shows: ['handshake_failure'],
  },
  {
    what: 'sends a block page within genuine TLS, which may be of either side',
    server: () => bench.licenseServer(answering(FORTIGUARD)),
    is: BLOCKED_WITHIN,
    cause: { product: 'Fortinet FortiGate', confidence: 'suspected', precondition: 'license-server' },
  },
  {
    what: 'sends a block page of a product that only the configuration knows',
    server: () => bench.licenseServer(answering(blockPage('Acme policy 12 denies this site'))),
    more: OWN_PRODUCTS,
    is: BLOCKED_WITHIN,
    cause: { product: 'Acme Gateway', precondition: 'license-server' },
    shows: ['Acme policy 12 denies'],
  },
  {
    what: 'sends such a block page in plain text, with the name alone',
    server: () => atHello((socket) => socket.end(blockPage('Acme'))),
    more: OWN_PRODUCTS,
    is: BLOCKED,
    cause: { product: 'Acme Gateway' },
  },
  {
    what: 'only mentions the product',
    server: () => bench.licenseServer(answering(blockPage('Works with Acme'))),
    more: OWN_PRODUCTS,
    is: READY,
  },
  {
    what: 'answers with HTTP status 503',
    server: () => bench.licenseServer(answering(httpResponse('503 Service Unavailable'))),
    is: notReady('license-server-down'),
    shows: ['503'],
  },
  { what: 'is silent at the hello', server: () => atHello(() => undefined), is: BLOCKED },
  {
    what: 'is silent at the hello after some bytes: an answer that is not finished',
    server: () =>
      atHello((socket) => {
        socket.on('error', () => undefined);
        socket.write(Buffer.from([0x16, 0x03, 0x03, 0x40, 0x00, 0x02, 0x00, 0x3f, 0xfc]));
        const trickle = setInterval(() => socket.write('x'), 500);
        socket.once('close', () => clearInterval(trickle));
      }),
    is: BLOCKED,
    shows: [/\(\d+ bytes received\)/u],
  },
  {
    what: 'is silent to the HTTP request',
    server: () => bench.licenseServer(() => undefined),
    is: notReady('license-server-down'),
  },
];

// Some of them only wait, so they run concurrently.
describe.concurrent('a licence server that', () => {
  beforeAll(() => {
    const products = `products: [{ id: acme, name: Acme Gateway, pages: ["Acme policy * denies"], mentions: [Acme] }]`;
    return writeFile(join(bench.folder, 'products.yaml'), products);
  });

  test.each(SITUATIONS)('$what', async ({ server: start, more, is, cause = {}, shows = [], never = /(?!)/u }) => {
    await using server = await start();
    const result = await bench.check(server.port, more);
    expect(conclusionOf(result)).toEqual(is);
    expect(result.causes[0] ?? {}).toMatchObject(cause);
    const evidence = result.causes.flatMap((one) => one.evidence).join('\n');
    for (const part of shows) expect(evidence).toMatch(part);
    expect(remedyOf(result)).not.toMatch(never);
  });

  test.each([
    { other: 'works', isGenuine: true },
    { other: 'is intercepted, so that it is no clean one', isGenuine: false },
  ])('refuses connections at one of two addresses, while the other one $other', async ({ isGenuine }) => {
    const names = (name: string, ...addresses: readonly string[]) =>
      [name, addresses.map((data) => ({ type: 'A', name, class: 'IN', ttl: 300, data }) as const)] as const;
    await using resolver = await createDnsServer(
      zone(Object.fromEntries([names(HOST, '127.0.0.1', '127.0.0.2'), names('control.example.test', '127.0.0.1')])),
    );
    const company = await createIdentity({ name: 'C=DE, O=Contoso, CN=Contoso TLS Inspection', authority: true });
    await using server = await (isGenuine
      ? bench.licenseServer()
      : serving(leaf(), { chain: [await leaf({ issuer: company }), company] }));
    const { causes } = await bench.check(server.port, { resolvers: [`127.0.0.1:${String(resolver.port)}`] });
    const refused = causes.find(({ id }) => id === 'egress-partly-blocked');
    expect(refused?.summary.includes('127.0.0.2')).toBe(true);
    expect(refused?.summary.includes('127.0.0.1')).toBe(isGenuine);
  });
});

test('a path length that is exceeded is no genuine chain', async () => {
  const short = await createIdentity({ name: 'CN=Short Root', authority: true, pathLength: 0 });
  const sub = await createIdentity({ name: 'CN=Sub', authority: true, issuer: short });
  await writeFile(join(bench.folder, 'short.pem'), short.pem);
  await using server = await serving(genuine, { chain: [await leaf({ issuer: sub }), sub], minVersion: 'TLSv1.3' });
  const result = await bench.check(server.port, { trust: { profile: 'fortinet', caFiles: ['short.pem'] } });
  expect(conclusionOf(result)).toEqual(readyWithWarning('certificate-broken'));
  expect(result.causes[0]?.evidence.join('\n')).toContain('PATH_LENGTH_EXCEEDED');
  // The check itself, and TLS 1.2.
  expect(server.seen).toBe(2);
});
