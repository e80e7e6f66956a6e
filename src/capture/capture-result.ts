import { authority } from '../core/authority.ts';
import type { Certificate } from '../core/certificate.ts';
import type { EpochMs } from '../core/clock.ts';
import { counted } from '../core/counted.ts';
import { formatDistinguishedName } from '../core/distinguished-name.ts';
import { isoTime, isoTimeOrNull } from '../core/instant-text.ts';
import { visibleText } from '../core/visible-text.ts';
import type { TlsKnowledge } from '../checks/tls-genuine/judge-tls-path.ts';
import type { SeenConnection } from './connections.ts';
import type { Alert } from './handshake.ts';
import { type JudgedConnection, judgeCapture, WOULD_SHOW } from './judge-capture.ts';
import { type Interceptor, pairLegs } from './legs.ts';
import { type CapturedAnswer, type CapturedFile, type CaptureTarget, readCapture } from './read-capture.ts';

/** A capture to be read. */
export interface CaptureSource {
  /** As a person typed it. */
  readonly name: string;
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** What captures show of the connections to one server. */
export interface CaptureResult {
  readonly files: readonly (CapturedFile & { readonly file: string })[];
  /** In the order of the files, and of their ends: `pairedWith` counts on it. */
  readonly connections: readonly JudgedConnection[];
  readonly interceptor: Interceptor | null;
  readonly dns: readonly CapturedAnswer[];
  /** Sentences about the captures. */
  readonly notes: readonly string[];
  /** That of the worst connection; `unknown`: nothing could be judged. */
  readonly level: JudgedConnection['level'];
}

export interface CaptureOptions {
  readonly target: CaptureTarget;
  readonly knowledgeOf: (target: string) => TlsKnowledge;
  /** Keep connections to others as well. */
  readonly all: boolean;
  readonly now: EpochMs;
}

/**
 * Reads captures and judges the connections to a server. Never throws because of what the files contain.
 * @throws {Error} when a file cannot be read from its disk
 */
export async function examineCaptures(
  sources: readonly CaptureSource[],
  { target, knowledgeOf, all, now }: CaptureOptions,
): Promise<CaptureResult> {
  const files: (CapturedFile & { readonly file: string })[] = [];
  for (const { name, bytes } of sources) files.push({ file: name, ...(await readCapture(bytes, target, all)) });
  const judged = files.flatMap((file) => judgeCapture(file.file, file, target, { of: knowledgeOf, now }));
  const { connections, interceptor, notes } = pairLegs(
    judged,
    (name) => files.find(({ file }) => file === name)?.device ?? null,
  );
  return {
    files,
    connections,
    interceptor,
    dns: files.flatMap(({ dns }) => dns),
    notes: [
      ...files.flatMap((file) => notesOf(file, target)),
      ...notes,
      ...new Set(connections.flatMap(({ because }) => (because === null ? [] : [WOULD_SHOW[because]]))),
    ],
    level: worstLevel(connections),
  };
}

/** Worst first; what could not be judged decides only where nothing could. */
export const LEVELS: readonly JudgedConnection['level'][] = ['fault', 'warning', 'ok', 'unknown'];

function worstLevel(connections: readonly JudgedConnection[]): JudgedConnection['level'] {
  return LEVELS.find((level) => connections.some((connection) => connection.level === level)) ?? 'unknown';
}

function notesOf(captured: CapturedFile & { readonly file: string }, target: CaptureTarget): readonly string[] {
  const { file, problem, connections, others, omitted, excess, packets, notes, areTimesRelative, format } = captured;
  const name = visibleText(file, 200);
  return [
    ...(problem === null ? [] : [`Cannot read ${format === null ? '' : 'all of '}"${name}": ${problem}.`]),
    ...(connections.length > 0 || packets === 0
      ? []
      : [`"${name}" has ${counted(packets, 'packet')}, and no connection to ${authority(target)} among them.`]),
    ...(others === 0 ? [] : [`${counted(others, 'connection')} to others in "${name}" (--all shows those with TLS).`]),
    ...(omitted === 0 ? [] : [`${String(omitted)} more connections in "${name}" were not judged.`]),
    ...(excess === 0 ? [] : [`${String(excess)} connections in "${name}" were not followed: too many were open.`]),
    ...(areTimesRelative ? [`The times in "${name}" have no date: certificates were judged by the time of now.`] : []),
    ...notes.map((note) => `${note} ("${name}").`),
  ];
}

// --- The object of --json: names are part of the contract.

export interface CaptureJson {
  readonly files: readonly {
    readonly file: string;
    readonly format: CapturedFile['format'];
    readonly packets: number;
    readonly skipped: number;
    readonly startedAt: string | null;
  }[];
  readonly connections: readonly CapturedConnectionJson[];
  readonly interceptor: Interceptor | null;
  readonly dns: readonly CapturedAnswer[];
  readonly notes: readonly string[];
}

export interface CapturedConnectionJson
  extends Pick<
    JudgedConnection,
    'file' | 'client' | 'server' | 'leg' | 'verdict' | 'because' | 'confidence' | 'cause' | 'pairedWith'
  > {
  readonly startedAt: string | null;
  readonly serverName: string | null;
  readonly tls: string | null;
  readonly chain: readonly {
    readonly subject: string;
    readonly issuer: string;
    readonly sha256: string;
    readonly spki: string;
    readonly notAfter: string;
  }[];
  readonly clientAlert: Alert | null;
  readonly serverAlert: Alert | null;
  readonly end: SeenConnection['end'];
  readonly summary: string;
  readonly evidence: readonly string[];
}

/** Longest text of a peer that is passed on. */
const MAX_TEXT = 1_000;

export function captureToJson({ files, connections, interceptor, dns, notes }: CaptureResult): CaptureJson {
  return {
    files: files.map(({ file, format, packets, skipped, startedAt }) => ({
      file,
      format,
      packets,
      skipped,
      startedAt: isoTimeOrNull(startedAt),
    })),
    connections: connections.map(connectionToJson),
    interceptor: interceptor === null ? null : { ...interceptor, ...visiblePlaces(interceptor) },
    dns,
    notes: notes.map((note) => visibleText(note, MAX_TEXT)),
  };
}

function visiblePlaces({ inside, outside, summary }: Interceptor): Pick<Interceptor, 'inside' | 'outside' | 'summary'> {
  return {
    inside: visibleText(inside, MAX_TEXT),
    outside: visibleText(outside, MAX_TEXT),
    summary: visibleText(summary, MAX_TEXT),
  };
}

function connectionToJson(connection: JudgedConnection): CapturedConnectionJson {
  const { file, client, server, leg, startedAt, isUndated, handshake, end, pairedWith } = connection;
  const { verdict, because, confidence, cause, chain, summary, evidence } = connection;
  return {
    file,
    client,
    server,
    leg: visibleOrNull(leg),
    startedAt: isUndated ? null : isoTime(startedAt),
    serverName: visibleOrNull(handshake.hello?.serverName ?? null),
    tls: handshake.version,
    verdict,
    because,
    confidence,
    cause,
    chain: (chain?.certificates ?? []).map(certificateToJson),
    clientAlert: handshake.clientAlert,
    serverAlert: handshake.serverAlert,
    end,
    pairedWith,
    summary: visibleText(summary, MAX_TEXT),
    evidence: evidence.map((text) => visibleText(text, MAX_TEXT)),
  };
}

function visibleOrNull(text: string | null): string | null {
  return text === null ? null : visibleText(text, MAX_TEXT);
}

function certificateToJson({
  subject,
  issuer,
  fingerprint,
  pin,
  notAfter,
}: Certificate): CapturedConnectionJson['chain'][number] {
  return {
    subject: visibleText(formatDistinguishedName(subject), MAX_TEXT),
    issuer: visibleText(formatDistinguishedName(issuer), MAX_TEXT),
    sha256: fingerprint,
    spki: pin,
    notAfter: isoTime(notAfter),
  };
}
