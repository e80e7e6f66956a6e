import { authority } from '../core/addresses.ts';
import { formatDistinguishedName } from '../core/certificate.ts';
import type { EpochMs } from '../core/clock.ts';
import { counted, visibleText } from '../core/visible-text.ts';
import { isoTime, isoTimeOrNull } from '../core/time-text.ts';
import { cleanJson } from '../network/rest/json-exchange.ts';
import type { TlsKnowledge } from '../checks/tls-genuine/judge-path.ts';
import { type CaptureTarget, readCapture } from './connections.ts';
import {
  ADVICE,
  causeOf,
  createConnectionJudge,
  evidenceOf,
  type Interceptor,
  type JudgedConnection,
  type Level,
  levelOf,
  pairLegs,
} from './judge-capture.ts';
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
