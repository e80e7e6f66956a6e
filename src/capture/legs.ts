import type { Millis } from '../core/clock.ts';
import { hostOf } from '../core/authority.ts';
import { isSameLeaf } from '../core/certificate.ts';
import type { Confidence } from '../engine/cause.ts';
import type { JudgedConnection } from './judge-capture.ts';

/** What ends TLS between two legs of a capture. */
export interface Interceptor {
  /** The device that captured, as its prompt names it. */
  readonly device: string | null;
  /** The address that it connects to the server from; null: that of the client. */
  readonly address: string | null;
  /** Where the client's side was captured, and where the server's: interfaces, or files. */
  readonly inside: string;
  readonly outside: string;
  readonly confidence: Confidence;
  /** The outer chain is forged as well: another device is farther out. */
  readonly isAnotherFartherOut: boolean;
  readonly summary: string;
}

export interface PairedConnections {
  readonly connections: readonly JudgedConnection[];
  readonly interceptor: Interceptor | null;
  readonly notes: readonly string[];
}

/** How far apart the clocks of two captures may be, and how long a proxy takes before it connects on its own. */
const TOGETHER: Millis = 10_000;

/**
 * Finds the legs of the same traffic. An equal client random on both proves that nothing but addresses was changed; two
 * connections that belong together with different ones prove that TLS ended in between, whatever the version.
 *
 * @param deviceOf the device that made a file
 */
export function pairLegs(
  judged: readonly JudgedConnection[],
  deviceOf: (file: string) => string | null,
): PairedConnections {
  const connections = [...judged];
  const notes: string[] = [];
  pairForwarded(connections, notes);
  const found = terminatedPairs(connections).map(([inner, outer]) => {
    const [inside, outside] = [connections[inner], connections[outer]];
    if (inside === undefined || outside === undefined) return null;
    const interceptor = interceptorOf(inside, outside, deviceOf);
    connections[inner] = intercepted({ ...inside, pairedWith: outer }, outside, interceptor);
    connections[outer] = { ...outside, pairedWith: inner };
    return interceptor;
  });
  return { connections, interceptor: found.find((one) => one !== null) ?? null, notes };
}

/** The connections that were passed on as they are: routed, or with other addresses. */
function pairForwarded(connections: JudgedConnection[], notes: string[]): void {
  connections.forEach((connection, index) => {
    if (connection.pairedWith !== null) return;
    const twin = connections.findIndex(
      (other, place) => place > index && other.pairedWith === null && isForwarded(connection, other),
    );
    const other = connections[twin];
    if (other === undefined) return;
    connections[index] = { ...connection, pairedWith: twin };
    connections[twin] = { ...other, pairedWith: index };
    const [one, two] = [placeOf(connection, other), placeOf(other, connection)];
    const how = connection.client === other.client ? 'passed on unchanged' : 'passed on with another address';
    const isForged = [connection, other].some(({ verdict }) => verdict.startsWith('intercept'));
    notes.push(
      `${connection.client} and ${other.client}: the same client random on ${one} and ${two}. TLS was ${how}, and not ` +
        `ended in between.${isForged ? ` What intercepts is farther out than both.` : ''}`,
    );
  });
}

function isForwarded(one: JudgedConnection, other: JudgedConnection): boolean {
  const [random, otherRandom] = [one.handshake.hello?.random, other.handshake.hello?.random];
  if (random !== undefined && otherRandom !== undefined) return random === otherRandom;
  // Only one of both has the hello: address translation keeps the numbers of TCP.
  return one.initialSequence !== null && one.initialSequence === other.initialSequence && isBeside(one, other);
}

/** Close in time, on different legs. */
function isBeside(one: JudgedConnection, other: JudgedConnection): boolean {
  const isElsewhere = one.file !== other.file || one.leg !== other.leg || one.side !== other.side;
  return isElsewhere && (one.isUndated || other.isUndated || Math.abs(one.startedAt - other.startedAt) <= TOGETHER);
}

interface Placed {
  readonly connection: JudgedConnection;
  readonly index: number;
}

/** Pairs of an inner and an outer connection, by their places. Only what fits nothing else counts. */
function terminatedPairs(connections: readonly JudgedConnection[]): readonly (readonly [number, number])[] {
  const single = connections.flatMap((connection, index) =>
    connection.pairedWith === null && connection.handshake.hello !== null ? [{ connection, index }] : [],
  );
  const fitting = single.flatMap((inner) =>
    single
      .filter((outer) => inner !== outer && isTerminated(inner, outer))
      .map((outer) => ({ inner, outer, apart: Math.abs(outer.connection.startedAt - inner.connection.startedAt) })),
  );
  const taken = new Set<number>();
  return fitting
    .toSorted((one, other) => one.apart - other.apart)
    .flatMap(({ inner, outer }) => {
      if (taken.has(inner.index) || taken.has(outer.index)) return [];
      taken.add(inner.index);
      taken.add(outer.index);
      return [[inner.index, outer.index] as const];
    });
}

/**
 * Whether the outer connection is what a device opened for the inner one. In one capture the inner one comes in from the
 * client, and the outer one leaves; of two captures the first is the inner one.
 */
function isTerminated(one: Placed, other: Placed): boolean {
  const [inner, outer] = [one.connection, other.connection];
  if (!isSameServer(inner, outer) || !isBeside(inner, outer)) return false;
  // Nobody in between has the key of the server.
  if (isSameLeaf(inner.chain, outer.chain)) return false;
  if (inner.file !== outer.file) return one.index < other.index;
  const begins = outer.startedAt - inner.startedAt;
  return inner.side === 'in' && outer.side === 'out' && begins >= 0 && outer.startedAt <= inner.endedAt;
}

function isSameServer(inner: JudgedConnection, outer: JudgedConnection): boolean {
  const [name, outerName] = [inner, outer].map(
    ({ handshake: { hello, tunnel } }) => hello?.serverName ?? (tunnel === null ? null : hostOf(tunnel)),
  );
  if (name !== null && outerName !== null) return name === outerName;
  return inner.server === outer.server || inner.handshake.tunnel === outer.server;
}

/** The interface; of two files, the file. */
function placeOf({ file, leg, side }: JudgedConnection, other: JudgedConnection): string {
  if (file !== other.file) return file;
  return leg ?? (side === null ? file : side === 'in' ? 'the inside' : 'the outside');
}

function interceptorOf(
  inner: JudgedConnection,
  outer: JudgedConnection,
  deviceOf: (file: string) => string | null,
): Interceptor {
  const isOneCapture = inner.file === outer.file;
  const [inside, outside] = [placeOf(inner, outer), placeOf(outer, inner)];
  const [client, address] = [hostOf(inner.client), hostOf(outer.client)];
  const device = isOneCapture ? deviceOf(inner.file) : null;
  // Of two captures, other traffic may look alike: another chain, or one that is not genuine, cannot.
  const isForged =
    inner.verdict.startsWith('intercept') ||
    (inner.chain !== null && outer.chain !== null && !isSameLeaf(inner.chain, outer.chain));
  const isAnother = outer.verdict.startsWith('intercept');
  const who = isOneCapture
    ? `${device ?? 'The device that made the capture'}${client === address ? '' : ` (${address})`} ends TLS itself`
    : `TLS is ended by a device between ${inside} and ${outside}`;
  return {
    device,
    address: client === address ? null : address,
    inside,
    outside,
    confidence: isOneCapture || isForged ? 'confirmed' : 'suspected',
    isAnotherFartherOut: isAnother,
    summary:
      `${who}: the client random is another on ${outside} than on ${inside}` +
      (isAnother ? ', and the chain on the outside is not genuine either: another device is farther out' : ''),
  };
}

function intercepted(inner: JudgedConnection, outer: JudgedConnection, interceptor: Interceptor): JudgedConnection {
  const { confidence, summary } = interceptor;
  const isConfirmed = confidence === 'confirmed';
  const suggests = isConfirmed ? 'tls-intercepted' : 'tls-interception-suspected';
  const claim = `${summary}.`;
  const subject = inner.findings[0]?.subject ?? outer.findings[0]?.subject ?? inner.server;
  return {
    ...inner,
    verdict: isConfirmed ? 'intercepted' : 'interception-suspected',
    because: null,
    confidence,
    cause: suggests,
    level: 'fault',
    summary,
    findings: [
      {
        rule: 'hello-is-passed-on',
        subject,
        claim,
        expected: 'The same client random on both legs',
        actual: `${inner.handshake.hello?.random ?? ''} and ${outer.handshake.hello?.random ?? ''}`,
        level: 'broken',
        suggests,
        confidence,
      },
      ...inner.findings.map((finding) => ({ ...finding, suggests: finding.suggests === null ? null : suggests })),
    ],
    evidence: [claim, ...inner.evidence],
  };
}
