import { createColors } from 'picocolors';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import type { Config } from '../config/config.ts';
import type { Needs } from '../config/load.ts';
import { createAttribution, type Attribution, ownerInHeaders, sampleOf } from '../logs/senders.ts';
import { loadKnownSignatures } from '../runtime/known-signatures.ts';
import { SEVERITY_COLORS } from '../document/colors.ts';
import { configOf, wrapped, type Invocation, type Streams, type Terminal } from './terminal.ts';
import { concernsLicenseServer, type WatchedTraffic, type LogEvent } from '../core/polling/log-event.ts';
import type { SignatureSet } from '../core/polling/signature.ts';
import { Framer } from '../logs/framing.ts';
import { type PastedRecognition, type Recognition, recognisePasted, EventOutbox, LogReader } from '../logs/reader.ts';
import { compareSeverity } from '../core/severity.ts';
import type { Clock, EpochMs } from '../core/clock.ts';
import { isoTime } from '../core/time-text.ts';
import { UNNAMED } from '../core/polling/state.ts';
import { newLineTally } from '../logs/tally.ts';
import { messageOf } from '../text/message-of.ts';

const neededToRecognise: Needs = (key) => key === 'logs.signatureFiles';

export async function runExplain(
  { lines, json }: { readonly lines: readonly string[]; readonly json: boolean },
  terminal: Invocation,
): Promise<number> {
  const known = await recognition(await configOf(terminal, neededToRecognise));
  return explain({ ...terminal, ...known, lines, json });
}

export async function runReplay(
  { file, json }: { readonly file: string; readonly json: boolean },
  terminal: Invocation,
): Promise<number> {
  const known = await recognition(await configOf(terminal, neededToRecognise));
  const summary = await summarize(file, known, terminal).catch((error: unknown) => {
    throw new Error(`Cannot read the log "${file}": ${messageOf(error)}`, { cause: error });
  });
  terminal.output.write(json ? `${JSON.stringify(summary)}\n` : toText(summary));
  return 0;
}

interface KnownTexts {
  readonly signatures: SignatureSet;
  readonly attribution: Attribution;
  readonly watched: WatchedTraffic;
}

async function recognition({ logs, appliances, licenseServer }: Config): Promise<KnownTexts> {
  return {
    signatures: await loadKnownSignatures(logs.signatureFiles),
    attribution: createAttribution(appliances, { firewalls: [], relays: logs.relays }),
    watched: { hosts: [licenseServer.host], addresses: licenseServer.expectedAddresses, sources: [] },
  };
}

interface ExplainOptions extends KnownTexts, Pick<Terminal, 'input' | 'style' | 'columns'>, Pick<Streams, 'output'> {
  readonly lines: readonly string[];
  readonly json: boolean;
}

const NOTHING = 'No known FortiToken Mobile error';
const UNUSUAL_PLACE =
  'Known text in an unusual field. Lines like this are not counted, because anyone can write to this field. ' +
  "Configure the log collector to forward FortiAuthenticator's lines unchanged";
export async function explain(options: ExplainOptions): Promise<number> {
  let recognised = false;
  const one = (line: string): void => {
    const known = recognisePasted(options.signatures, line.trim());
    const found = known === null || isOfAnother(known, options.watched) ? null : known;
    recognised ||= found !== null;
    options.output.write(
      options.json
        ? `${JSON.stringify(toJson(line, found, options.attribution))}\n`
        : wrapped(explanationText(line, found, options.style.color), options.columns),
    );
  };
  if (options.lines.length > 0) options.lines.forEach(one);
  else await eachLine(options.input, one);
  return recognised ? 0 : 1;
}

/** Firewalls log the inspection of all users' traffic. A truncated line may lack the licence server's name. */
function isOfAnother(found: Recognition, watched: WatchedTraffic): boolean {
  if (found.kind !== 'firewall') return false;
  const { evidence } = found;
  return (evidence.hostName ?? evidence.destinationAddress) !== null && !concernsLicenseServer(evidence, watched);
}

async function eachLine(input: AsyncIterable<Buffer>, one: (line: string) => void): Promise<void> {
  const framer = new Framer(one, { octetCounting: false });
  for await (const chunk of input) framer.push(chunk);
  framer.end();
}

/** The format is part of the public API. */
function toJson(line: string, found: PastedRecognition | null, attribution: Attribution) {
  const { id, cause, summary, remedy } = found?.signature ?? { id: null, cause: null, summary: NOTHING, remedy: [] };
  const owner = ownerInHeaders(found?.envelope.hosts ?? [], attribution.host, attribution);
  return {
    line: sampleOf(line),
    recognised: found !== null,
    signature: id,
    /** True if FortiAuthenticator does not use the text in this field. Such a line is not counted as an error. */
    unusualPlace: found?.unusualPlace ?? false,
    appliance: owner ?? null,
    cause,
    summary,
    remedy,
  };
}

function explanationText(line: string, found: PastedRecognition | null, color: boolean): string {
  if (found === null) return `${sampleOf(line)}\n  ${NOTHING}.\n\n`;
  const { id, cause, severity, summary, remedy, source } = found.signature;
  const steps = remedy.map((step, index) => `    ${String(index + 1)}. ${step}.`);
  const lines = [
    sampleOf(line),
    ...(found.unusualPlace ? [`  ${UNUSUAL_PLACE}.`] : []),
    `  ${summary}.`,
    `  ${createColors(color)[SEVERITY_COLORS[severity]](severity)}, signature ${id}` +
      (cause === null ? '' : `, points to ${cause}`),
    ...(found.kind === 'firewall' ? [`  ${whoInspects(found)}`] : []),
    '  What to do:',
    ...steps,
    `  Source: ${source}`,
  ];
  return `${lines.join('\n')}\n\n`;
}

function whoInspects({ evidence }: Extract<Recognition, { kind: 'firewall' }>): string {
  const { device, policy, profile, hostName, destinationAddress } = evidence;
  const parts = [
    ['firewall', device],
    ['policy', policy],
    ['profile', profile],
    ['for', hostName ?? destinationAddress],
  ].flatMap(([label, value]) => (typeof value === 'string' ? [`${String(label)} ${sampleOf(value)}`] : []));
  return parts.join(', ');
}

type ReplaySummary = Awaited<ReturnType<typeof summarize>>;

type ReplayFinding = ReturnType<typeof toFinding>;

interface Found {
  readonly appliance: string;
  readonly signature: string;
  count: number;
  firstAt: EpochMs;
  lastAt: EpochMs;
  sample: string;
}

async function summarize(file: string, known: KnownTexts, terminal: Pick<Terminal, 'input' | 'clock'>) {
  const writtenAt = file === '-' ? terminal.clock.now() : (await stat(file)).mtimeMs;
  const found = new Map<string, Found>();
  const outbox = new EventOutbox((event) => collect(found, event));
  const tally = newLineTally();
  // If log times do not contain a year, the year is derived from the file's modification time, because no line can be
  // newer than the file.
  const clock: Clock = { ...terminal.clock, now: () => writtenAt };
  const reader = new LogReader(
    { clock, ...known, outbox },
    {
      source: 'file',
      origin: known.attribution.file(),
      tally,
      foreign: 'count',
      onForeign: () => {},
      onUnrecognised: () => {},
    },
  );
  const framer = new Framer((line, cut) => reader.read(line, cut), { octetCounting: false });
  for await (const chunk of openLog(file, terminal)) {
    framer.push(chunk);
    outbox.flush();
  }
  framer.end();
  outbox.flush();
  return {
    file,
    lines: tally,
    found: [...found.values()].map((entry) => toFinding(entry, known.signatures)).toSorted(bySeverity),
  };
}

function openLog(file: string, { input }: Pick<Terminal, 'input'>): AsyncIterable<Buffer> {
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
  if (signature === undefined) throw new TypeError(`Cannot summarize "${id}": this signature is not in the catalogue`);
  const { cause, severity, summary, remedy } = signature;
  return {
    signature: id,
    appliance,
    cause,
    severity,
    count,
    /** If log lines do not contain times, this is the file's modification time. */
    firstAt: isoTime(firstAt),
    lastAt: isoTime(lastAt),
    summary,
    remedy,
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
    `${String(total)} lines: ${String(ftm)} with known errors, ${String(unrecognised)} with a FortiToken Mobile ` +
    `keyword but no known text, ${String(other)} unrelated, ${String(foreign)} not from a configured appliance, ` +
    `${String(unparsed)} unreadable`;
  const blocks = found.map((finding) =>
    [
      `${finding.signature} (${finding.severity}${finding.cause === null ? '' : `, points to ${finding.cause}`}): ` +
        `${String(finding.count)} on ${finding.appliance}`,
      `  first ${finding.firstAt}, last ${finding.lastAt}`,
      `  ${finding.summary}.`,
      '  What to do:',
      ...finding.remedy.map((step, index) => `    ${String(index + 1)}. ${step}.`),
      `  Last line: ${finding.sample}`,
    ].join('\n'),
  );
  return `${file}\n${counts}\n\n${blocks.length === 0 ? 'No known FortiToken Mobile errors.' : blocks.join('\n\n')}\n`;
}
