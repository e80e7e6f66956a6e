import { concernsLicenseServer, type WatchedTraffic } from '../core/polling/firewall.ts';
import type { SignatureSet } from '../core/polling/signature.ts';
import type { Attribution } from '../sources/log/attribution.ts';
import type { FramedLine } from '../sources/log/framing.ts';
import { Framer } from '../sources/log/framing.ts';
import type { PastedRecognition, Recognition } from '../sources/log/recognise.ts';
import { recognisePasted } from '../sources/log/recognise.ts';
import { sampleOf } from '../sources/log/sample.ts';
import type { Streams, Terminal } from './terminal.ts';

export interface ExplainOptions extends Pick<Terminal, 'input'>, Pick<Streams, 'output'> {
  /** From the command line; when there are none, lines are read from `input`. */
  readonly lines: readonly string[];
  readonly json: boolean;
  readonly signatures: SignatureSet;
  readonly attribution: Attribution;
  readonly watched: WatchedTraffic;
}

/** What `explain --json` prints for each line: part of the contract. @internal */
export type LineExplanation = ReturnType<typeof toJson>;

const NOTHING = 'No known FortiToken Mobile trouble';
const UNUSUAL_PLACE =
  'Known text, unusual place: a line like this is not counted, since anybody could have written this field. ' +
  'Let the collector keep the line as FortiAuthenticator sent it';
/** Lines of more than this are not what a person pastes. */
const LOOKED_AT = 8192;

/** Says what log lines mean. Returns the exit code: 0 when one of them was recognised, else 1. */
export async function explain(options: ExplainOptions): Promise<number> {
  let recognised = false;
  const one = (line: string): void => {
    const known = recognisePasted(options.signatures, line.trim());
    const found = known === null || isOfAnother(known, options.watched) ? null : known;
    recognised ||= found !== null;
    options.output.write(
      options.json ? `${JSON.stringify(toJson(line, found, options.attribution))}\n` : toText(line, found),
    );
  };
  if (options.lines.length > 0) options.lines.forEach(one);
  else await eachLine(options.input, one);
  return recognised ? 0 : 1;
}

/** A firewall logs the inspection of everybody's traffic. What was cut off may have named the licence server. */
function isOfAnother(found: Recognition, watched: WatchedTraffic): boolean {
  if (found.kind !== 'firewall') return false;
  const { evidence } = found;
  return (evidence.hostName ?? evidence.destinationAddress) !== null && !concernsLicenseServer(evidence, watched);
}

async function eachLine(input: AsyncIterable<Buffer>, one: (line: string) => void): Promise<void> {
  const sink = {
    piece: (): void => {},
    line: ({ bytes, start, end }: FramedLine): void =>
      one(bytes.toString('utf8', start, Math.min(end, start + LOOKED_AT))),
  };
  const framer = new Framer(sink, { octetCounting: false });
  for await (const chunk of input) framer.push(chunk);
  framer.end();
}

function toJson(line: string, found: PastedRecognition | null, attribution: Attribution) {
  const { id, cause, summary, remedy } = found?.signature ?? { id: null, cause: null, summary: NOTHING, remedy: [] };
  const owners = found?.envelope.hosts.map((host) => attribution.host(host)) ?? [];
  return {
    /** Control characters replaced, codes masked, cut to 1024 characters. */
    line: sampleOf(line),
    recognised: found !== null,
    signature: id,
    /** True if the text is in a field where FortiAuthenticator does not put it: such a line is not counted. */
    unusualPlace: found?.unusualPlace ?? false,
    appliance: owners.find((owner) => owner !== undefined) ?? null,
    cause,
    summary,
    remedy,
  };
}

function toText(line: string, found: PastedRecognition | null): string {
  if (found === null) return `${sampleOf(line)}\n  ${NOTHING}.\n\n`;
  const { id, cause, severity, summary, remedy, source } = found.signature;
  const steps = remedy.map((step, index) => `    ${String(index + 1)}. ${step}.`);
  const lines = [
    sampleOf(line),
    ...(found.unusualPlace ? [`  ${UNUSUAL_PLACE}.`] : []),
    `  ${summary}.`,
    `  ${severity}, signature ${id}${cause === null ? '' : `, points to ${cause}`}`,
    ...(found.kind === 'firewall' ? [`  ${whoInspects(found)}`] : []),
    '  What to do:',
    ...steps,
    `  Known from: ${source}`,
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
