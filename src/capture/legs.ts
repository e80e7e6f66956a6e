import type { Millis } from '../core/clock.ts';
import { hostOf } from '../core/addresses.ts';
import { isSameLeaf } from '../core/certificate.ts';
import type { Confidence } from '../engine/model.ts';
import type { Connection } from './connections.ts';
import { type JudgedConnection, suspicion } from './judge-capture.ts';

/** A device that terminates TLS between two captured connections. */
export interface Interceptor {
  readonly device: string | null;
  /** The address from which the device connects to the server. Null if the device uses the client's address. */
  readonly address: string | null;
  /** The interface or file in which the client's side was captured. */
  readonly inside: string;
  readonly outside: string;
  readonly confidence: Confidence;
  /** Set if another device intercepts the traffic closer to the server, because that side is forged as well. */
  readonly isAnotherFartherOut: boolean;
  readonly summary: string;
}

/**
 * Allows for clock differences between two captures, and for the time that a proxy takes to open its own connection.
 */
const TOGETHER: Millis = 10_000;

/**
 * Finds connections that carry the same traffic on both sides of a device. If both have the same client random value,
 * the device changed only addresses. If the values differ, the device terminated TLS, regardless of the TLS version.
 * @param judged the connections in the order of their files; the first file was captured closer to the client
 */
export function pairLegs(judged: readonly JudgedConnection[]): {
  readonly connections: readonly JudgedConnection[];
  readonly interceptor: Interceptor | null;
  readonly notes: readonly string[];
} {
  const notes = judged.flatMap((one, index) => {
    const other = judged.slice(index + 1).find((later) => isForwarded(one, later));
    if (other === undefined) return [];
    pair(one, other);
    return [forwardedText(one, other)];
  });
  const interceptors: Interceptor[] = [];
  const connections = judged.map((inner, index) => {
    const outers = judged.filter((outer, place) => isTerminated(inner, outer, index < place));
    const [outer] = outers.toSorted((one, other) => apart(inner, one) - apart(inner, other));
    if (outer === undefined) return inner;
    pair(inner, outer);
    const interceptor = interceptorOf(inner, outer);
    interceptors.push(interceptor);
    return intercepted(inner, interceptor);
  });
  return { connections, interceptor: interceptors[0] ?? null, notes };
}

function isSingle({ pairedWith }: JudgedConnection): boolean {
  return pairedWith === null;
}

function pair(one: JudgedConnection, other: JudgedConnection): void {
  [one.pairedWith, other.pairedWith] = [other.seen, one.seen];
}

function apart(one: JudgedConnection, other: JudgedConnection): Millis {
  return Math.abs(one.seen.startedAt - other.seen.startedAt);
}

function isForged({ verdict }: JudgedConnection): boolean {
  return verdict.startsWith('intercept');
}

function isForwarded(one: JudgedConnection, other: JudgedConnection): boolean {
  const random = one.seen.handshake.hello?.random;
  return random !== undefined && random === other.seen.handshake.hello?.random && isSingle(one) && isSingle(other);
}

function forwardedText(one: JudgedConnection, other: JudgedConnection): string {
  const how = one.seen.client === other.seen.client ? 'unchanged' : 'from a different address';
  return (
    `${one.seen.client} and ${other.seen.client}: the same client random on ${placeOf(one, other)} and ` +
    `${placeOf(other, one)}. TLS was forwarded ${how} and not terminated in between.` +
    (isForged(one) || isForged(other) ? ' The intercepting device is closer to the server.' : '')
  );
}

/**
 * In a single capture, the device receives the inner connection and sends the outer one. With two captures, the inner
 * connection is in the first capture.
 */
function isTerminated(inner: JudgedConnection, outer: JudgedConnection, isInOrder: boolean): boolean {
  const [inside, outside] = [inner.seen, outer.seen];
  const isOneCapture = inner.file === outer.file;
  const isDuring = inside.startedAt <= outside.startedAt && outside.startedAt <= inside.endedAt;
  const isPlaced = isOneCapture ? inside.side === 'in' && outside.side === 'out' && isDuring : isInOrder;
  const isTogether = inner.file.isRelative || outer.file.isRelative || apart(inner, outer) <= TOGETHER;
  if (!isPlaced || !isTogether || !isSingle(inner) || !isSingle(outer)) return false;
  const areSeen = inside.handshake.hello !== null && outside.handshake.hello !== null;
  // If the leaf certificates differ, a device with its own key is in between, because only the server has the server's
  // key.
  return areSeen && isSameServer(inside, outside) && !isSameLeaf(inner.chain, outer.chain);
}

function isSameServer(inner: Connection, outer: Connection): boolean {
  const [name, outerName] = [inner, outer].map(
    ({ handshake: { hello, tunnel } }) => hello?.serverName ?? (tunnel === null ? null : hostOf(tunnel)),
  );
  if (name !== null && outerName !== null) return name === outerName;
  return inner.server === outer.server || inner.handshake.tunnel === outer.server;
}

function placeOf({ file, seen: { leg, side } }: JudgedConnection, other: JudgedConnection): string {
  if (file !== other.file) return file.file;
  return leg ?? (side === null ? file.file : side === 'in' ? 'the inside' : 'the outside');
}

function interceptorOf(inner: JudgedConnection, outer: JudgedConnection): Interceptor {
  const isOneCapture = inner.file === outer.file;
  const [inside, outside] = [placeOf(inner, outer), placeOf(outer, inner)];
  const source = hostOf(outer.seen.client);
  const address = source === hostOf(inner.seen.client) ? null : source;
  const device = isOneCapture ? inner.file.device : null;
  // In two captures, unrelated connections can look similar. A different or forged certificate chain rules this out.
  const isProven = isOneCapture || isForged(inner) || (inner.chain !== null && outer.chain !== null);
  const isAnotherFartherOut = isForged(outer);
  const who = isOneCapture
    ? `${device ?? 'The device that made the capture'}${address === null ? '' : ` (${address})`} terminates TLS itself`
    : `TLS is terminated by a device between ${inside} and ${outside}`;
  const farther = ', and the chain on the outside is not genuine either, so another device intercepts closer to the server';
  const summary = `${who}: the client random on ${outside} differs from that on ${inside}${isAnotherFartherOut ? farther : ''}`;
  return {
    device,
    address,
    inside,
    outside,
    confidence: isProven ? 'confirmed' : 'suspected',
    isAnotherFartherOut,
    summary,
  };
}

function intercepted(inner: JudgedConnection, { confidence, summary }: Interceptor): JudgedConnection {
  const isConfirmed = confidence === 'confirmed';
  const cause = isConfirmed ? 'tls-intercepted' : 'tls-interception-suspected';
  const expected = 'The same client random on both legs';
  const passedOn = suspicion('hello-is-passed-on', inner.subject, cause, [expected, `${summary}.`]);
  const others = inner.findings.map((finding) => ({ ...finding, suggests: finding.suggests === null ? null : cause }));
  return {
    ...inner,
    verdict: isConfirmed ? 'intercepted' : 'interception-suspected',
    because: null,
    confidence,
    summary,
    findings: [{ ...passedOn, confidence }, ...others],
  };
}
