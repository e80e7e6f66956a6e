import { createCertificateCache } from '../core/parse-certificate.ts';
import type { CapturedChain, Certificate } from '../core/certificate.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import type { TlsOutcome } from '../core/observation.ts';
import { spanText } from '../core/time-text.ts';
import { authority, plainName } from '../core/addresses.ts';
import { type Confidence, type Finding, isFault } from '../engine/model.ts';
import type { TlsKnowledge } from '../checks/tls-genuine/judge-path.ts';
import { createSignatureChecks } from '../tls/chain.ts';
import type { TlsEvidence, Verdict } from '../checks/tls-genuine/chain-case.ts';
import { judgeTls } from '../checks/tls-genuine/verdict.ts';
import { readableText } from '../network/tls/handshake.ts';
import type { SeenConnection } from './connections.ts';
import type { CapturedFile, CaptureTarget } from './read-capture.ts';

/** Why a connection cannot be judged. */
export type Unseen = 'tls-1.3' | 'resumed' | 'mid-stream' | 'gap' | 'truncated' | 'one-direction';

/** One connection with the verdict on it. */
export interface JudgedConnection extends SeenConnection {
  readonly file: string;
  /** Dates are relative: no time is known. */
  readonly isUndated: boolean;
  readonly verdict: Verdict;
  /** Null, unless the verdict is `unknown`: and then null where the connection failed before TLS. */
  readonly because: Unseen | null;
  readonly confidence: Confidence;
  /** Id of the cause in the catalogue. */
  readonly cause: string | null;
  readonly chain: CapturedChain | null;
  /** What the verdict rests on: null where no chain was seen. */
  readonly evidenceOfChain: TlsEvidence | null;
  readonly findings: readonly Finding[];
  readonly level: 'ok' | 'warning' | 'fault' | 'unknown';
  /** One sentence without a full stop. */
  readonly summary: string;
  readonly evidence: readonly string[];
  /** Place in the list of the other leg of the same traffic. */
  readonly pairedWith: number | null;
}

/** A client waits at least so long for an answer before it gives up. */
const PATIENCE: Millis = 3_000;
const MAX_CERTIFICATES = 16;

/** Alerts about a certificate (RFC 8446 §6.2): bad, unsupported, revoked, expired, unknown, of an unknown authority. */
const REFUSALS: readonly number[] = [42, 43, 44, 45, 46, 48];
/** An encrypted alert under TLS 1.3: two bytes, the type and the tag. */
const ENCRYPTED_ALERT = 19;

/** What would show more than a capture does. */
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

/** Judges what was read of a file, with what the configuration trusts. */
export function judgeCapture(
  file: string,
  captured: CapturedFile,
  target: CaptureTarget,
  knowledge: { readonly of: (target: string) => TlsKnowledge; readonly now: EpochMs },
): readonly JudgedConnection[] {
  const cache = createCertificateCache(256);
  const checks = createSignatureChecks();
  return captured.connections.map((seen) => {
    const { hello, certificates, tunnel } = seen.handshake;
    const ofTarget = authority(target);
    const name = hello?.serverName ?? null;
    const own = [target.host, target.serverName ?? target.host].map(plainName);
    const isOwn = name === null || own.includes(plainName(name));
    const subject = isOwn ? ofTarget : authority({ host: name, port: seen.serverPort });
    const chain = certificates === null ? null : chainOf(certificates, (der) => cache.parse(der));
    const opening = openingOf(seen, chain, captured.sawAnswers);
    const base = { ...seen, file, isUndated: captured.areTimesRelative, chain, pairedWith: null };
    const told = [...tellTunnel(tunnel), ...tellClient(seen), ...tellEnd(seen), ...tellFlight(seen)];
    if (opening.kind === 'unseen')
      return { ...base, ...unseenVerdict(seen, opening, subject), evidence: [opening.text, ...told] };
    if (opening.kind === 'unreached')
      return { ...base, ...unreachedVerdict(seen, opening.text, subject), evidence: [opening.text, ...told] };
    const evidence: TlsEvidence = {
      target: subject,
      serverName: hello?.serverName ?? null,
      outcome: opening.outcome,
      controls: [],
      references: [],
      openssl: null,
      traces: [],
      now: captured.areTimesRelative ? knowledge.now : seen.startedAt,
      ...knowledgeFor(knowledge.of(subject), seen.serverAddress),
    };
    return { ...base, ...chainVerdict(seen, evidence, checks, told) };
  });
}

function knowledgeFor(
  { trust, profile, products, baseline, flaws, remembered }: TlsKnowledge,
  address: string,
): Pick<TlsEvidence, 'trust' | 'profile' | 'products' | 'baseline' | 'previous' | 'remembered' | 'knownFlaws'> {
  return { trust, profile, products, baseline, previous: [], remembered, knownFlaws: flaws.at(address) };
}

function chainOf(ders: readonly Uint8Array[], parse: (der: Uint8Array) => Certificate | null): CapturedChain {
  const certificates = ders.slice(0, MAX_CERTIFICATES).flatMap((der) => parse(der) ?? []);
  return { certificates, dropped: ders.length - certificates.length };
}

/** What there is to judge. `unreached`: TCP failed, so that TLS was not even tried. */
type Opening =
  | { readonly kind: 'outcome'; readonly outcome: TlsOutcome }
  | { readonly kind: 'unseen'; readonly because: Unseen; readonly text: string }
  | { readonly kind: 'unreached'; readonly text: string };

function openingOf(seen: SeenConnection, chain: CapturedChain | null, sawAnswers: boolean): Opening {
  if (chain !== null) return { kind: 'outcome', outcome: outcomeWith(seen, chain) };
  return openingBeforeTls(seen, sawAnswers) ?? openingWithoutChain(seen);
}

/** Null: the client said hello, and the capture shows both sides. */
function openingBeforeTls(seen: SeenConnection, sawAnswers: boolean): Opening | null {
  const { handshake, end, gap, unseen } = seen;
  if (end === 'refused')
    return { kind: 'unreached', text: 'The server refused the connection (RST in answer to SYN).' };
  const attempts = `${String(seen.synAttempts)} SYNs in ${spanText(seen.endedAt - seen.startedAt)}`;
  if (end === 'no-answer')
    return sawAnswers
      ? { kind: 'unreached', text: `Nobody answered ${attempts}; answers to other connections are in the capture.` }
      : unseenBecause('one-direction', `Nobody answered ${attempts}, but no answer of any server was captured either.`);
  if (seen.isMidStream) return unseenBecause('mid-stream', 'The beginning of the connection was not captured.');
  if (unseen !== null) return unseenBecause('one-direction', `No packet of the ${unseen} was captured.`);
  if (gap !== null)
    return unseenBecause(gap.isCut ? 'truncated' : 'gap', `${gap.text[0]?.toUpperCase() ?? ''}${gap.text.slice(1)}.`);
  if (handshake.hello !== null || handshake.plain !== null) return null;
  return unseenBecause('truncated', 'The client sent no TLS hello while it was captured.');
}

function unseenBecause(because: Unseen, text: string): Opening {
  return { kind: 'unseen', because, text };
}

function openingWithoutChain(seen: SeenConnection): Opening {
  const { handshake, end } = seen;
  const { version, plain, serverAlert, isResumed } = handshake;
  if (version === '1.3')
    return unseenBecause('tls-1.3', 'The server chose TLS 1.3, in which its certificate is encrypted.');
  if (isResumed) return unseenBecause('resumed', 'The server resumed an earlier session, without a certificate.');
  const waited = seen.endedAt - seen.startedAt;
  const failed = (reason: 'tls' | 'protocol' | 'reset' | 'closed' | 'timeout', message: string): Opening => ({
    kind: 'outcome',
    outcome: {
      kind: 'failed',
      reason,
      message,
      durationMs: waited,
      serverName: handshake.hello?.serverName ?? '',
      alert: serverAlert?.name ?? null,
      chain: null,
      plaintext: plain === null ? null : readableText(plain),
      receivedBytes: seen.serverFlight,
    },
  });
  if (serverAlert !== null) return failed('tls', `The server sent the TLS alert ${serverAlert.name}`);
  if (plain !== null) return failed('protocol', 'The server answered in plain text where TLS was expected');
  if (end === 'reset-by-server') return failed('reset', 'The connection was reset');
  if (end === 'closed-by-server') return failed('closed', 'The server closed the connection');
  if (seen.unarrived > 0 || (waited >= PATIENCE && end !== 'reset-by-client'))
    return failed('timeout', `No certificate within ${spanText(waited)}`);
  return unseenBecause(
    'truncated',
    `The handshake had not ended after ${spanText(waited)}, when the capture or the client ended it.`,
  );
}

/** Who cut a connection right after the certificate is part of the verdict; what the client does is not. */
function outcomeWith({ handshake, end, startedAt, endedAt }: SeenConnection, chain: CapturedChain): TlsOutcome {
  const durationMs = endedAt - startedAt;
  const facts = { serverName: handshake.hello?.serverName ?? '', durationMs };
  const isCut = !handshake.clientWentOn && handshake.clientAlert === null;
  if (isCut && (end === 'reset-by-server' || end === 'closed-by-server'))
    return {
      ...facts,
      kind: 'failed',
      reason: end === 'reset-by-server' ? 'reset' : 'closed',
      message: 'The connection ended right after the certificate',
      alert: handshake.serverAlert?.name ?? null,
      chain,
      plaintext: null,
    };
  return { ...facts, kind: 'established', chain, protocol: protocolName(handshake.version), cipher: null };
}

/** As Node names it. */
function protocolName(version: string | null): string | null {
  return version === null ? null : version === 'SSL 3.0' ? 'SSLv3' : version === '1.0' ? 'TLSv1' : `TLSv${version}`;
}

type Judged = Pick<
  JudgedConnection,
  'verdict' | 'because' | 'confidence' | 'cause' | 'findings' | 'level' | 'summary' | 'evidenceOfChain'
>;

function refusalOf({ handshake: { clientAlert } }: SeenConnection): string | null {
  return clientAlert !== null && REFUSALS.includes(clientAlert.code) ? clientAlert.name : null;
}

function chainVerdict(
  seen: SeenConnection,
  evidence: TlsEvidence,
  checks: ReturnType<typeof createSignatureChecks>,
  told: readonly string[],
): Judged & Pick<JudgedConnection, 'evidence'> {
  const { verdict, confidence, findings: ofChain, summary, wouldSettle } = judgeTls(evidence, checks);
  const findings = [...ofChain, ...lostFindings(seen, evidence.target)];
  const fault = findings.find((finding) => isFault(finding) && finding.suggests !== null);
  const refusal = refusalOf(seen);
  const isBroken = findings.some(({ level }) => level === 'broken') || refusal !== null;
  const isWarned = findings.some(({ level }) => level === 'warning');
  const isGenuine = verdict === 'genuine' || verdict === 'rotated';
  const refused =
    refusal === null
      ? null
      : isGenuine
        ? `The client refused the certificate (alert ${refusal}), although this configuration accepts it.`
        : `The client refused the certificate (alert ${refusal}).`;
  return {
    verdict,
    because: null,
    confidence,
    cause: fault?.suggests ?? null,
    findings,
    level: isBroken ? 'fault' : isWarned ? 'warning' : verdict === 'unknown' ? 'unknown' : 'ok',
    summary: refused !== null && isGenuine ? `${summary}, but the client refused it` : summary,
    evidenceOfChain: evidence,
    evidence: [
      ...findings.map(({ claim }) => claim),
      ...(refused === null ? [] : [refused]),
      ...told,
      ...(wouldSettle === null ? [] : [`This would settle it: ${wouldSettle}.`]),
    ],
  };
}

/** The certificate was sent, and never arrived. */
function lostFindings({ unarrived, handshake }: SeenConnection, subject: string): readonly Finding[] {
  if (unarrived === 0 || handshake.clientWentOn) return [];
  return [
    {
      rule: 'large-answers-arrive',
      subject,
      claim: lostText(unarrived),
      expected: 'A client that acknowledges the certificate',
      level: 'broken',
      suggests: 'tls-blocked',
      confidence: 'suspected',
      kind: 'large-answers-lost',
    },
  ];
}

function lostText(unarrived: number): string {
  return (
    `The client never acknowledged the last ${String(unarrived)} bytes of the server: large packets are probably lost on ` +
    'the path (MTU).'
  );
}

function unseenVerdict(
  seen: SeenConnection,
  { because, text }: { readonly because: Unseen; readonly text: string },
  subject: string,
): Judged {
  const refusal = refusalOf(seen);
  const base = { verdict: 'unknown', because, confidence: 'suspected', evidenceOfChain: null } as const;
  if (refusal === null)
    return {
      ...base,
      cause: null,
      findings: [],
      level: 'unknown',
      summary: `The certificate of ${subject} is not in the capture`,
    };
  const claim = `The client refused what it was shown, with the alert ${refusal}.`;
  return {
    ...base,
    cause: 'tls-interception-suspected',
    findings: [
      {
        rule: 'client-accepts-certificate',
        subject,
        claim,
        expected: 'A client that goes on after the certificate',
        actual: `${claim} ${text}`,
        level: 'broken',
        suggests: 'tls-interception-suspected',
        confidence: 'suspected',
      },
    ],
    level: 'fault',
    summary: `The client refused the certificate that it was shown for ${subject} (alert ${refusal})`,
  };
}

function unreachedVerdict({ end, server }: SeenConnection, text: string, subject: string): Judged {
  const summary =
    end === 'refused' ? `The connection to ${server} was refused` : `The connection to ${server} was never answered`;
  const finding: Finding = {
    rule: 'port-opens',
    subject,
    claim: `${summary}.`,
    expected: 'A TCP connection',
    actual: text,
    level: 'broken',
    suggests: 'egress-blocked',
    confidence: 'suspected',
  };
  return {
    verdict: 'unknown',
    because: null,
    confidence: 'suspected',
    cause: 'egress-blocked',
    findings: [finding],
    level: 'fault',
    summary,
    evidenceOfChain: null,
  };
}

function tellTunnel(tunnel: string | null): readonly string[] {
  return tunnel === null ? [] : [`The client asked the proxy for a tunnel to ${tunnel}.`];
}

function tellClient({ handshake: { clientCertificate, firstEncrypted, version } }: SeenConnection): readonly string[] {
  if (version === '1.3' && firstEncrypted === ENCRYPTED_ALERT)
    return [
      `The client's first encrypted record has ${String(firstEncrypted)} bytes, as an alert has: consistent with a ` +
        'client that refuses the certificate, but no proof.',
    ];
  if (clientCertificate === null) return [];
  return [
    clientCertificate ? 'The client sent a certificate.' : 'The client was asked for a certificate and sent none.',
  ];
}

const ENDS: Readonly<Record<SeenConnection['end'], string | null>> = {
  open: null,
  'closed-by-client': 'The client closed the connection.',
  'closed-by-server': 'The server closed the connection.',
  'reset-by-client': 'The client reset the connection.',
  'reset-by-server': 'The connection was reset in the name of the server.',
  refused: null,
  'no-answer': null,
};

function tellEnd({ end, resetTtl, handshake: { serverAlert } }: SeenConnection): readonly string[] {
  return [
    ...(serverAlert === null ? [] : [`The server sent the alert ${serverAlert.name}.`]),
    ...(ENDS[end] === null ? [] : [ENDS[end]]),
    ...(resetTtl === null
      ? []
      : [
          `The reset has the TTL ${String(resetTtl.reset)}, other packets of the server ${String(resetTtl.usual)}: a ` +
            'hint that another device sent it.',
        ]),
  ];
}

function tellFlight({
  unarrived,
  serverFlight,
  handshake: { version, certificates },
}: SeenConnection): readonly string[] {
  return [
    ...(unarrived === 0 || certificates !== null ? [] : [lostText(unarrived)]),
    ...(version === '1.3' && serverFlight > 0
      ? [`The server's first answer has ${String(serverFlight)} bytes, which fits many certificates: no proof of one.`]
      : []),
  ];
}
