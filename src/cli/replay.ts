import { compareSeverity } from '../core/severity.ts';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import type { Clock, EpochMs } from '../core/clock.ts';
import { isoTime } from '../core/instant-text.ts';
import type { WatchedTraffic } from '../core/polling/firewall.ts';
import type { LogEvent } from '../core/polling/log-event.ts';
import type { SignatureSet } from '../core/polling/signature.ts';
import { UNNAMED } from '../core/polling/state.ts';
import type { Attribution } from '../sources/log/attribution.ts';
import { Framer } from '../sources/log/framing.ts';
import { EventOutbox } from '../sources/log/outbox.ts';
import { LogReader } from '../sources/log/reader.ts';
import { newLineTally } from '../sources/log/tally.ts';
import type { Streams, Terminal } from './terminal.ts';
import { messageOf } from '../text/message-of.ts';

export interface ReplayOptions extends Streams, Pick<Terminal, 'input' | 'clock'> {
  /** A saved syslog file or FortiAuthenticator's raw log, compressed with gzip perhaps; `-` reads `input`. */
  readonly file: string;
  readonly json: boolean;
  readonly signatures: SignatureSet;
  readonly attribution: Attribution;
  readonly watched: WatchedTraffic;
}

/** What `replay --json` prints. */
export type ReplaySummary = Awaited<ReturnType<typeof summarise>>;

type ReplayFinding = ReturnType<typeof toFinding>;

interface Found {
  readonly appliance: string;
  readonly signature: string;
  count: number;
  firstAt: EpochMs;
  lastAt: EpochMs;
  sample: string;
}

/** Runs a saved log through the same pipeline as the live one. Returns the exit code: 0 when it was read, else 3. */
export async function replay(options: ReplayOptions): Promise<number> {
  try {
    const summary = await summarise(options);
    options.output.write(options.json ? `${JSON.stringify(summary)}\n` : toText(summary));
    return 0;
  } catch (error) {
    options.errors.write(`Cannot read the log "${options.file}": ${messageOf(error)}\n`);
    return 3;
  }
}

async function summarise(options: ReplayOptions) {
  const { file, signatures, attribution, watched } = options;
  const writtenAt = file === '-' ? options.clock.now() : (await stat(file)).mtimeMs;
  const found = new Map<string, Found>();
  const outbox = new EventOutbox((event) => collect(found, event));
  const tally = newLineTally();
  // Times without a year are read by the file's own time: nothing in it was logged later.
  const clock: Clock = { ...options.clock, now: () => writtenAt };
  const reader = new LogReader(
    { clock, signatures, attribution, watched, outbox },
    {
      source: 'file',
      origin: attribution.file(),
      tally,
      foreign: 'count',
      onForeign: () => {},
      onUnrecognised: () => {},
    },
  );
  const framer = new Framer(reader, { octetCounting: false });
  for await (const chunk of openLog(options)) {
    framer.push(chunk);
    outbox.flush();
  }
  framer.end();
  outbox.flush();
  return {
    file,
    lines: tally,
    /** Most severe first, then most frequent. */
    found: [...found.values()].map((entry) => toFinding(entry, signatures)).toSorted(bySeverity),
  };
}

function openLog({ file, input }: ReplayOptions): AsyncIterable<Buffer> {
  if (file === '-') return input;
  const stream = createReadStream(file);
  if (!file.endsWith('.gz')) return stream;
  const unpacked = createGunzip();
  stream.on('error', (error) => unpacked.destroy(error));
  return stream.pipe(unpacked);
}

function collect(found: Map<string, Found>, event: LogEvent): void {
  if (event.kind === 'heard') return;
  const appliance = event.kind === 'ftm' ? (event.appliance ?? UNNAMED) : UNNAMED;
  const key = `${event.signature} ${appliance}`;
  const entry = found.get(key);
  if (entry === undefined) {
    const { signature, count, at, line } = event;
    found.set(key, { appliance, signature, count, firstAt: at, lastAt: at, sample: line });
    return;
  }
  entry.count += event.count;
  entry.firstAt = Math.min(entry.firstAt, event.at);
  if (event.at < entry.lastAt) return;
  entry.lastAt = event.at;
  entry.sample = event.line;
}

function toFinding({ appliance, signature: id, count, firstAt, lastAt, sample }: Found, signatures: SignatureSet) {
  const signature = signatures.byId.get(id);
  if (signature === undefined) throw new TypeError(`Cannot summarise "${id}": expected a signature of the catalogue`);
  const { cause, severity, summary, remedy } = signature;
  return {
    signature: id,
    appliance,
    cause,
    severity,
    count,
    /** ISO 8601, from the lines; the file's own time where they have none. */
    firstAt: isoTime(firstAt),
    lastAt: isoTime(lastAt),
    summary,
    remedy,
    /** The last such line. */
    sample,
  };
}

function bySeverity(a: ReplayFinding, b: ReplayFinding): number {
  return compareSeverity(a.severity, b.severity) || b.count - a.count;
}

function toText({ file, lines, found }: ReplaySummary): string {
  const { ftm, unrecognised, other, foreign, unparsed } = lines;
  const total = ftm + unrecognised + other + foreign + unparsed;
  const counts =
    `${String(total)} lines: ${String(ftm)} with known trouble, ${String(unrecognised)} with a FortiToken Mobile ` +
    `keyword and no known text, ${String(other)} others, ${String(foreign)} of no configured appliance, ` +
    `${String(unparsed)} unreadable`;
  const blocks = found.map((finding) =>
    [
      `${finding.signature} ` +
        `(${finding.severity}${finding.cause === null ? '' : `, points to ${finding.cause}`}): ` +
        `${String(finding.count)} on ${finding.appliance}`,
      `  first ${finding.firstAt}, last ${finding.lastAt}`,
      `  ${finding.summary}.`,
      '  What to do:',
      ...finding.remedy.map((step, index) => `    ${String(index + 1)}. ${step}.`),
      `  Last line: ${finding.sample}`,
    ].join('\n'),
  );
  return `${file}\n${counts}\n\n${blocks.length === 0 ? 'No known FortiToken Mobile trouble.' : blocks.join('\n\n')}\n`;
}
