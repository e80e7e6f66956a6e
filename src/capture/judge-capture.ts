import type { TlsEvidence, Verdict } from '../checks/tls-genuine/chain-case.ts';
import type { TlsKnowledge } from '../checks/tls-genuine/judge-path.ts';
import { judgeTls } from '../checks/tls-genuine/verdict.ts';
import { authority, hostOf, plainName, portOf } from '../core/addresses.ts';
import { type CapturedChain, formatDistinguishedName, isSameLeaf } from '../core/certificate.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import type { FailureReason, TlsOutcome } from '../core/observation.ts';
import { createCertificateCache } from '../core/parse-certificate.ts';
import { isoTime, isoTimeOrNull, spanText } from '../core/time-text.ts';
import { counted, visibleText } from '../core/visible-text.ts';
import { type Confidence, type Finding, isFault } from '../engine/model.ts';
import { cleanJson } from '../network/rest/json-exchange.ts';
import { readableText } from '../network/tls/handshake.ts';
import { type CaptureTarget, type Connection, readCapture } from './connections.ts';
import { CaptureFile } from './packets.ts';

export interface CaptureResult {
  readonly files: readonly CaptureFile[];
  /** Only the first connections of each level are included. Sorted by file, then by end time. */
  readonly connections: readonly JudgedConnection[];
  readonly interceptor: Interceptor | null;
  readonly notes: readonly string[];
  /** `unknown` if no connection could be evaluated. */
  readonly level: Level;
}

/** Worst level first. `unknown` is last, because it is the result only if no connection could be evaluated. */
export const LEVELS: readonly Level[] = ['fault', 'warning', 'ok', 'unknown'];

/** Connections beyond this limit are counted but not listed. */
const MAX_KEPT = 1_000;
/** The limit applies to each level separately, so that many genuine chains cannot displace a forged one. */
const MAX_CHAIN_BYTES = 4 * 1024 * 1024;

/**
 * Invalid file contents never cause an exception.
 * @param all whether to evaluate TLS connections to other servers as well
 * @throws {Error} if a file cannot be read from disk
 */
export async function examineCaptures(
  sources: readonly { readonly name: string; readonly bytes: AsyncIterable<Uint8Array> }[],
  target: CaptureTarget,
  knowledgeOf: (target: string) => TlsKnowledge,
  { all, now }: { readonly all: boolean; readonly now: EpochMs },
): Promise<CaptureResult> {
  const judge = createConnectionJudge(target, knowledgeOf, now);
  const files: CaptureFile[] = [];
  const kept: JudgedConnection[] = [];
  const counts: Record<Level, number> = { fault: 0, warning: 0, ok: 0, unknown: 0 };
  const chainBytes: Record<Level, number> = { fault: 0, warning: 0, ok: 0, unknown: 0 };

  function keep(judged: JudgedConnection): void {
    const level = levelOf(judged);
    const size = (judged.chain?.certificates ?? []).reduce((sum, { der }) => sum + der.length, 0);
    counts[level] += 1;
    if (counts[level] > MAX_KEPT || chainBytes[level] + size > MAX_CHAIN_BYTES) return;
    chainBytes[level] += size;
    kept.push(judged);
  }

  for (const { name, bytes } of sources) {
    const file = new CaptureFile(name);
    files.push(file);
    await readCapture(file, bytes, target, all, (connection) => keep(judge(connection, file)));
  }
  const { connections, interceptor, notes } = pairLegs(kept);
  const dropped = Object.values(counts).reduce((sum, count) => sum + count, -kept.length);
  const more = dropped === 0 ? [] : [`${String(dropped)} more connections were evaluated but are not listed.`];
  const reasons = new Set(connections.flatMap(({ because }) => (because === null ? [] : [ADVICE[because]])));
  return {
    files,
    connections,
    interceptor,
    notes: [...files.flatMap((file) => notesOf(file, connections, target)), ...more, ...notes, ...reasons],
    level: LEVELS.find((level) => counts[level] > 0 || connections.some((one) => levelOf(one) === level)) ?? 'unknown',
  };
}

function notesOf(
  captured: CaptureFile,
  connections: readonly JudgedConnection[],
  target: CaptureTarget,
): readonly string[] {
  const { problem, others, excess, packets, isRelative, format, unread } = captured;
  const name = `"${captured.file}"`;
  const isWithout = packets > 0 && !connections.some(({ file }) => file === captured);
  const notes = [
    problem !== null && `Cannot read ${format === null ? '' : 'all of '}${name}: ${problem}.`,
    isWithout && `${name} contains ${counted(packets, 'packet')}, but no connection to ${authority(target)}.`,
    others > 0 &&
      `${name} also contains ${counted(others, 'connection')} to other hosts (--all lists those that use TLS).`,
    excess > 0 && `${String(excess)} connections in ${name} were not followed, because too many were open.`,
    isRelative && `The times in ${name} have no date, so certificates were checked against the current time.`,
    unread.fragment > 0 &&
      `${name}: ${counted(unread.fragment, 'packet')} skipped, because IP fragments are not reassembled.`,
    unread.cut > 0 &&
      `${name}: ${counted(unread.cut, 'packet')} skipped, because the capture cut off the ports (snaplen).`,
    unread.lost > 0 && `${name}: ${counted(unread.lost, 'packet')} skipped, because lines are missing from the text.`,
    unread.broken > 0 &&
      `${name}: ${counted(unread.broken, 'packet')} skipped, because their length fields are inconsistent.`,
  ];
  return notes.filter((note) => typeof note === 'string');
}

type Unseen = keyof typeof ADVICE;

export interface JudgedConnection {
  readonly seen: Connection;
  readonly file: CaptureFile;
  /** The server that the client wanted to reach, as `host:port`. */
  readonly subject: string;
  readonly verdict: Verdict;
  /** Null for verdicts other than `unknown`, and if the connection failed before TLS started. */
  readonly because: Unseen | null;
  readonly confidence: Confidence;
  readonly chain: CapturedChain | null;
  readonly evidenceOfChain: TlsEvidence | null;
  readonly findings: readonly Finding[];
  /** One sentence without a full stop. */
  readonly summary: string;
  /** Sentences about the connection that are not part of the findings. */
  readonly remarks: readonly string[];
  /** The connection that carries the same traffic on the other side of a device. */
  pairedWith: Connection | null;
}

export type Level = 'fault' | 'warning' | 'ok' | 'unknown';

export function levelOf({ verdict, findings }: JudgedConnection): Level {
  if (findings.some(({ level }) => level === 'broken')) return 'fault';
  if (findings.some(({ level }) => level === 'warning')) return 'warning';
  return verdict === 'unknown' ? 'unknown' : 'ok';
}

export function evidenceOf({ findings, remarks, summary }: JudgedConnection): readonly string[] {
  const sentences = new Set([...findings.map(({ claim }) => claim), ...remarks]);
  sentences.delete(`${summary}.`);
  return [...sentences];
}

function causeOf({ findings }: JudgedConnection): string | null {
  return findings.find((finding) => isFault(finding) && finding.suggests !== null)?.suggests ?? null;
}

/** The minimum time for which a client waits for a response before it gives up. */
const PATIENCE: Millis = 3_000;
const MAX_CERTIFICATES = 16;

/** Alerts about bad, unsupported, revoked, expired and unknown certificates, and unknown CAs (RFC 8446 §6.2). */
const REFUSALS: readonly number[] = [42, 43, 44, 45, 46, 48];

/** Explains, for each reason why a connection cannot be evaluated, how to obtain the missing information. */
const ADVICE = {
  'tls-1.3':
    'TLS 1.3 encrypts the certificate. Capture both sides of the firewall ("ftm-watch capture --print-command ' +
    'fortigate") to find out whether it terminates TLS, or run "ftm-watch check", which also connects with TLS 1.2.',
  resumed:
    'Certificates are not sent in a resumed session. Capture the first connection after FortiAuthenticator restarts.',
  'mid-stream': 'The capture begins after the handshake. Start it before FortiAuthenticator connects.',
  gap: 'Packets are missing. Disable offloading while you capture ("ftm-watch capture --print-command fortigate").',
  truncated: 'The handshake is incomplete. Capture whole packets until the connection is closed.',
  'one-direction':
    'Only one direction was captured, either because of offloading or because the other direction takes a different ' +
    'path. Disable offloading while you capture ("ftm-watch capture --print-command fortigate").',
} as const;

function createConnectionJudge(
  target: CaptureTarget,
  knowledgeOf: (target: string) => TlsKnowledge,
  now: EpochMs,
): (seen: Connection, file: CaptureFile) => JudgedConnection {
  const cache = createCertificateCache(256);
  const own = [target.host, target.serverName ?? target.host].map(plainName);
  return (seen, file) => {
    const { hello, certificates } = seen.handshake;
    const name = plainName(hello?.serverName ?? target.host);
    const subject = own.includes(name) ? authority(target) : `${name}:${portOf(seen.server)}`;
    const parsed = (certificates ?? []).slice(0, MAX_CERTIFICATES).flatMap((der) => cache.parse(der) ?? []);
    const chain = certificates === null ? null : { certificates: parsed, dropped: certificates.length - parsed.length };
    // The raw bytes are freed, because the parsed certificates contain copies of them.
    seen.handshake.certificates = null;
    const base = { seen, file, subject, chain, pairedWith: null };
    const unseen = chain === null ? unseenChain(seen, file) : null;
    const outcome = unseen === null ? outcomeOf(seen, chain) : null;
    if (outcome === null) return { ...base, ...unseenVerdict(seen, unseen ?? NOT_ENDED, subject) };
    const knowledge = knowledgeOf(subject);
    const evidence: TlsEvidence = {
      ...knowledge,
      target: subject,
      serverName: hello?.serverName ?? null,
      outcome,
      controls: [],
      references: [],
      openssl: null,
      knownFlaws: knowledge.flaws.at(hostOf(seen.server)),
      traces: [],
      now: file.isRelative ? now : seen.startedAt,
    };
    return { ...base, ...chainVerdict(seen, evidence, knowledge) };
  };
}

/** If the reason is null, TCP failed and TLS was not attempted. */
type UnseenChain = readonly [because: Unseen | null, text: string];

const NOT_ENDED: UnseenChain = ['truncated', 'The capture or the connection ended before the handshake was complete.'];

/** Returns null if both directions were captured completely, which means that TLS itself failed. */
function unseenChain(seen: Connection, { sawAnswers }: CaptureFile): UnseenChain | null {
  const { end, missing, handshake, startedAt, endedAt } = seen;
  const attempts = `${String(seen.synAttempts)} SYNs in ${spanText(endedAt - startedAt)} were not answered`;
  if (end === 'refused') return [null, 'The server refused the connection (RST in response to SYN).'];
  if (end === 'no-answer')
    return sawAnswers
      ? [null, `${attempts}, but the capture contains answers to other connections.`]
      : ['one-direction', `${attempts}, and the capture contains no answer from any server.`];
  if (missing !== null) return missing;
  if (handshake.hello === null && handshake.plain === null)
    return ['truncated', 'The capture contains no TLS hello from the client.'];
  if (handshake.version === '1.3') return ['tls-1.3', 'The server chose TLS 1.3, which encrypts its certificate.'];
  return handshake.isResumed ? ['resumed', 'The server resumed an earlier session and sent no certificate.'] : null;
}

function outcomeOf(seen: Connection, chain: CapturedChain | null): TlsOutcome | null {
  const { hello, version, plain, serverAlert } = seen.handshake;
  const facts = { serverName: hello?.serverName ?? '', durationMs: seen.endedAt - seen.startedAt };
  const failure = failureOf(seen, chain === null);
  if (failure !== null) {
    const [reason, message] = failure;
    const alert = serverAlert?.name ?? null;
    const plaintext = plain === null ? null : readableText(plain);
    return { ...facts, kind: 'failed', reason, message, alert, chain, plaintext, receivedBytes: seen.serverFlight };
  }
  if (chain === null) return null;
  return { ...facts, chain, kind: 'established', protocol: version === null ? null : `TLSv${version}`, cipher: null };
}

/**
 * A connection that the server closed immediately after the certificate also counts as failed. Later events are
 * ignored.
 */
function failureOf(seen: Connection, isUnanswered: boolean): readonly [FailureReason, message: string] | null {
  const { end, unarrived, startedAt, endedAt, handshake } = seen;
  const { serverAlert, plain, clientWentOn, clientAlert } = handshake;
  const waited = endedAt - startedAt;
  if (isUnanswered && serverAlert !== null) return ['tls', `The server sent the TLS alert ${serverAlert.name}`];
  if (isUnanswered && plain !== null) return ['protocol', 'The server answered in plain text where TLS was expected'];
  const isCut = isUnanswered || (!clientWentOn && clientAlert === null);
  if (isCut && end === 'reset-by-server') return ['reset', 'The connection was reset during the handshake'];
  if (isCut && end === 'closed-by-server') return ['closed', 'The server closed the connection during the handshake'];
  return isUnanswered && (unarrived > 0 || (waited >= PATIENCE && end !== 'reset-by-client'))
    ? ['timeout', `No certificate within ${spanText(waited)}`]
    : null;
}

type Judged = Omit<JudgedConnection, 'seen' | 'file' | 'subject' | 'chain' | 'pairedWith'>;

function chainVerdict(seen: Connection, evidence: TlsEvidence, { checks }: TlsKnowledge): Judged {
  const { verdict, confidence, findings, summary, wouldSettle } = judgeTls(evidence, checks);
  const isGenuine = verdict === 'genuine' || verdict === 'rotated';
  const refused = refusals(seen, evidence.target, null, isGenuine ? ', although this configuration accepts it' : '');
  return {
    verdict,
    because: null,
    confidence,
    findings: [...findings, ...lostFindings(seen, evidence.target), ...refused],
    summary: refused.length > 0 && isGenuine ? `${summary}, but the client rejected it` : summary,
    evidenceOfChain: evidence,
    remarks: [...remarksOn(seen), ...(wouldSettle === null ? [] : [`For a definite result, ${wouldSettle}.`])],
  };
}

function unseenVerdict(seen: Connection, [because, text]: UnseenChain, subject: string): Judged {
  const failed = `The connection to ${seen.server} was ${seen.end === 'refused' ? 'refused' : 'never answered'}`;
  const findings =
    because === null
      ? [suspicion('port-opens', subject, 'egress-blocked', ['A TCP connection', `${failed}.`])]
      : refusals(seen, subject, 'tls-interception-suspected', '');
  const summary =
    findings.length > 0
      ? `The client rejected the certificate that it received for ${subject}`
      : `The certificate of ${subject} is not in the capture`;
  return {
    verdict: 'unknown',
    because,
    confidence: 'suspected',
    findings,
    summary: because === null ? failed : summary,
    evidenceOfChain: null,
    remarks: [text, ...remarksOn(seen)],
  };
}

/** The confidence is only `suspected`, because a single capture does not rule out other explanations. */
function suspicion(
  rule: string,
  subject: string,
  suggests: string | null,
  [expected, claim]: readonly [expected: string, claim: string],
): Finding {
  return { rule, subject, claim, expected, level: 'broken', suggests, confidence: 'suspected' };
}

/** Considers only alerts that the client sent unencrypted. */
function refusals(
  { handshake: { clientAlert } }: Connection,
  subject: string,
  suggests: string | null,
  more: string,
): readonly Finding[] {
  if (clientAlert === null || !REFUSALS.includes(clientAlert.code)) return [];
  const claim = `The client rejected the certificate that it received (alert ${clientAlert.name})${more}.`;
  const expected = 'The client continues after the certificate';
  return [suspicion('client-accepts-certificate', subject, suggests, [expected, claim])];
}

/** Returns findings for a certificate that the server sent but the client never received. */
function lostFindings({ unarrived, handshake }: Connection, subject: string): readonly Finding[] {
  if (unarrived === 0 || handshake.clientWentOn) return [];
  const claim =
    `The client never acknowledged the server's last ${String(unarrived)} bytes. Large packets are probably lost on ` +
    'the path (MTU).';
  const expected = 'The client acknowledges the certificate';
  const lost = suspicion('large-answers-arrive', subject, 'tls-blocked', [expected, claim]);
  return [{ ...lost, kind: 'large-answers-lost' }];
}

const ENDS: Readonly<Partial<Record<Connection['end'], string>>> = {
  'closed-by-client': 'The client closed the connection.',
  'closed-by-server': 'The server closed the connection.',
  'reset-by-client': 'The client reset the connection.',
  'reset-by-server': "The connection was reset from the server's address.",
};

function remarksOn({ handshake, end, resetTtl, serverFlight }: Connection): readonly string[] {
  const { tunnel, clientCertificate, serverAlert, version } = handshake;
  const remarks = [
    tunnel !== null && `The client asked the proxy for a tunnel to ${tunnel}.`,
    clientCertificate === true && 'The client sent a certificate.',
    clientCertificate === false && 'The client was asked for a certificate, but sent none.',
    serverAlert !== null && `The server sent the alert ${serverAlert.name}.`,
    ENDS[end],
    resetTtl !== null &&
      `The reset has TTL ${String(resetTtl.reset)}, and the server's other packets have ${String(resetTtl.usual)}. ` +
        'Another device may have sent the reset.',
    version === '1.3' &&
      serverFlight > 0 &&
      `The server's first answer is ${String(serverFlight)} bytes long, which is consistent with many certificates.`,
  ];
  return remarks.filter((text) => typeof text === 'string');
}

// --- Connections on both sides of a device

/** A device that terminates TLS between two captured connections. */
interface Interceptor {
  readonly device: string | null;
  /** The address from which the device connects to the server. Null if the device uses the client's address. */
  readonly address: string | null;
  /** The interface or file in which the client's side was captured. */
  readonly inside: string;
  readonly outside: string;
  readonly confidence: Confidence;
  /**
   * Set if the chain on the server's side is forged as well, which means that another device intercepts the traffic
   * closer to the server.
   */
  readonly isAnotherFartherOut: boolean;
  readonly summary: string;
}

/** Allows for clock differences between two captures and for the time that a proxy takes to open its own connection. */
const TOGETHER: Millis = 10_000;

/**
 * Finds connections that carry the same traffic on both sides of a device. If both have the same client random value,
 * the device changed only addresses. If the values differ, the device terminated TLS, regardless of the TLS version.
 * @param judged the connections in the order of their files; the first file was captured closer to the client
 */
function pairLegs(judged: readonly JudgedConnection[]): {
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
    (isForged(one) || isForged(other) ? ' The intercepting device is closer to the server than both.' : '')
  );
}

/**
 * In a single capture, the device receives the inner connection and sends the outer one. If there are two captures, the
 * inner connection is in the first.
 */
function isTerminated(inner: JudgedConnection, outer: JudgedConnection, isInOrder: boolean): boolean {
  const [inside, outside] = [inner.seen, outer.seen];
  const isOneCapture = inner.file === outer.file;
  const isDuring = inside.startedAt <= outside.startedAt && outside.startedAt <= inside.endedAt;
  const isPlaced = isOneCapture ? inside.side === 'in' && outside.side === 'out' && isDuring : isInOrder;
  const isTogether = inner.file.isRelative || outer.file.isRelative || apart(inner, outer) <= TOGETHER;
  if (!isPlaced || !isTogether || !isSingle(inner) || !isSingle(outer)) return false;
  const areSeen = inside.handshake.hello !== null && outside.handshake.hello !== null;
  // If the leaf certificates differ, there is a device with its own key in between, because only the server has the
  // server's key.
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
  // In two captures, unrelated connections can look similar. A different or forged chain rules that out.
  const isProven = isOneCapture || isForged(inner) || (inner.chain !== null && outer.chain !== null);
  const isAnotherFartherOut = isForged(outer);
  const who = isOneCapture
    ? `${device ?? 'The device that made the capture'}${address === null ? '' : ` (${address})`} terminates TLS itself`
    : `TLS is terminated by a device between ${inside} and ${outside}`;
  const farther =
    ', and the chain on the outside is not genuine either, so another device intercepts closer to the server';
  const differs = `${who}: the client random on ${outside} differs from that on ${inside}`;
  const summary = isAnotherFartherOut ? `${differs}${farther}` : differs;
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

// --- The JSON object for --json. Its field names are part of the public API.

type CaptureJson = ReturnType<typeof toJson>;

const MAX_TEXT = 1_000;

export function captureToJson(result: CaptureResult): CaptureJson {
  const json = toJson(result);
  cleanJson(json, (text) => visibleText(text, MAX_TEXT));
  return json;
}

function toJson({ files, connections, interceptor, notes }: CaptureResult) {
  return {
    files: files.map(({ file, format, packets, unread, startedAt, isRelative }) => ({
      file,
      format,
      packets,
      skipped: Object.values(unread).reduce((sum, count) => sum + count, 0),
      startedAt: isoTimeOrNull(isRelative ? null : startedAt),
    })),
    connections: connections.map((one) => connectionToJson(one, connections)),
    interceptor: interceptor === null ? null : { ...interceptor },
    dns: files.flatMap(({ dns }) => dns),
    notes: [...notes],
  };
}

function connectionToJson(judged: JudgedConnection, connections: readonly JudgedConnection[]) {
  const { seen, file, verdict, because, confidence, chain, summary, pairedWith } = judged;
  const { client, server, leg, startedAt, handshake, end } = seen;
  const place = connections.findIndex((other) => other.seen === pairedWith);
  return {
    file: file.file,
    client,
    server,
    leg,
    startedAt: isoTimeOrNull(file.isRelative ? null : startedAt),
    serverName: handshake.hello?.serverName ?? null,
    tls: handshake.version,
    verdict,
    because,
    confidence,
    cause: causeOf(judged),
    chain: (chain?.certificates ?? []).map(({ subject, issuer, fingerprint, pin, notAfter }) => ({
      subject: formatDistinguishedName(subject),
      issuer: formatDistinguishedName(issuer),
      sha256: fingerprint,
      spki: pin,
      notAfter: isoTime(notAfter),
    })),
    clientAlert: handshake.clientAlert,
    serverAlert: handshake.serverAlert,
    end,
    pairedWith: place === -1 ? null : place,
    summary,
    evidence: evidenceOf(judged),
  };
}
