import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createColors } from 'picocolors';
import {
  type CaptureResult,
  captureToJson,
  type Conclusion,
  conclusionOf,
  evidenceOf,
  examineCaptures,
  type JudgedConnection,
  type Level,
  levelOf,
  LEVELS,
} from '../capture/judge-capture.ts';
import type { CaptureFile } from '../capture/packets.ts';
import { captureOnAppliance, captureOnFortiGate } from '../checks/capture-steps.ts';
import type { Config } from '../config/config.ts';
import type { Needs } from '../config/load.ts';
import { hostOf } from '../core/addresses.ts';
import type { Certificate } from '../core/certificate.ts';
import { formatDistinguishedName } from '../tls/names.ts';
import { chainKey } from '../tls/sent-chain.ts';
import { counted, visibleText } from '../core/visible-text.ts';
import { blocksOf, headOf, type Cause, isFault } from '../engine/model.ts';
import { remedyOf } from '../engine/remedy-words.ts';
import { unitAddresses } from '../checks/conclude.ts';
import { loadTlsKnowledge } from '../round/tls-knowledge.ts';
import { messageOf } from '../text/message-of.ts';
import { controlPlace } from '../runtime/store-places.ts';
import { createDaemonClient, problemOf } from './daemon-client.ts';
import { EXIT_UNKNOWN } from './lazy-command.ts';
import { configOf, createProgressLine, type Invocation, needsNothing, type Terminal } from './terminal.ts';
import { CHECKS, preconditionOf } from '../checks/registry.ts';
import { instantText } from '../core/time-text.ts';
import { diagnose } from '../engine/diagnose.ts';
import { STATE_COLORS } from '../document/colors.ts';
import { causeLines, type TextStyle, textLines } from '../document/terminal.ts';
import { MARKS } from '../report/report-text.ts';

export interface CaptureOptions {
  readonly json?: boolean;
  readonly all?: boolean;
  readonly attach?: string;
  readonly printCommand?: 'fortigate' | 'appliance';
}

export const neededToJudge: Needs = (key) => /^(?:trust|services\.trust)\./u.test(key);

const EXIT: Readonly<Record<Level, number>> = { ok: 0, warning: 1, fault: 2, unknown: EXIT_UNKNOWN };

export async function runCapture(
  files: readonly string[],
  { json = false, all = false, attach, printCommand }: CaptureOptions,
  terminal: Invocation,
): Promise<number> {
  const config = await configOf(terminal, printCommand === undefined ? neededToJudge : needsNothing);
  if (printCommand !== undefined) {
    terminal.output.write(commandText(printCommand, config));
    return EXIT.ok;
  }
  if (files.length === 0) throw new Error('No capture was specified. Expected file names, or - for standard input');
  const result = await capturesOf(files, config, terminal, all);
  const text = json ? `${JSON.stringify(captureToJson(result))}\n` : renderCapture(result, config, terminal.style);
  terminal.output.write(text);
  if (attach !== undefined) await attachTo(attach, result, config, terminal);
  return EXIT[result.level];
}

function worstFirst({ connections }: CaptureResult): readonly JudgedConnection[] {
  return LEVELS.flatMap((level) => connections.filter((one) => levelOf(one) === level));
}

const MOST_ATTACHED = 5;

/** Connections from configured units are attached first. */
async function attachTo(incident: string, result: CaptureResult, config: Config, terminal: Invocation): Promise<void> {
  const units = unitAddresses(config);
  const isOther = ({ seen }: JudgedConnection): number => (units.includes(hostOf(seen.client)) ? 0 : 1);
  const ranked = worstFirst(result).toSorted((one, other) => isOther(one) - isOther(other));
  const sent = captureToJson({ ...result, connections: ranked.slice(0, MOST_ATTACHED) }).connections;
  const connections = sent.map(({ client, startedAt, tls, verdict, summary, chain }) => {
    const leaf = chain.slice(0, 1).map(({ sha256 }) => ({ sha256 }));
    return { client, startedAt, tls, verdict, summary: visibleText(summary, 500), chain: leaf };
  });
  const daemon = await createDaemonClient(controlPlace(config.store.path, terminal.env), terminal);
  const path = `/api/v1/incidents/${encodeURIComponent(incident)}/capture`;
  const answer = await daemon.ask('POST', path, { connections });
  if (answer.status !== 201) throw new Error(`Cannot add the verdict to the incident: ${problemOf(answer)}`);
  terminal.errors.write(`Added the verdict to incident ${visibleText(incident, 100)}\n`);
}

/** @throws {Error} with the file name if a file cannot be read */
export async function capturesOf(
  files: readonly string[],
  config: Config,
  { clock, input, cwd, progress }: Pick<Terminal, 'clock' | 'input' | 'cwd' | 'progress'>,
  all = false,
): Promise<CaptureResult> {
  const { host, port, serverName, expectedAddresses } = config.licenseServer;
  const knowledge = await loadTlsKnowledge(config, clock);
  const sources = files.map((name) => ({ name, bytes: name === '-' ? input : bytesOf(name, cwd) }));
  const target = { host, port, serverName, addresses: expectedAddresses };
  const line = createProgressLine(progress);
  const onProgress = ({ file, packets }: CaptureFile): void =>
    line.showText(`Reading ${visibleText(file, 60)}: ${packets.toLocaleString('en')} packets`);
  try {
    const options = { all, now: clock.now(), onProgress };
    return await examineCaptures(sources, target, (subject) => knowledge.ofAny(subject), options);
  } finally {
    line.clear();
  }
}

/** Stops at the size that the file had when it was opened, because the file may still be growing. */
async function* bytesOf(name: string, cwd: string): AsyncGenerator<Uint8Array> {
  try {
    await using file = await open(resolve(cwd, name));
    const { size } = await file.stat();
    yield* file.createReadStream(size === 0 ? {} : { end: size - 1 });
  } catch (error) {
    throw new Error(`Cannot read "${name}": ${messageOf(error)}`, { cause: error });
  }
}

function commandText(device: 'fortigate' | 'appliance', { licenseServer }: Config): string {
  const { host, port, expectedAddresses, proxy } = licenseServer;
  const direct = `${filterOf(expectedAddresses, host)} and port ${String(port)}`;
  // Behind the proxy, the connection goes to the server itself.
  const filter = proxy === null ? direct : `(host ${proxy.host} and port ${String(proxy.port)}) or (${direct})`;
  const step = device === 'fortigate' ? captureOnFortiGate(filter) : captureOnAppliance(`'${filter}'`);
  const { remedySteps } = remedyOf([step], { host, port: String(port), subject: host });
  const lines = remedySteps.flatMap((step) => [
    step.text,
    ...blocksOf(step).flatMap((block) => ['', headOf(block), ...block.text.split('\n')]),
  ]);
  return `${lines.join('\n')}\n\nThen: ftm-watch capture FILE\n`;
}

/** Addresses are listed even if they are part of a configured network, because such a filter is easier to verify. */
function filterOf(addresses: readonly string[], host: string): string {
  const parts = addresses.map((address) => (address.includes('/') ? `net ${address}` : `host ${address}`));
  return parts.length > 1 ? `(${parts.join(' or ')})` : (parts[0] ?? `host ${host}`);
}

const MOST_SHOWN = 20;
const MOST_FINDINGS = 8;
const MAX_TEXT = 1_000;
const INDENT = ' '.repeat(6);

const MARK_OF: Readonly<Record<Level, string>> = { ...MARKS, fault: MARKS.broken };

const CONCLUSIONS: Readonly<Record<Conclusion, string>> = {
  ok: "GENUINE: the capture contains the server's own certificate.",
  warning: 'NO FAULT, but see the warnings above.',
  unknown: 'UNKNOWN: no connection in the capture could be evaluated.',
  intercepted: 'INTERCEPTED: a device terminates TLS, see above.',
  'interception-suspected': 'PROBABLY INTERCEPTED: see above.',
  'certificate-broken': 'CERTIFICATE NOT VALID: see above.',
  rejected: 'REJECTED: the client rejected the certificate that it received, see above.',
  'tls-failed': 'TLS FAILED: see above.',
  'not-reached': 'NOT REACHED: a connection to the server was not accepted, see above.',
};

function renderCapture(result: CaptureResult, config: Config, style: TextStyle): string {
  const colors = createColors(style.color);
  const paint = (of: Level) => colors[STATE_COLORS[of === 'fault' ? 'broken' : of]];
  const { files, interceptor, notes, level } = result;
  const shown = worstFirst(result);
  return [
    colors.bold('ftm-watch capture'),
    ...files.map(fileLine),
    '',
    ...shown.slice(0, MOST_SHOWN).flatMap((one) => connectionLines(one, style.width, paint(levelOf(one)))),
    ...(shown.length > MOST_SHOWN
      ? [`  … and ${String(shown.length - MOST_SHOWN)} more. To list all of them, use --json`]
      : []),
    ...(shown.length > 0 ? [''] : []),
    ...chainLines(shown),
    ...causesOf(shown, config).flatMap((cause) => [...causeLines(cause, style, colors), '']),
    ...(interceptor === null ? [] : [...textLines(`${interceptor.summary}.`, style.width), '']),
    ...files
      .flatMap(({ dns }) => dns)
      .map(({ name, answers, resolver }) => `  ${resolver} answered ${visibleText(name, 253)}: ${answers.join(', ')}`),
    ...notes.flatMap((note) => textLines(note, style.width).map(colors.yellow)),
    paint(level)(CONCLUSIONS[conclusionOf(result)]),
    '',
  ].join('\n');
}

function fileLine({ file, format, packets, startedAt, isRelative, device }: CaptureFile): string {
  const from = startedAt === null || isRelative ? '' : `, from ${instantText(startedAt)}`;
  const by = device === null ? '' : `, by ${device}`;
  return `  ${visibleText(file, 200)}: ${format ?? 'unknown format'}, ${counted(packets, 'packet')}${from}${by}`;
}

function connectionLines(judged: JudgedConnection, width: number, paint: (text: string) => string): readonly string[] {
  const { client, server, leg, startedAt, handshake } = judged.seen;
  const time = judged.file.isRelative ? null : instantText(startedAt);
  const version = handshake.version === null ? null : `TLS ${handshake.version}`;
  const facts = [time, leg, version, handshake.hello?.serverName].filter((fact) => typeof fact === 'string');
  return [
    `  ${paint(MARK_OF[levelOf(judged)])} ${client} → ${server}  ${visibleText(facts.join(', '), MAX_TEXT)}`,
    ...textLines(judged.summary, width, INDENT).map(paint),
    ...evidenceOf(judged).flatMap((text) => textLines(text, width, `${INDENT}  `, `${INDENT}- `)),
  ];
}

function chainLines(connections: readonly JudgedConnection[]): readonly string[] {
  const sent = connections.flatMap(({ chain }) => (chain?.certificates.length ? [chain.certificates] : []));
  return [...new Map(sent.map((chain) => [chainKey(chain), chain])).values()]
    .slice(0, MOST_SHOWN)
    .flatMap((chain) => ['The certificate chain as it was sent:', ...chain.flatMap(certificateLines), '']);
}

export function certificateLines(certificate: Certificate): readonly string[] {
  const names = certificate.dnsNames.slice(0, 5).join(', ');
  return [
    `  ${formatDistinguishedName(certificate.subject)}${names === '' ? '' : ` (${names})`}`,
    `    issued by ${formatDistinguishedName(certificate.issuer)}, ${day(certificate.notBefore)} to ` +
      `${day(certificate.notAfter)}, ${certificate.key}`,
    `    SHA-256 ${certificate.fingerprint}`,
    `    ${certificate.pin}`,
  ];
}

function day(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

function causesOf(connections: readonly JudgedConnection[], { site, file, licenseServer }: Config): readonly Cause[] {
  const { host, port } = licenseServer;
  const faults = connections.flatMap(({ seen, findings }) => {
    const proxy = seen.handshake.tunnel === null ? {} : { proxy: seen.server };
    const place = { source: hostOf(seen.client), address: hostOf(seen.server), ...proxy };
    return findings.filter(isFault).map((finding) => ({ ...finding, facts: { ...place, ...finding.facts } }));
  });
  const distinct = [...new Map(faults.map((finding) => [finding.claim, finding])).values()];
  const byCheck = Map.groupBy(distinct, ({ suggests }) => (suggests === null ? null : preconditionOf(suggests)));
  const activation = { licenseActive: null, offlineSupported: null };
  const context = { checks: CHECKS, site, at: 0, host, port, source: null, activation, applianceUnaffected: false };
  // Each check is diagnosed separately, because connections can fail for different reasons.
  return [...byCheck].flatMap(([id, all]) => {
    if (id === null) return [];
    const findings = all.slice(0, MOST_FINDINGS);
    const configFile = file === undefined ? {} : { configFile: file };
    return diagnose([{ id, kind: 'judged', findings, summary: '' }], { ...context, ...configFile }).causes;
  });
}
