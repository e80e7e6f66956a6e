import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createHierarchy } from '../../support/certificates/hierarchy.ts';
import { createIdentity, type Identity } from '../../../src/demo/lab/identity.ts';
import { answering, createCheckBench, HOST, httpResponse, type CheckBench } from '../../support/process/check-bench.ts';
import {
  conclusionOf,
  evidenceOf,
  preconditionOf,
  READY,
  readyWithWarning,
} from '../../support/process/check-result.ts';
import { createPeerAtHello, createTlsPeer, type Peer } from '../../support/network/tls-peer.ts';

let bench: CheckBench;
beforeAll(async () => {
  bench = await createCheckBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

type Chain = readonly [Identity, ...Identity[]];

/** The supported_versions extension (RFC 8446 §4.2.1), sent only by clients that offer TLS 1.3. */
const SUPPORTED_VERSIONS = Buffer.from([0x00, 0x2b, 0x00]);

/**
 * Serves one chain in TLS 1.3 and another in TLS 1.2, like a device that inspects only one of them. null: no TLS 1.2.
 */
async function byVersion(newer: Chain, older: Chain | null, run: (front: Peer) => Promise<void>): Promise<void> {
  const serve = answering(() => httpResponse('404 Not Found'));
  await using clean = await createTlsPeer({ chain: newer, minVersion: 'TLSv1.3', serve });
  await using inspected = await createTlsPeer({
    chain: older ?? newer,
    maxVersion: older === null ? 'TLSv1.3' : 'TLSv1.2',
    minVersion: older === null ? 'TLSv1.3' : 'TLSv1.2',
    serve,
  });
  await using front = await createPeerAtHello((socket, hello) => {
    const upstream = connect(hello.includes(SUPPORTED_VERSIONS) ? clean.port : inspected.port, '127.0.0.1');
    upstream.on('error', () => socket.destroy());
    upstream.write(hello);
    socket.pipe(upstream).pipe(socket);
  });
  await run(front);
}

/** Passes TLS 1.3 on, and calls `end` for the first connections of a client that offers at most TLS 1.2. */
async function ending(
  end: (socket: Socket) => void,
  times: number,
  run: (front: Peer, ended: () => number) => Promise<void>,
): Promise<void> {
  await using server = await bench.licenseServer();
  let ended = 0;
  await using front = await createPeerAtHello((socket, hello) => {
    if (ended < times && !hello.includes(SUPPORTED_VERSIONS)) {
      ended += 1;
      return end(socket);
    }
    const upstream = connect(server.port, '127.0.0.1');
    upstream.on('error', () => socket.destroy());
    upstream.write(hello);
    socket.pipe(upstream).pipe(socket);
  });
  await run(front, () => ended);
}

/** A fatal TLS alert, protocol_version (RFC 8446 §6). */
const PROTOCOL_VERSION = Buffer.from([21, 3, 3, 0, 2, 2, 70]);

describe('a licence server that speaks TLS 1.3, before which TLS 1.2 ends', () => {
  test.each<readonly [string, string, (socket: Socket) => void]>([
    ['with a reset', 'reset before a certificate was received', (socket) => socket.resetAndDestroy()],
    ['without a word', 'closed before a certificate was received', (socket) => socket.end()],
    ['in silence', 'the TLS hello was not answered', () => {}],
  ])('%s: a warning', async (_, words, end) => {
    await ending(end, Infinity, async (front) => {
      const result = await bench.check(front.port);
      expect(conclusionOf(result)).toEqual(readyWithWarning('tls-blocked'));
      expect(evidenceOf(result)).toContain('TLS 1.2 was blocked');
      expect(result.causes[0]?.summary).toContain(words);
      expect(result.causes[0]?.summary).toContain('TLS 1.3 worked.');
    });
  });

  test('by an alert of the server: nothing is wrong', async () => {
    const refuse = (socket: Socket): unknown => socket.end(PROTOCOL_VERSION);
    await ending(refuse, Infinity, async (front, ended) => {
      expect(conclusionOf(await bench.check(front.port))).toEqual(READY);
      expect(ended()).toBe(1);
    });
  });

  test('with one reset alone, and passes a moment later: nothing is wrong', async () => {
    const cut = (socket: Socket): unknown => socket.resetAndDestroy();
    await ending(cut, 1, async (front, ended) => {
      expect(conclusionOf(await bench.check(front.port))).toEqual(READY);
      expect(ended()).toBe(1);
    });
  });
});

describe('a licence server that speaks TLS 1.3', () => {
  test('and is inspected in TLS 1.2 alone', async () => {
    const { leaf, intermediate } = bench.hierarchy;
    const company = await createIdentity({ name: 'C=DE, O=Contoso, CN=Contoso TLS Inspection', authority: true });
    const forged = await createIdentity({ name: `CN=${HOST}`, dnsNames: [HOST], issuer: company });
    await byVersion([leaf, intermediate], [forged, company], async (front) => {
      const result = await bench.check(front.port, { trust: { profile: 'fortinet', caFiles: ['authority.pem'] } });
      expect(result.exitCode).toBe(1);
      expect(preconditionOf(result, 'tls-genuine').state).toBe('warning');
      // The genuine key in the other version is a witness, because no change at the server looks like that.
      expect(result.causes).toMatchObject([{ id: 'tls-intercepted', severity: 'warning', confidence: 'confirmed' }]);
      expect(evidenceOf(result)).toContain('TLS 1.2 was inspected');
      expect(result.causes[0]?.summary).toContain('Contoso');
    });
  });

  test.each([
    // The second connection uses TLS 1.2.
    ['the first is clean', '.xx.x.x.x.'],
    ['the first is inspected', 'x.x.x.x.x.'],
  ])('and is inspected on every second connection, whatever its version: %s', async (_, course) => {
    const { leaf, intermediate } = bench.hierarchy;
    const company = await createIdentity({ name: 'C=DE, O=Contoso, CN=Contoso TLS Inspection', authority: true });
    const forged = await createIdentity({ name: `CN=${HOST}`, dnsNames: [HOST], issuer: company });
    const serve = answering(() => httpResponse('404 Not Found'));
    await using clean = await createTlsPeer({ chain: [leaf, intermediate], serve });
    await using inspected = await createTlsPeer({ chain: [forged, company], serve });
    let count = 0;
    await using front = await createPeerAtHello((socket, hello) => {
      const isInspected = course.charAt(count % course.length) === 'x';
      count += 1;
      const upstream = connect(isInspected ? inspected.port : clean.port, '127.0.0.1');
      upstream.on('error', () => socket.destroy());
      upstream.write(hello);
      socket.pipe(upstream).pipe(socket);
    });
    const result = await bench.check(front.port, { trust: { profile: 'fortinet', caFiles: ['authority.pem'] } });
    expect(result.causes.map(({ id }) => id)).toEqual([expect.stringMatching(/^tls-interce/u)]);
    expect(result.exitCode).toBeGreaterThan(0);
  });

  test('and has another genuine certificate in TLS 1.2', async () => {
    const { intermediate, leaf } = bench.hierarchy;
    const rsa = await createIdentity({ name: `CN=${HOST}`, dnsNames: [HOST], issuer: intermediate, key: 'RSA-2048' });
    await byVersion([leaf, intermediate], [rsa, intermediate], async (front) => {
      expect(conclusionOf(await bench.check(front.port))).toEqual(READY);
    });
  });

  test('and no TLS 1.2', async () => {
    const { intermediate, leaf } = bench.hierarchy;
    await byVersion([leaf, intermediate], null, async (front) => {
      expect(conclusionOf(await bench.check(front.port))).toEqual(READY);
      // The check itself, and the connection with TLS 1.2.
      expect(front.seen).toBe(2);
    });
  });

  test('and is genuine in TLS 1.2 alone: another version is a witness against the inspected one', async () => {
    const { leaf, intermediate } = bench.hierarchy;
    const other = await createHierarchy({ name: `CN=${HOST}`, dnsNames: [HOST] });
    await byVersion([other.leaf, other.intermediate, other.root], [leaf, intermediate], async (front) => {
      const result = await bench.check(front.port);
      expect(result.exitCode).toBe(2);
      expect(result.causes[0]?.id).toBe('tls-intercepted');
      expect(evidenceOf(result)).toContain('in TLS 1.2 at');
    });
  });
});
