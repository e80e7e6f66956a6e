import type { TlsEvidence, Verdict } from '../checks/tls-genuine/chain-case.ts';
import type { TlsKnowledge } from '../checks/tls-genuine/judge-path.ts';
import { judgeTls } from '../checks/tls-genuine/verdict.ts';
import { authority, hostOf, plainName, portOf } from '../core/addresses.ts';
import type { CapturedChain } from '../core/certificate.ts';
import { formatDistinguishedName } from '../tls/names.ts';
import { isSameLeaf } from '../tls/sent-chain.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import type { FailureReason, TlsOutcome } from '../core/observation.ts';
import { createCertificateCache } from '../tls/parse-certificate.ts';
import { dayText, isoTime, isoTimeOrNull, spanText } from '../core/time-text.ts';
import { counted, visibleText } from '../core/visible-text.ts';
import { CAPTURE_STEPS } from '../checks/capture-steps.ts';
import { type Advice, type Confidence, type Finding, isFault } from '../engine/model.ts';
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

/** What the worst connection shows. */
export type Conclusion =
  | Exclude<Level, 'fault'>
  | 'intercepted'
  | 'interception-suspected'
  | 'certificate-broken'
  | 'rejected'
  | 'tls-failed'
  | 'not-reached';

export function conclusionOf({ level, connections }: CaptureResult): Conclusion {
  if (level !== 'fault') return level;
  const faults = connections.filter((one) => levelOf(one) === 'fault');
  const verdicts = (['intercepted', 'interception-suspected', 'certificate-broken'] as const).find((conclusion) =>
    faults.some(({ verdict }) => verdict === conclusion),
  );
  const rules = new Set(faults.flatMap(({ findings }) => findings.map(({ rule }) => rule)));
  if (verdicts !== undefined) return verdicts;
  if (rules.has('client-accepts-certificate')) return 'rejected';
  return rules.has('port-opens') ? 'not-reached' : 'tls-failed';
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
  {
    all,
    now,
    onProgress,
  }: { readonly all: boolean; readonly now: EpochMs; readonly onProgress: (file: CaptureFile) => void },
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
    await readCapture(file, bytes, target, all, {
      onConnection: (connection) => keep(judge(connection, file)),
      onProgress: () => onProgress(file),
    });
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
  const { problem, others, excess, packets, isRelative, format, unread, undecoded } = captured;
  const name = `"${captured.file}"`;
  const isWithout = packets > 0 && !connections.some(({ file }) => file === captured);
  const formats = [...undecoded].map(([format, count]) => `${String(count)} × ${format}`).join(', ');
  const unseen = undecoded.size === 0 ? '' : ' in the packets that could be decoded';
  const notes = [
    problem !== null && `Cannot read ${format === null ? '' : 'all of '}${name}: ${problem}.`,
    isWithout && `${name} contains ${counted(packets, 'packet')}, but no connection to ${authority(target)}${unseen}.`,
    undecoded.size > 0 && `${name}: packets that ftm-watch does not decode: ${formats}. They may contain a connection.`,
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
    'The capture contains only one direction of a connection, for example because of offloading, a capture filter or ' +
    'a different return path. Capture both directions, with offloading disabled ("ftm-watch capture --print-command ' +
    'fortigate").',
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
      traces: [],
      now: file.isRelative ? now : seen.startedAt,
    };
    return { ...base, ...chainVerdict(seen, evidence, knowledge, now) };
  };
}

/** If the reason is null, TCP failed and TLS was not attempted. */
type UnseenChain = readonly [because: Unseen | null, text: string];

const NOT_ENDED: UnseenChain = ['truncated', 'The capture or the connection ended before the handshake was complete.'];

/** Returns null if both directions were captured completely, which means that TLS itself failed. */
function unseenChain(seen: Connection, { sawAnswers }: CaptureFile): UnseenChain | null {
  const { end, missing, handshake, startedAt, endedAt } = seen;
  const attempts = `${String(seen.synAttempts)} SYNs in ${spanText(endedAt - startedAt)} were not answered`;
  if (end === 'refused') return [null, `${refusalOf(seen)}.`];
  if (end === 'no-answer')
    return sawAnswers
      ? [null, `${attempts}, but the capture contains answers from other hosts.`]
      : ['one-direction', `${attempts}, and the capture contains no answer from any server.`];
  if (missing !== null) return missing;
  if (handshake.hello === null && handshake.plain === null)
    return ['truncated', 'The capture contains no TLS hello from the client.'];
  if (handshake.version === '1.3') return ['tls-1.3', 'The server chose TLS 1.3, which encrypts its certificate.'];
  return handshake.isResumed ? ['resumed', 'The server resumed an earlier session and sent no certificate.'] : null;
}

function refusalOf({ rejection, server }: Connection): string {
  return rejection === null
    ? `A reset (RST) from ${hostOf(server)} answered the SYN`
    : `${rejection.by} rejected the connection (ICMP: ${rejection.reason})`;
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
  const { serverAlert, plain } = handshake;
  const waited = endedAt - startedAt;
  if (isUnanswered && serverAlert !== null) return ['tls', `The server sent the TLS alert ${serverAlert.name}`];
  if (isUnanswered && plain !== null) return ['protocol', 'The server answered in plain text where TLS was expected'];
  const isCut = isUnanswered || seen.hasClientStopped;
  if (isCut && end === 'reset-by-server') return ['reset', 'The connection was reset during the handshake'];
  if (isCut && end === 'closed-by-server') return ['closed', 'The server closed the connection during the handshake'];
  return isUnanswered && (unarrived > 0 || (waited >= PATIENCE && end !== 'reset-by-client'))
    ? ['timeout', `No certificate within ${spanText(waited)}`]
    : null;
}

type Judged = Omit<JudgedConnection, 'seen' | 'file' | 'subject' | 'chain' | 'pairedWith'>;

function chainVerdict(seen: Connection, evidence: TlsEvidence, { checks }: TlsKnowledge, now: EpochMs): Judged {
  const refusedBy = refusals(seen, evidence.target, null, '');
  const atCapture = judgeTls(evidence, checks);
  const today = { ...evidence, now };
  // A capturing device without a clock stamps packets with 1970, for example. The dates alone are then no evidence.
  const atPresent =
    atCapture.verdict === 'certificate-broken' && refusedBy.length === 0 ? judgeTls(today, checks) : atCapture;
  const isClockWrong = atPresent !== atCapture && isGenuine(atPresent);
  const { verdict, confidence, findings, summary, wouldSettle } = isClockWrong ? atPresent : atCapture;
  const isRejected = isGenuine({ verdict }) && refusedBy.length > 0;
  const remarks = [
    isClockWrong &&
      "The certificate's dates were checked against the current time, because they do not fit the time of the " +
        `capture (${dayText(evidence.now)}). The clock of the capturing device is probably wrong.`,
    evidence.outcome.chain !== null && !seen.handshake.clientWentOn && seen.lacksClientData && CLIENT_NOT_CAPTURED,
    wouldSettle !== null && `For a definite result, ${verdict === 'unknown' ? wouldSettle : COMPARE}.`,
  ];
  return {
    verdict,
    because: null,
    confidence,
    findings: [
      ...findings,
      ...lostFindings(seen, evidence.target),
      ...(isRejected ? refusals(seen, evidence.target, null, ', although this configuration accepts it') : refusedBy),
    ],
    summary: isRejected ? `${summary}, but the client rejected it` : summary,
    evidenceOfChain: isClockWrong ? today : evidence,
    remarks: [...remarksOn(seen), ...remarks.filter((text) => typeof text === 'string')],
  };
}

/** A capture has no control hosts, which could otherwise be configured. */
const COMPARE = 'run "ftm-watch check" in the same network, which also checks the certificates of other hosts';

const CLIENT_NOT_CAPTURED =
  "The client's packets are not in the capture, so it is not known whether the client accepted the certificate.";

function isGenuine({ verdict }: Pick<JudgedConnection, 'verdict'>): boolean {
  return verdict === 'genuine' || verdict === 'rotated';
}

function unseenVerdict(seen: Connection, [because, text]: UnseenChain, subject: string): Judged {
  const failed = seen.end === 'refused' ? refusalOf(seen) : `The connection to ${seen.server} was never answered`;
  const unopened = suspicion('port-opens', subject, 'egress-blocked', ['A TCP connection', `${failed}.`]);
  const findings =
    because === null
      ? [unopened]
      : refusals(seen, subject, 'tls-interception-suspected', '').map((one) => ({ ...one, advice: REJECTED_UNSEEN }));
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

/** The cause's general words describe the certificate, which is not in the capture. */
const REJECTED_UNSEEN: Advice = {
  summary:
    'The client rejected the certificate that it received for {subject}. The capture does not show this certificate, ' +
    'which may be the certificate of an inspecting device.',
  remedy: CAPTURE_STEPS,
};

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
  const { tunnel, hello, clientCertificate, serverAlert, version } = handshake;
  const remarks = [
    hello !== null &&
      hello.serverName === null &&
      'The client sent no server name (SNI), so a firewall can exempt this connection by name only if the certificate ' +
        'contains the name.',
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

/**
 * Finds connections that carry the same traffic on both sides of a device. If both have the same client random value,
 * the device changed only addresses. If the values differ, the device terminated TLS, regardless of the TLS version.
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
  const connections = judged.map((inner) => {
    const outers = judged.filter((outer) => isTerminated(inner, outer));
    const [outer] = outers.toSorted((one, other) => apart(inner, one) - apart(inner, other));
    if (outer === undefined) return inner;
    pair(inner, outer);
    const interceptor = interceptorOf(inner, outer);
    interceptors.push(interceptor);
    return intercepted(inner, outer, interceptor);
  });
  return { connections, interceptor: interceptors[0] ?? null, notes: [...notes, ...unrelatedNotes(connections)] };
}

function unrelatedNotes(connections: readonly JudgedConnection[]): readonly string[] {
  const byFile = [...Map.groupBy(connections.filter(isSingle), ({ file }) => file)];
  return byFile.flatMap(([file, ones], index) =>
    byFile.slice(index + 1).flatMap(([other, others]) => {
      if (!ones.some((one) => others.some((another) => isOfSameServer(one, another)))) return [];
      const hasDates = !file.isRelative && !other.isRelative;
      const reason = hasDates ? 'none of them overlap in time and have the same size' : 'their times have no date';
      return [
        `Connections in "${file.file}" and "${other.file}" cannot be compared, because ${reason}. Capture both sides ` +
          'at the same time, with dates and synchronized clocks.',
      ];
    }),
  );
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
 * A device opens its own connection while it holds the client's, and passes on about as much data. In a single capture,
 * it also receives the inner connection and sends the outer one.
 */
function isTerminated(inner: JudgedConnection, outer: JudgedConnection): boolean {
  const [inside, outside] = [inner.seen, outer.seen];
  const isOneCapture = inner.file === outer.file;
  const isPlaced = isOneCapture
    ? inside.side === 'in' && outside.side === 'out'
    : !inner.file.isRelative && !outer.file.isRelative;
  const isDuring = inside.startedAt <= outside.startedAt && outside.startedAt <= inside.endedAt;
  // A device cannot make a forged chain genuine again.
  const isInOrder = !isForged(outer) || isForged(inner) || inner.chain === null;
  if (!isPlaced || !isDuring || !isInOrder || !isSingle(inner) || !isSingle(outer)) return false;
  // If the leaf certificates differ, there is a device with its own key in between, because only the server has the
  // server's key.
  return isOfSameServer(inner, outer) && isSameAmount(inside, outside) && !isSameLeaf(inner.chain, outer.chain);
}

function isOfSameServer({ seen: inner }: JudgedConnection, { seen: outer }: JudgedConnection): boolean {
  return inner.handshake.hello !== null && outer.handshake.hello !== null && isSameServer(inner, outer);
}

/** The difference that two chains, handshakes and a request to a proxy can make, in bytes. */
const HANDSHAKE_DIFFERENCE = 24 * 1024;

function isSameAmount(inside: Connection, outside: Connection): boolean {
  return (['client', 'server'] as const).every((role) => {
    const [one, other] = [inside.sent(role), outside.sent(role)];
    return Math.abs(one - other) <= HANDSHAKE_DIFFERENCE + Math.max(one, other) / 2;
  });
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

function intercepted(inner: JudgedConnection, outer: JudgedConnection, interceptor: Interceptor): JudgedConnection {
  const { confidence, summary } = interceptor;
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
    findings: [{ ...passedOn, confidence, ...deviceBetween(inner, outer, interceptor) }, ...others],
  };
}

/** Both sides were captured, so the remedy does not begin with a search for the device. */
function deviceBetween(
  { file, findings }: JudgedConnection,
  outer: JudgedConnection,
  { inside, outside, confidence }: Interceptor,
): Pick<Finding, 'facts' | 'advice'> {
  if (file === outer.file)
    return {
      facts: { product: file.format === 'fortigate' ? 'Fortinet FortiGate' : 'the device that made the capture' },
    };
  const product = findings.find(({ facts }) => facts?.product !== undefined)?.facts?.product;
  if (product !== undefined) return { facts: { product } };
  return {
    advice: {
      summary:
        `TLS to {subject} is ${confidence === 'confirmed' ? '' : 'probably '}terminated by a device between the ` +
        `capture points of ${inside} and ${outside}.`,
      remedy: [
        'Find the device between the two capture points, and exempt the traffic from {source} to ' +
          '{host}, TCP {port}, from TLS inspection there.',
      ],
    },
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
