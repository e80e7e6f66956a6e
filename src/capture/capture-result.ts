import { authority } from '../core/addresses.ts';
import { formatDistinguishedName } from '../core/certificate.ts';
import type { EpochMs } from '../core/clock.ts';
import { counted } from '../core/phrases.ts';
import { isoTime, isoTimeOrNull } from '../core/time-text.ts';
import { visibleText } from '../core/visible-text.ts';
import { cleanJson } from '../network/rest/json-exchange.ts';
import type { TlsKnowledge } from '../checks/tls-genuine/judge-path.ts';
import {
  causeOf,
  createConnectionJudge,
  evidenceOf,
  type JudgedConnection,
  type Level,
  levelOf,
  WOULD_SHOW,
} from './judge-capture.ts';
import { type Interceptor, pairLegs } from './legs.ts';
import { CaptureFile } from './packets.ts';
import { type CaptureTarget, readCapture } from './read-capture.ts';

/** What captures show about connections to one server. */
export interface CaptureResult {
  readonly files: readonly CaptureFile[];
  /** The worst connections, up to the limit, in the order of the files and of their ends. */
  readonly connections: readonly JudgedConnection[];
  readonly interceptor: Interceptor | null;
  /** Sentences about the captures. */
  readonly notes: readonly string[];
  /** Level of the worst connection. `unknown` if nothing could be judged. */
  readonly level: Level;
}

/** Worst first. `unknown` is used only if no connection could be judged. */
export const LEVELS: readonly Level[] = ['fault', 'warning', 'ok', 'unknown'];

/** Maximum number of verdicts, and of bytes in their chains. Further verdicts are only counted. */
const MAX_KEPT = 1_000;
const MAX_CHAIN_BYTES = 16 * 1024 * 1024;

/**
 * Reads captures and judges the connections to a server. Never throws because of the content of a file.
 *
 * @param all judge TLS connections to other servers as well
 * @throws {Error} if a file cannot be read from disk
 */
export async function examineCaptures(
  sources: readonly { readonly name: string; readonly bytes: AsyncIterable<Uint8Array> }[],
  target: CaptureTarget,
  knowledgeOf: (target: string) => TlsKnowledge,
  { all, now }: { readonly all: boolean; readonly now: EpochMs },
): Promise<CaptureResult> {
  const judge = createConnectionJudge(target, knowledgeOf, now);
  const kept = new KeptVerdicts();
  const files: CaptureFile[] = [];
  for (const { name, bytes } of sources) {
    const file = new CaptureFile(name, files.length);
    files.push(file);
    await readCapture(file, bytes, target, all, (connection) => kept.add(judge(connection, file)));
  }
  const { connections, interceptor, notes } = pairLegs(kept.all());
  const reasons = new Set(connections.flatMap(({ because }) => (because === null ? [] : [WOULD_SHOW[because]])));
  return {
    files,
    connections,
    interceptor,
    notes: [...files.flatMap((file) => notesOf(file, connections, target)), ...kept.notes(), ...notes, ...reasons],
    level:
      LEVELS.find((level) => kept.dropped[level] > 0 || connections.some((one) => levelOf(one) === level)) ?? 'unknown',
  };
}

/** Keeps the worst of any number of verdicts. */
class KeptVerdicts {
  readonly dropped: Record<Level, number> = { fault: 0, warning: 0, ok: 0, unknown: 0 };
  readonly #kept: Readonly<Record<Level, JudgedConnection[]>> = { fault: [], warning: [], ok: [], unknown: [] };
  #count = 0;
  #chainBytes = 0;

  add(judged: JudgedConnection): void {
    this.#kept[levelOf(judged)].push(judged);
    this.#weigh(judged, 1);
    while (this.#count > MAX_KEPT || this.#chainBytes > MAX_CHAIN_BYTES) {
      const mildest = LEVELS.findLast((level) => this.#kept[level].length > 0) ?? 'unknown';
      const last = this.#kept[mildest].pop();
      if (last !== undefined) this.#weigh(last, -1);
      this.dropped[mildest] += 1;
    }
  }

  #weigh({ chain }: JudgedConnection, sign: 1 | -1): void {
    this.#count += sign;
    for (const { der } of chain?.certificates ?? []) this.#chainBytes += sign * der.length;
  }

  /** In the order of the files and of the connections' ends. */
  all(): readonly JudgedConnection[] {
    return Object.values(this.#kept)
      .flat()
      .toSorted((one, other) => one.file.order - other.file.order || one.seen.endedAt - other.seen.endedAt);
  }

  notes(): readonly string[] {
    const levels = LEVELS.filter((level) => this.dropped[level] > 0);
    if (levels.length === 0) return [];
    const counts = levels.map((level) => `${String(this.dropped[level])} ${LEVEL_WORDS[level]}`);
    return [`More connections were judged than are listed here: ${counts.join(', ')}.`];
  }
}

const LEVEL_WORDS: Readonly<Record<Level, string>> = {
  fault: 'with a fault',
  warning: 'with a warning',
  ok: 'genuine',
  unknown: 'that cannot be judged',
};

function notesOf(
  captured: CaptureFile,
  connections: readonly JudgedConnection[],
  target: CaptureTarget,
): readonly string[] {
  const { problem, others, excess, packets, isRelative, format, unread } = captured;
  const name = `"${captured.file}"`;
  const isWithout = packets > 0 && !connections.some(({ file }) => file === captured);
  const notes: readonly (readonly [holds: boolean, note: string])[] = [
    [problem !== null, `Cannot read ${format === null ? '' : 'all of '}${name}: ${problem ?? ''}.`],
    [isWithout, `${name} has ${counted(packets, 'packet')}, and no connection to ${authority(target)} among them.`],
    [others > 0, `${counted(others, 'connection')} to others in ${name} (--all shows those with TLS).`],
    [excess > 0, `${String(excess)} connections in ${name} were not followed: too many were open.`],
    [isRelative, `The times in ${name} have no date: certificates were judged by the time of now.`],
    [unread.fragment > 0, `${counted(unread.fragment, 'IP fragment')} in ${name} were not put together.`],
    [unread.cut > 0, `${counted(unread.cut, 'packet')} in ${name} were captured too short to read their ports.`],
    [unread.lost > 0, `${counted(unread.lost, 'packet')} in ${name} lack a line of the text.`],
    [unread.broken > 0, `${counted(unread.broken, 'packet')} in ${name} have lengths that contradict each other.`],
  ];
  return notes.flatMap(([holds, note]) => (holds ? [note] : []));
}

// --- The object for --json. Its names are part of the public contract.

type CaptureJson = ReturnType<typeof toJson>;

/** Longest text from a peer that is included. */
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
