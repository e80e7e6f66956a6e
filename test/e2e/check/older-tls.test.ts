import { connect, type Socket } from 'node:net';
import { afterAll, describe, expect, test } from 'vitest';
import { createHierarchy } from '../../support/certificates/hierarchy.ts';
import { createIdentity } from '../../../src/demo/lab/identity.ts';
import type { Identity } from '../../../src/demo/lab/identity.ts';
import { answering, createCheckBench, HOST, httpResponse } from '../../support/process/check-bench.ts';
import {
  conclusionOf,
  evidenceOf,
  preconditionOf,
  READY,
  readyWithWarning,
} from '../../support/process/check-result.ts';
import { createPeerAtHello, createTlsPeer, type Peer } from '../../support/network/tls-peer.ts';

const bench = await createCheckBench();
afterAll(() => bench[Symbol.asyncDispose]());

type Chain = readonly [Identity, ...Identity[]];

/** The supported_versions extension (RFC 8446 §4.2.1), sent only by clients that offer TLS 1.3. */
const SUPPORTED_VERSIONS = Buffer.from([0x00, 0x2b, 0x00]);

function passOn(socket: Socket, hello: Buffer, port: number): void {
  const upstream = connect(port, '127.0.0.1').on('error', () => socket.destroy());
  upstream.write(hello);
  socket.pipe(upstream).pipe(socket);
}

/** A chain under a company's authority, which inspects. */
async function forgedChain(): Promise<Chain> {
  const company = await createIdentity({ name: 'C=DE, O=Contoso, CN=Contoso TLS Inspection', authority: true });
  return [await createIdentity({ name: `CN=${HOST}`, dnsNames: [HOST], issuer: company }), company];
}

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
    passOn(socket, hello, hello.includes(SUPPORTED_VERSIONS) ? clean.port : inspected.port);
  });
  await run(front);
}

/** Passes TLS 1.3 on, and calls `end` for the first connections of a client that offers at most TLS 1.2. */
async function ending(
  end: (socket: Socket) => unknown,
  times: number,
  run: (front: Peer, ended: () => number) => Promise<void>,
): Promise<void> {
  await using server = await bench.licenseServer();
  let ended = 0;
  await using front = await createPeerAtHello((socket, hello) => {
    if (ended < times && !hello.includes(SUPPORTED_VERSIONS)) {
      ended += 1;
      return void end(socket);
    }
    passOn(socket, hello, server.port);
  });
  await run(front, () => ended);
}

/** A fatal TLS alert, protocol_version (RFC 8446 §6). */
const PROTOCOL_VERSION = Buffer.from([21, 3, 3, 0, 2, 2, 70]);

describe('a licence server that speaks TLS 1.3, before which TLS 1.2 ends', () => {
  test.each<readonly [string, (socket: Socket) => void]>([
    ['with a reset', (socket) => socket.resetAndDestroy()],
    ['without a word', (socket) => socket.end()],
    ['in silence', () => {}],
  ])('%s: a warning', async (_, end) => {
    await ending(end, Infinity, async (front) => {
      const result = await bench.check(front.port);
      expect(conclusionOf(result)).toEqual(readyWithWarning('tls-blocked'));
      expect(evidenceOf(result)).toContain('TLS 1.2 was blocked');
    });
  });

  test.each<readonly [string, (socket: Socket) => unknown, number]>([
    ['by an alert of the server', (socket) => socket.end(PROTOCOL_VERSION), Infinity],
    ['with one reset alone, and passes a moment later', (socket) => socket.resetAndDestroy(), 1],
  ])('%s: nothing is wrong', async (_, end, times) => {
    await ending(end, times, async (front, ended) => {
      expect(conclusionOf(await bench.check(front.port))).toEqual(READY);
      expect(ended()).toBe(1);
    });
  });
});

describe('a licence server that speaks TLS 1.3', () => {
  test('and is inspected in TLS 1.2 alone', async () => {
    const { leaf, intermediate } = bench.hierarchy;
    await byVersion([leaf, intermediate], await forgedChain(), async (front) => {
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
    const serve = answering(() => httpResponse('404 Not Found'));
    await using clean = await createTlsPeer({ chain: [leaf, intermediate], serve });
    await using inspected = await createTlsPeer({ chain: await forgedChain(), serve });
    let count = 0;
    await using front = await createPeerAtHello((socket, hello) => {
      const isInspected = course.charAt(count % course.length) === 'x';
      count += 1;
      passOn(socket, hello, isInspected ? inspected.port : clean.port);
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
