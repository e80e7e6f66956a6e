import { createCertificateCache } from '../core/parse-certificate.ts';
import type { CapturedChain } from '../core/certificate.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import type { FailureReason, TlsOutcome } from '../core/observation.ts';
import { spanText } from '../core/time-text.ts';
import { authority, plainName } from '../core/addresses.ts';
import { type Confidence, type Finding, isFault } from '../engine/model.ts';
import type { TlsKnowledge } from '../checks/tls-genuine/judge-path.ts';
import type { TlsEvidence, Verdict } from '../checks/tls-genuine/chain-case.ts';
import { judgeTls } from '../checks/tls-genuine/verdict.ts';
import { readableText } from '../network/tls/handshake.ts';
import type { Connection } from './connections.ts';
import type { CaptureFile } from './packets.ts';
import type { CaptureTarget } from './read-capture.ts';

/** Why a connection cannot be judged. */
type Unseen = 'tls-1.3' | 'resumed' | 'mid-stream' | 'gap' | 'truncated' | 'one-direction';

export interface JudgedConnection {
  readonly seen: Connection;
  readonly file: CaptureFile;
  /** `host:port` that the client wanted to reach. */
  readonly subject: string;
  readonly verdict: Verdict;
  /** Why the verdict is `unknown`. Null for other verdicts, and if the connection failed before TLS. */
  readonly because: Unseen | null;
  readonly confidence: Confidence;
  readonly chain: CapturedChain | null;
  /** Basis of the verdict. Null if no chain was seen. */
  readonly evidenceOfChain: TlsEvidence | null;
  readonly findings: readonly Finding[];
  /** One sentence without a full stop. */
  readonly summary: string;
  /** Additional sentences that are not in the findings. */
  readonly told: readonly string[];
  /** The other leg of the same traffic. */
  pairedWith: Connection | null;
}

export type Level = 'fault' | 'warning' | 'ok' | 'unknown';

export function levelOf({ verdict, findings }: JudgedConnection): Level {
  if (findings.some(({ level }) => level === 'broken')) return 'fault';
  if (findings.some(({ level }) => level === 'warning')) return 'warning';
  return verdict === 'unknown' ? 'unknown' : 'ok';
}

/** Returns all sentences about the connection except for its summary. */
export function evidenceOf({ findings, told, summary }: JudgedConnection): readonly string[] {
  const sentences = new Set([...findings.map(({ claim }) => claim), ...told]);
  sentences.delete(`${summary}.`);
  return [...sentences];
}

/** Returns the id of the cause in the catalogue. */
export function causeOf({ findings }: JudgedConnection): string | null {
  return findings.find((finding) => isFault(finding) && finding.suggests !== null)?.suggests ?? null;
}

/** Minimum time that a client waits for an answer before it gives up. */
const PATIENCE: Millis = 3_000;
const MAX_CERTIFICATES = 16;

/** Alerts about certificates (RFC 8446 §6.2): bad, unsupported, revoked, expired, unknown, unknown authority. */
const REFUSALS: readonly number[] = [42, 43, 44, 45, 46, 48];
/** Size of an encrypted alert in TLS 1.3: two bytes, the type and the tag. */
const ENCRYPTED_ALERT = 19;

/** How to find out what a capture cannot show. */
export const WOULD_SHOW: Readonly<Record<Unseen, string>> = {
  'tls-1.3':
    'TLS 1.3 encrypts the certificate. A capture with both sides of the firewall in it shows whether TLS ends there ' +
    '("ftm-watch capture --print-command fortigate"), and "ftm-watch check" from the same network asks with TLS 1.2.',
  resumed:
    'The connection went on with an earlier session, which sends no certificate. Restart the service on ' +
    'FortiAuthenticator, or capture for longer: the first connection shows it.',
  'mid-stream':
    'The capture begins after the handshake. Start it first, then test the connection on FortiAuthenticator.',
  gap: 'Packets are missing in the capture: disable offloading for it, and capture nothing else ("--print-command").',
  truncated:
    'The capture does not contain the whole handshake. Capture whole packets (no limit of their size), and until the ' +
    'connection has ended.',
  'one-direction':
    'Only one direction was captured: offloading or another path hides the other one. The command of ' +
    '"ftm-watch capture --print-command fortigate" disables offloading.',
};

/** Returns a judge for single connections that uses the configured trust. */
export function createConnectionJudge(
  target: CaptureTarget,
  knowledgeOf: (target: string) => TlsKnowledge,
  now: EpochMs,
): (seen: Connection, file: CaptureFile) => JudgedConnection {
  const cache = createCertificateCache(256);
  const own = [target.host, target.serverName ?? target.host].map(plainName);
  return (seen, file) => {
    const { hello, certificates } = seen.handshake;
    const name = plainName(hello?.serverName ?? target.host);
    const subject = authority(own.includes(name) ? target : { host: name, port: seen.serverPort });
    const ders = certificates?.slice(0, MAX_CERTIFICATES) ?? [];
    const parsed = ders.flatMap((der) => cache.parse(der) ?? []);
    const chain = certificates === null ? null : { certificates: parsed, dropped: certificates.length - parsed.length };
    // The parsed certificates contain the bytes too.
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
      previous: [],
      knownFlaws: knowledge.flaws.at(seen.serverAddress),
      traces: [],
      now: file.isRelative ? now : seen.startedAt,
    };
    return { ...base, ...chainVerdict(seen, evidence, knowledge) };
  };
}

/** A null reason means that TCP failed, so TLS was not attempted. */
type UnseenChain = readonly [because: Unseen | null, text: string];

/**
 * Returns why there is nothing to judge if the chain is not in the capture. Null if both sides are complete and TLS
 * failed.
 */
function unseenChain(seen: Connection, { sawAnswers }: CaptureFile): UnseenChain | null {
  const { end, missing, handshake, startedAt, endedAt } = seen;
  const attempts = `Nobody answered ${String(seen.synAttempts)} SYNs in ${spanText(endedAt - startedAt)}`;
  if (end === 'refused') return [null, 'The server refused the connection (RST in answer to SYN).'];
  if (end === 'no-answer')
    return sawAnswers
      ? [null, `${attempts}; answers to other connections are in the capture.`]
      : ['one-direction', `${attempts}, but no answer of any server was captured either.`];
  if (missing !== null) return missing;
  if (handshake.hello === null && handshake.plain === null)
    return ['truncated', 'The client sent no TLS hello while it was captured.'];
  if (handshake.version === '1.3')
    return ['tls-1.3', 'The server chose TLS 1.3, in which its certificate is encrypted.'];
  return handshake.isResumed ? ['resumed', 'The server resumed an earlier session, without a certificate.'] : null;
}

/**
 * Returns how the handshake failed. This includes which side closed the connection right after the certificate, but not
 * what the client does later.
 */
function failureOf(seen: Connection, isUnanswered: boolean): readonly [FailureReason, message: string] | null {
  const { end, unarrived, startedAt, endedAt, handshake } = seen;
  const waited = endedAt - startedAt;
  const isCut = isUnanswered || (!handshake.clientWentOn && handshake.clientAlert === null);
  if (isCut && end === 'reset-by-server') return ['reset', 'The connection was reset in the handshake'];
  if (isCut && end === 'closed-by-server') return ['closed', 'The server closed the connection in the handshake'];
  return isUnanswered && (unarrived > 0 || (waited >= PATIENCE && end !== 'reset-by-client'))
    ? ['timeout', `No certificate within ${spanText(waited)}`]
    : null;
}

/** Versions to which Node gives different names. */
const OLD_PROTOCOLS: ReadonlyMap<string, string> = new Map([
  ['SSL 3.0', 'SSLv3'],
  ['1.0', 'TLSv1'],
]);

/** Returns null if the handshake had not ended. */
function outcomeOf(seen: Connection, chain: CapturedChain | null): TlsOutcome | null {
  const { hello, version, plain, serverAlert } = seen.handshake;
  const facts = { serverName: hello?.serverName ?? '', durationMs: seen.endedAt - seen.startedAt };
  const alert = serverAlert?.name ?? null;
  const plaintext = plain === null ? null : readableText(plain);
  const answer: readonly [FailureReason, string] | null =
    alert !== null
      ? ['tls', `The server sent the TLS alert ${alert}`]
      : plaintext !== null
        ? ['protocol', 'The server answered in plain text where TLS was expected']
        : null;
  const failure = (chain === null ? answer : null) ?? failureOf(seen, chain === null);
  if (failure !== null) {
    const [reason, message] = failure;
    return { ...facts, kind: 'failed', reason, message, alert, chain, plaintext, receivedBytes: seen.serverFlight };
  }
  if (chain === null) return null;
  const protocol = version === null ? null : (OLD_PROTOCOLS.get(version) ?? `TLSv${version}`);
  return { ...facts, chain, kind: 'established', protocol, cipher: null };
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
    summary: refused.length > 0 && isGenuine ? `${summary}, but the client refused it` : summary,
    evidenceOfChain: evidence,
    told: [...tell(seen), ...(wouldSettle === null ? [] : [`For a definite result, ${wouldSettle}.`])],
  };
}

/** A capture alone is a single view, so alternative explanations remain open. */
export function suspicion(
  rule: string,
  subject: string,
  suggests: string | null,
  [expected, claim]: readonly [expected: string, claim: string],
): Finding {
  return { rule, subject, claim, expected, level: 'broken', suggests, confidence: 'suspected' };
}

/** Findings for alerts in which the client rejected the certificate without encryption. */
function refusals(
  { handshake }: Connection,
  subject: string,
  suggests: string | null,
  more: string,
): readonly Finding[] {
  const { clientAlert } = handshake;
  if (clientAlert === null || !REFUSALS.includes(clientAlert.code)) return [];
  const claim = `The client refused the certificate that it was shown (alert ${clientAlert.name})${more}.`;
  const expected = 'A client that goes on after the certificate';
  return [suspicion('client-accepts-certificate', subject, suggests, [expected, claim])];
}

/** Findings for a certificate that was sent but never arrived. */
function lostFindings({ unarrived, handshake }: Connection, subject: string): readonly Finding[] {
  if (unarrived === 0 || handshake.clientWentOn) return [];
  const expected = 'A client that acknowledges the certificate';
  const lost = suspicion('large-answers-arrive', subject, 'tls-blocked', [expected, lostText(unarrived)]);
  return [{ ...lost, kind: 'large-answers-lost' }];
}

function lostText(unarrived: number): string {
  return (
    `The client never acknowledged the last ${String(unarrived)} bytes of the server: large packets are probably ` +
    'lost on the path (MTU).'
  );
}

const NOT_ENDED: UnseenChain = ['truncated', 'The handshake had not ended when the capture or the client ended it.'];

function unseenVerdict(seen: Connection, [because, text]: UnseenChain, subject: string): Judged {
  const failed = `The connection to ${seen.server} was ${seen.end === 'refused' ? 'refused' : 'never answered'}`;
  const refused = refusals(seen, subject, 'tls-interception-suspected', '');
  const unreached = suspicion('port-opens', subject, 'egress-blocked', ['A TCP connection', `${failed}.`]);
  const summary =
    refused.length > 0
      ? `The client refused the certificate that it was shown for ${subject}`
      : `The certificate of ${subject} is not in the capture`;
  return {
    verdict: 'unknown',
    because,
    confidence: 'suspected',
    findings: because === null ? [unreached] : refused,
    summary: because === null ? failed : summary,
    evidenceOfChain: null,
    told: [text, ...tell(seen)],
  };
}

const ENDS: Readonly<Partial<Record<Connection['end'], string>>> = {
  'closed-by-client': 'The client closed the connection.',
  'closed-by-server': 'The server closed the connection.',
  'reset-by-client': 'The client reset the connection.',
  'reset-by-server': 'The connection was reset in the name of the server.',
};

/** Returns sentences about everything other than the certificate. */
function tell({ handshake, end, resetTtl, unarrived, serverFlight }: Connection): readonly string[] {
  const { tunnel, clientCertificate, serverAlert, version, firstEncrypted } = handshake;
  const isEncrypted = version === '1.3';
  const told: readonly (readonly [holds: boolean, text: string | undefined])[] = [
    [tunnel !== null, `The client asked the proxy for a tunnel to ${tunnel ?? ''}.`],
    [
      isEncrypted && firstEncrypted === ENCRYPTED_ALERT,
      `The client's first encrypted record has ${String(ENCRYPTED_ALERT)} bytes, as an alert has: consistent with a ` +
        'client that refuses the certificate, but no proof.',
    ],
    [clientCertificate === true, 'The client sent a certificate.'],
    [clientCertificate === false, 'The client was asked for a certificate and sent none.'],
    [serverAlert !== null, `The server sent the alert ${serverAlert?.name ?? ''}.`],
    [true, ENDS[end]],
    [
      resetTtl !== null,
      `The reset has the TTL ${String(resetTtl?.reset)}, other packets of the server ${String(resetTtl?.usual)}: ` +
        'a hint that another device sent it.',
    ],
    [unarrived > 0 && !handshake.clientWentOn, lostText(unarrived)],
    [
      isEncrypted && serverFlight > 0,
      `The server's first answer has ${String(serverFlight)} bytes, which fits many certificates: no proof of one.`,
    ],
  ];
  return told.flatMap(([holds, text]) => (holds && text !== undefined ? [text] : []));
}
