import type { Millis } from '../core/clock.ts';
import { hostOf } from '../core/addresses.ts';
import { isSameLeaf } from '../core/certificate.ts';
import type { Confidence } from '../engine/model.ts';
import { type JudgedConnection, suspicion } from './judge-capture.ts';

/** A device that terminates TLS between two legs of a capture. */
export interface Interceptor {
  /** The capturing device, as named in its prompt. */
  readonly device: string | null;
  /** Address from which it connects to the server. Null if it uses the client's. */
  readonly address: string | null;
  /** Where the client's and the server's side were captured: interfaces or files. */
  readonly inside: string;
  readonly outside: string;
  readonly confidence: Confidence;
  /** The outer chain is forged as well, so there is another device farther out. */
  readonly isAnotherFartherOut: boolean;
  readonly summary: string;
}

/**
 * Maximum difference between the clocks of two captures, and maximum time that a proxy takes to open its own
 * connection.
 */
const TOGETHER: Millis = 10_000;

/**
 * Finds legs of the same traffic and records them in the connections. An equal client random on both legs proves that
 * only addresses were changed. If two related connections have different randoms, TLS was terminated in between,
 * whatever the version.
 *
 * @param judged in the order of the files, of which the first is the inner one
 */
export function pairLegs(judged: readonly JudgedConnection[]): {
  readonly connections: readonly JudgedConnection[];
  readonly interceptor: Interceptor | null;
  readonly notes: readonly string[];
} {
  const notes = judged.flatMap((one, index) => {
    const other = judged.find(
      (later, place) => place > index && isSingle(one) && isSingle(later) && isForwarded(one, later),
    );
    if (other === undefined) return [];
    pair(one, other);
    return [forwardedText(one, other)];
  });
  const single = judged.filter((connection) => isSingle(connection) && connection.seen.handshake.hello !== null);
  const fitting = single
    .flatMap((inner) => single.filter((outer) => isTerminated(inner, outer)).map((outer) => ({ inner, outer })))
    .toSorted((one, other) => apart(one.inner, one.outer) - apart(other.inner, other.outer));
  const interceptors = new Map<JudgedConnection, Interceptor>();
  for (const { inner, outer } of fitting) {
    if (!isSingle(inner) || !isSingle(outer)) continue;
    pair(inner, outer);
    interceptors.set(inner, interceptorOf(inner, outer));
  }
  const connections = judged.map((connection) => {
    const interceptor = interceptors.get(connection);
    return interceptor === undefined ? connection : intercepted(connection, interceptor);
  });
  return { connections, interceptor: [...interceptors.values()][0] ?? null, notes };
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

/** Reports whether the traffic was forwarded without change, apart from addresses. */
function isForwarded(one: JudgedConnection, other: JudgedConnection): boolean {
  const [random, otherRandom] = [one.seen.handshake.hello?.random, other.seen.handshake.hello?.random];
  if (random !== undefined && otherRandom !== undefined) return random === otherRandom;
  // Only one of them contains the hello, but address translation does not change TCP sequence numbers.
  const { initialSequence } = one.seen;
  return initialSequence !== null && initialSequence === other.seen.initialSequence && isBeside(one, other);
}

function forwardedText(one: JudgedConnection, other: JudgedConnection): string {
  const how = one.seen.client === other.seen.client ? 'passed on unchanged' : 'passed on with another address';
  return (
    `${one.seen.client} and ${other.seen.client}: the same client random on ${placeOf(one, other)} and ` +
    `${placeOf(other, one)}. TLS was ${how}, and not ended in between.` +
    (isForged(one) || isForged(other) ? ' What intercepts is farther out than both.' : '')
  );
}

/** Reports whether the connections are close in time and on different legs. */
function isBeside(one: JudgedConnection, other: JudgedConnection): boolean {
  const isElsewhere = one.file !== other.file || one.seen.leg !== other.seen.leg || one.seen.side !== other.seen.side;
  return isElsewhere && (one.file.isRelative || other.file.isRelative || apart(one, other) <= TOGETHER);
}

/**
 * Reports whether a device opened the outer connection for the inner one. In a single capture, the inner connection
 * comes in from the client and the outer one leaves. Of two captures, the first is the inner one.
 */
function isTerminated(inner: JudgedConnection, outer: JudgedConnection): boolean {
  if (inner === outer || !isSameServer(inner, outer) || !isBeside(inner, outer)) return false;
  // No device in between has the server's key.
  if (isSameLeaf(inner.chain, outer.chain)) return false;
  if (inner.file !== outer.file) return inner.file.order < outer.file.order;
  const [inside, outside] = [inner.seen, outer.seen];
  const isDuring = inside.startedAt <= outside.startedAt && outside.startedAt <= inside.endedAt;
  return inside.side === 'in' && outside.side === 'out' && isDuring;
}

function isSameServer({ seen: inner }: JudgedConnection, { seen: outer }: JudgedConnection): boolean {
  const [name, outerName] = [inner, outer].map(
    ({ handshake: { hello, tunnel } }) => hello?.serverName ?? (tunnel === null ? null : hostOf(tunnel)),
  );
  if (name !== null && outerName !== null) return name === outerName;
  return inner.server === outer.server || inner.handshake.tunnel === outer.server;
}

/** Returns the interface, or the file if there are two. */
function placeOf({ file, seen: { leg, side } }: JudgedConnection, other: JudgedConnection): string {
  if (file !== other.file) return file.file;
  return leg ?? (side === null ? file.file : side === 'in' ? 'the inside' : 'the outside');
}

function interceptorOf(inner: JudgedConnection, outer: JudgedConnection): Interceptor {
  const isOneCapture = inner.file === outer.file;
  const [inside, outside] = [placeOf(inner, outer), placeOf(outer, inner)];
  const [client, source] = [hostOf(inner.seen.client), hostOf(outer.seen.client)];
  const address = client === source ? null : source;
  const device = isOneCapture ? inner.file.device : null;
  // In two captures, unrelated traffic can look similar, but not with a different or forged chain.
  const isOther = inner.chain !== null && outer.chain !== null && !isSameLeaf(inner.chain, outer.chain);
  const isAnotherFartherOut = isForged(outer);
  const who = isOneCapture
    ? `${device ?? 'The device that made the capture'}${address === null ? '' : ` (${address})`} ends TLS itself`
    : `TLS is ended by a device between ${inside} and ${outside}`;
  return {
    device,
    address,
    inside,
    outside,
    confidence: isOneCapture || isForged(inner) || isOther ? 'confirmed' : 'suspected',
    isAnotherFartherOut,
    summary:
      `${who}: the client random is another on ${outside} than on ${inside}` +
      (isAnotherFartherOut
        ? ', and the chain on the outside is not genuine either: another device is farther out'
        : ''),
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
