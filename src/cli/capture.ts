import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createColors } from 'picocolors';
import { type CaptureResult, captureToJson, examineCaptures, LEVELS } from '../capture/capture-result.ts';
import { evidenceOf, type JudgedConnection, type Level, levelOf } from '../capture/judge-capture.ts';
import { captureOnAppliance, captureOnFortiGate } from '../checks/capture-steps.ts';
import type { Config } from '../config/config.ts';
import type { Needs } from '../config/config-file.ts';
import { hostOf } from '../core/addresses.ts';
import { chainKey } from '../core/certificate.ts';
import { counted } from '../core/phrases.ts';
import { visibleText } from '../core/visible-text.ts';
import { blocksOf, headOf, type Cause, isFault } from '../engine/model.ts';
import { remedyOf } from '../engine/remedy-words.ts';
import { unitAddresses } from '../runtime/conclude.ts';
import { loadTlsKnowledge } from '../round/tls-knowledge.ts';
import { messageOf } from '../text/message-of.ts';
import { controlPlace } from '../runtime/control-place.ts';
import { createDaemonClient, problemOf } from './daemon-client.ts';
import { EXIT_UNKNOWN } from './exit-codes.ts';
import { type Invocation, loadOrExplain, needsNothing, type Terminal } from './terminal.ts';
import { CHECKS, preconditionOf } from '../checks/registry.ts';
import { instantText } from '../core/time-text.ts';
import { diagnose } from '../engine/diagnose.ts';
import { causeLines, type TextStyle, textLines } from '../document/terminal.ts';
import { MARKS } from '../report/report-text.ts';
import { certificateLines } from './trust-text.ts';

interface CaptureWish {
  /** File names as typed. `-` is standard input. */
  readonly files: readonly string[];
  readonly json: boolean;
  readonly all: boolean;
  /** Id of the incident to which the verdict is added. */
  readonly attach: string | null;
}

/** The files that are needed to evaluate certificates. */
export const neededToJudge: Needs = (key) => /^(?:trust|services\.trust)\./u.test(key);

const EXIT: Readonly<Record<Level, number>> = { ok: 0, warning: 1, fault: 2, unknown: EXIT_UNKNOWN };

/** Evaluates the connections in captures and returns the exit code. */
export async function runCapture(wish: CaptureWish, terminal: Invocation): Promise<number> {
  const config = await loadOrExplain(terminal, neededToJudge);
  if (config === null) return EXIT_UNKNOWN;
  try {
    if (wish.files.length === 0) throw new Error('Expected the name of a capture file, or - for standard input');
    const result = await capturesOf(config, wish, terminal);
    const text = wish.json
      ? `${JSON.stringify(captureToJson(result))}\n`
      : renderCapture(result, config, terminal.style);
    terminal.output.write(text);
    if (wish.attach !== null) await attach(result, wish.attach, config, terminal);
    return EXIT[result.level];
  } catch (error) {
    terminal.errors.write(`${messageOf(error)}\n`);
    return EXIT_UNKNOWN;
  }
}

const MOST_ATTACHED = 5;

/**
 * Adds the connections with the most severe findings to an open incident, starting with connections from the units.
 * @throws {Error} if the daemon does not accept them
 */
async function attach(result: CaptureResult, incident: string, config: Config, terminal: Invocation): Promise<void> {
  const units = unitAddresses(config);
  const rank = (one: JudgedConnection): number =>
    (units.includes(hostOf(one.seen.client)) ? 0 : LEVELS.length) + LEVELS.indexOf(levelOf(one));
  const ranked = result.connections.toSorted((one, other) => rank(one) - rank(other));
  const worst = captureToJson({ ...result, connections: ranked.slice(0, MOST_ATTACHED) }).connections;
  const connections = worst.map(({ client, startedAt, tls, verdict, summary, chain }) => {
    const leaf = chain.slice(0, 1).map(({ sha256 }) => ({ sha256 }));
    return { client, startedAt, tls, verdict, summary: visibleText(summary, 500), chain: leaf };
  });
  await using daemon = await createDaemonClient(controlPlace(config.store.path, terminal.env), terminal);
  const path = `/api/v1/incidents/${encodeURIComponent(incident)}/capture`;
  const answer = await daemon.ask('POST', path, { connections });
  if (answer.status !== 201) throw new Error(`Cannot add the verdict to the incident: ${problemOf(answer)}`);
  terminal.errors.write(`Added the verdict to incident ${visibleText(incident, 100)}\n`);
}

/**
 * Reads captures and evaluates them with the configured trust settings.
 * @throws {Error} that contains the name of the file that cannot be read
 */
export async function capturesOf(
  config: Config,
  { files, all }: Pick<CaptureWish, 'files' | 'all'>,
  { clock, input, cwd }: Pick<Terminal, 'clock' | 'input' | 'cwd'>,
): Promise<CaptureResult> {
  const { host, port, serverName, expectedAddresses } = config.licenseServer;
  const knowledge = await loadTlsKnowledge(config, { of: () => null }, clock);
  const sources = files.map((name) => ({ name, bytes: name === '-' ? input : bytesOf(name, cwd) }));
  const target = { host, port, serverName, addresses: expectedAddresses };
  return examineCaptures(sources, target, (subject) => knowledge.ofAny(subject), { all, now: clock.now() });
}

/** If a file grows while it is read, only the data up to its initial size is read. */
async function* bytesOf(name: string, cwd: string): AsyncGenerator<Uint8Array> {
  try {
    await using file = await open(resolve(cwd, name));
    const { size } = await file.stat();
    const buffer = Buffer.alloc(65_536);
    // The size of a pipe is unknown.
    for (let left = size || Number.POSITIVE_INFINITY; left > 0; ) {
      const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, left), null);
      if (bytesRead === 0) return;
      left -= bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } catch (error) {
    throw new Error(`Cannot read "${name}": ${messageOf(error)}`, { cause: error });
  }
}

/** Prints the commands that capture the connections to the configured server, and returns the exit code. */
export async function printCaptureCommand(device: 'fortigate' | 'appliance', terminal: Invocation): Promise<number> {
  const config = await loadOrExplain(terminal, needsNothing);
  if (config === null) return EXIT_UNKNOWN;
  const { host, port, expectedAddresses } = config.licenseServer;
  const filter = `${filterOf(expectedAddresses, host)} and port ${String(port)}`;
  const step = device === 'fortigate' ? captureOnFortiGate(filter) : captureOnAppliance(`'${filter}'`);
  const { remedySteps } = remedyOf([step], { host, port: String(port), subject: host });
  const lines = remedySteps.flatMap((step) => [
    step.text,
    ...blocksOf(step).flatMap((block) => ['', headOf(block), ...block.text.split('\n')]),
  ]);
  terminal.output.write(`${lines.join('\n')}\n\nThen run: ftm-watch capture FILE\n`);
  return 0;
}

/**
 * Addresses that are part of a configured network are kept, because a filter with single addresses is easier to check.
 */
function filterOf(addresses: readonly string[], host: string): string {
  const parts = addresses.map((address) => (address.includes('/') ? `net ${address}` : `host ${address}`));
  return parts.length > 1 ? `(${parts.join(' or ')})` : (parts[0] ?? `host ${host}`);
}

/** The maximum number of connections and findings that are shown in full. */
const MOST_SHOWN = 20;
const MOST_FINDINGS = 8;
const MAX_TEXT = 1_000;
const INDENT = ' '.repeat(6);

const MARK_OF: Readonly<Record<Level, string>> = { ...MARKS, fault: MARKS.broken };

const CONCLUSIONS: Readonly<Record<Level, string>> = {
  ok: "GENUINE: the capture contains the server's genuine certificate.",
  warning: 'NO FAULTS, but there are warnings (see above).',
  fault: 'NOT GENUINE, OR SERVER NOT REACHED: see above.',
  unknown: 'UNKNOWN: none of the connections in the capture could be evaluated.',
};

/** Formats the verdict for the terminal, with a line break at the end. */
function renderCapture(result: CaptureResult, config: Config, style: TextStyle): string {
  const colors = createColors(style.color);
  const rank = (one: JudgedConnection): number => LEVELS.indexOf(levelOf(one));
  const shown = result.connections.toSorted((one, other) => rank(one) - rank(other));
  const paint = { ok: colors.green, warning: colors.yellow, fault: colors.red, unknown: colors.yellow };
  const { files, interceptor, notes, level } = result;
  return [
    colors.bold('ftm-watch capture'),
    ...files.map(
      ({ file, format, packets, startedAt, isRelative, device }) =>
        `  ${visibleText(file, 200)}: ${format ?? 'unknown format'}, ${counted(packets, 'packet')}` +
        `${startedAt === null || isRelative ? '' : `, from ${instantText(startedAt)}`}` +
        `${device === null ? '' : `, by ${device}`}`,
    ),
    '',
    ...shown.slice(0, MOST_SHOWN).flatMap((one) => connectionLines(one, style, paint[levelOf(one)])),
    ...(shown.length > MOST_SHOWN
      ? [`  … and ${String(shown.length - MOST_SHOWN)} more (use --json to list them)`]
      : []),
    ...(shown.length > 0 ? [''] : []),
    ...chainLines(shown),
    ...causesOf(shown, config).flatMap((cause) => [...causeLines(cause, style, colors), '']),
    ...(interceptor === null ? [] : [...textLines(`${interceptor.summary}.`, style.width), '']),
    ...files.flatMap(({ dns }) =>
      dns.map(
        ({ name, answers, resolver }) => `  ${resolver} answered ${visibleText(name, 253)}: ${answers.join(', ')}`,
      ),
    ),
    ...notes.flatMap((note) => textLines(note, style.width).map(colors.yellow)),
    paint[level](CONCLUSIONS[level]),
    '',
  ].join('\n');
}

function connectionLines(
  judged: JudgedConnection,
  { width }: TextStyle,
  paint: (text: string) => string,
): readonly string[] {
  const { client, server, leg, startedAt, handshake } = judged.seen;
  const facts = [
    judged.file.isRelative ? null : instantText(startedAt),
    leg,
    handshake.version === null ? null : `TLS ${handshake.version}`,
    handshake.hello?.serverName,
  ].filter((fact) => typeof fact === 'string');
  return [
    `  ${paint(MARK_OF[levelOf(judged)])} ${client} → ${server}  ${visibleText(facts.join(', '), MAX_TEXT)}`,
    ...textLines(judged.summary, width, INDENT).map(paint),
    ...evidenceOf(judged).flatMap((text) => textLines(text, width, `${INDENT}  `, `${INDENT}- `)),
  ];
}

/** Returns each distinct chain once, with the certificates in the order in which they were sent. */
function chainLines(connections: readonly JudgedConnection[]): readonly string[] {
  const sent = connections.flatMap(({ chain }) => (chain?.certificates.length ? [chain.certificates] : []));
  return [...new Map(sent.map((chain) => [chainKey(chain), chain])).values()]
    .slice(0, MOST_SHOWN)
    .flatMap((chain) => ['The certificate chain as it was sent:', ...chain.flatMap(certificateLines), '']);
}

/** Returns the causes that the connections reveal, with their remedies, in the same format as "check". */
function causesOf(connections: readonly JudgedConnection[], config: Config): readonly Cause[] {
  const { host, port } = config.licenseServer;
  const faults = connections.flatMap(({ seen, findings }) => {
    const proxy = seen.handshake.tunnel === null ? {} : { proxy: seen.server };
    const place = { source: hostOf(seen.client), address: seen.serverAddress, ...proxy };
    return findings.filter(isFault).map((finding) => ({ ...finding, facts: { ...place, ...finding.facts } }));
  });
  const distinct = [...new Map(faults.map((finding) => [finding.claim, finding])).values()];
  return [...Map.groupBy(distinct, ({ suggests }) => (suggests === null ? null : preconditionOf(suggests)))].flatMap(
    ([id, findings]) =>
      id === null
        ? []
        : diagnose([{ id, kind: 'judged', findings: findings.slice(0, MOST_FINDINGS), summary: '' }], {
            checks: CHECKS,
            site: config.site,
            at: 0,
            host,
            port,
            source: null,
            activation: { licenseActive: null, offlineActivation: null },
            applianceUnaffected: false,
            ...(config.file === undefined ? {} : { configFile: config.file }),
          }).causes,
  );
}
