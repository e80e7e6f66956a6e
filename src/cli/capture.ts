import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import * as z from 'zod';
import { createColors } from 'picocolors';
import {
  type CaptureResult,
  type CaptureSource,
  captureToJson,
  examineCaptures,
  LEVELS,
} from '../capture/capture-result.ts';
import type { JudgedConnection } from '../capture/judge-capture.ts';
import { captureOnAppliance, captureOnFortiGate } from '../checks/capture-steps.ts';
import type { Config } from '../config/config.ts';
import type { Needs } from '../config/config-file.ts';
import { hostOf } from '../core/addresses.ts';
import { nameList, counted } from '../core/phrases.ts';
import { visibleText } from '../core/visible-text.ts';
import { blocksOf, headOf, type Cause, type Finding, isFault } from '../engine/model.ts';
import { remedyOf } from '../engine/remedy-words.ts';
import { unitAddresses } from '../runtime/conclude.ts';
import { loadTlsKnowledge } from '../runtime/round/tls-knowledge.ts';
import { messageOf } from '../text/message-of.ts';
import { controlPlace } from '../runtime/control-place.ts';
import { createDaemonClient } from './daemon-client.ts';
import { EXIT_UNKNOWN } from './exit-codes.ts';
import { type Invocation, loadOrExplain, needsNothing, type Terminal } from './terminal.ts';
import { CHECKS, preconditionOf } from '../checks/registry.ts';
import { instantText } from '../core/time-text.ts';
import { diagnose } from '../engine/diagnose.ts';
import { causeLines, type TextStyle, textLines } from '../document/terminal.ts';
import { MARKS } from '../report/report-text.ts';
import { certificateLines } from './trust-text.ts';

export interface CaptureWish {
  /** As typed; `-`: standard input. */
  readonly files: readonly string[];
  readonly json: boolean;
  readonly all: boolean;
  /** Id of the incident that the verdict is added to. */
  readonly attach: string | null;
}

/** The files that certificates are judged by. */
export const neededToJudge: Needs = (key) => /^(?:trust|services\.trust)\./u.test(key);

/** Bytes that are read at once. */
const CHUNK = 65_536;

const EXIT: Readonly<Record<CaptureResult['level'], number>> = { ok: 0, warning: 1, fault: 2, unknown: EXIT_UNKNOWN };

/** Judges the connections in captures. Returns the exit code. */
export async function runCapture(wish: CaptureWish, terminal: Invocation): Promise<number> {
  const config = await loadOrExplain(terminal, neededToJudge);
  if (config === null) return EXIT_UNKNOWN;
  if (wish.files.length === 0) {
    terminal.errors.write('Expected the name of a capture; - is standard input\n');
    return EXIT_UNKNOWN;
  }
  try {
    const result = await capturesOf(config, wish, terminal);
    terminal.output.write(
      wish.json ? `${JSON.stringify(captureToJson(result))}\n` : renderCapture(result, config, terminal.style),
    );
    if (wish.attach !== null && !(await attach(result, wish.attach, config, terminal))) return EXIT_UNKNOWN;
    return EXIT[result.level];
  } catch (error) {
    terminal.errors.write(`${messageOf(error)}\n`);
    return EXIT_UNKNOWN;
  }
}

const MOST_ATTACHED = 5;
const refusedShape = z.object({ error: z.string() });

/** Whether the daemon took it. */
async function attach(result: CaptureResult, incident: string, config: Config, terminal: Invocation): Promise<boolean> {
  await using daemon = await createDaemonClient(controlPlace(config.store.path, terminal.env), terminal);
  const path = `/api/v1/incidents/${encodeURIComponent(incident)}/capture`;
  const { status, json } = await daemon.ask('POST', path, { connections: attachedOf(result, config) });
  if (status === 201) {
    terminal.errors.write(`Added to the incident ${visibleText(incident, 100)}\n`);
    return true;
  }
  const refused = refusedShape.safeParse(json);
  terminal.errors.write(
    `Not added: ${visibleText(refused.success ? refused.data.error : `the answer was HTTP ${String(status)}`, 1_000)}\n`,
  );
  return false;
}

/** The worst connections, those of the units first: as many as one change may have. */
function attachedOf(result: CaptureResult, config: Config): readonly object[] {
  const units = unitAddresses(config);
  const rank = ({ client, level }: JudgedConnection): number =>
    (units.includes(hostOf(client)) ? 0 : LEVELS.length) + LEVELS.indexOf(level);
  const worst = result.connections.toSorted((one, other) => rank(one) - rank(other)).slice(0, MOST_ATTACHED);
  return captureToJson({ ...result, connections: worst }).connections.map(
    ({ client, startedAt, tls, verdict, summary, chain }) => ({
      client,
      startedAt,
      tls,
      verdict,
      summary: visibleText(summary, 500),
      chain: chain.slice(0, 1).map(({ sha256 }) => ({ sha256 })),
    }),
  );
}

/**
 * Reads captures and judges them with what the configuration trusts.
 * @throws {Error} saying which file cannot be read
 */
export async function capturesOf(
  config: Config,
  { files, all }: Pick<CaptureWish, 'files' | 'all'>,
  { clock, input, cwd }: Pick<Terminal, 'clock' | 'input' | 'cwd'>,
): Promise<CaptureResult> {
  const { host, port, serverName, expectedAddresses } = config.licenseServer;
  const knowledge = await loadTlsKnowledge(config, { of: () => null }, clock);
  const sources = files.map((name): CaptureSource => ({ name, bytes: name === '-' ? input : bytesOf(name, cwd) }));
  return examineCaptures(sources, {
    target: { host, port, serverName, addresses: expectedAddresses },
    knowledgeOf: (target) => knowledge.ofAny(target),
    all,
    now: clock.now(),
  });
}

/** A file that grows is read as far as it went when it was opened. */
async function* bytesOf(name: string, cwd: string): AsyncGenerator<Uint8Array> {
  try {
    await using file = await open(resolve(cwd, name));
    const { size } = await file.stat();
    const buffer = Buffer.alloc(CHUNK);
    // Of a pipe, no size is known.
    let left = size > 0 ? size : Number.POSITIVE_INFINITY;
    while (left > 0) {
      const { bytesRead } = await file.read(buffer, 0, Math.min(CHUNK, left), null);
      if (bytesRead === 0) return;
      left -= bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } catch (error) {
    throw new Error(`Cannot read "${name}": ${messageOf(error)}`, { cause: error });
  }
}

/** Prints the commands that capture the connections to the configured server. Returns the exit code. */
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
  terminal.output.write(`${lines.join('\n')}\n\nThen: ftm-watch capture FILE\n`);
  return 0;
}

/** Blocks that contain others make those superfluous, but a filter of single addresses is easier to check. */
function filterOf(addresses: readonly string[], host: string): string {
  if (addresses.length === 0) return `host ${host}`;
  const parts = addresses.map((address) => (address.includes('/') ? `net ${address}` : `host ${address}`));
  return parts.length === 1 ? nameList(parts) : `(${parts.join(' or ')})`;
}

/** Connections and findings that are shown in full. */
const MOST_SHOWN = 20;
const MOST_FINDINGS = 8;
const MAX_TEXT = 1_000;
const INDENT = ' '.repeat(6);

const MARK_OF: Readonly<Record<JudgedConnection['level'], string>> = {
  ok: MARKS.ok,
  warning: MARKS.warning,
  fault: MARKS.broken,
  unknown: MARKS.unknown,
};

const CONCLUSIONS: Readonly<Record<CaptureResult['level'], string>> = {
  ok: 'GENUINE: what was captured is the certificate of the server.',
  warning: 'GENUINE, with the warnings above.',
  fault: 'NOT GENUINE OR NOT REACHED: see above.',
  unknown: 'UNKNOWN: no connection in the capture could be judged.',
};

/** The verdict for a person at a terminal. Ends with a line break. */
function renderCapture(result: CaptureResult, config: Config, style: TextStyle): string {
  const colors = createColors(style.color);
  const shown = result.connections.toSorted((one, other) => LEVELS.indexOf(one.level) - LEVELS.indexOf(other.level));
  const paint = { ok: colors.green, warning: colors.yellow, fault: colors.red, unknown: colors.yellow };
  const rest = shown.length - MOST_SHOWN;
  return [
    colors.bold('ftm-watch capture'),
    ...result.files.map(
      ({ file, format, packets, startedAt, device }) =>
        `  ${visibleText(file, 200)}: ${format ?? 'unknown format'}, ${counted(packets, 'packet')}` +
        `${startedAt === null ? '' : `, from ${instantText(startedAt)}`}${device === null ? '' : `, by ${device}`}`,
    ),
    '',
    ...shown.slice(0, MOST_SHOWN).flatMap((connection) => connectionLines(connection, style, paint[connection.level])),
    ...(rest > 0 ? [`  … and ${String(rest)} more, with --json`] : []),
    ...(shown.length > 0 ? [''] : []),
    ...chainLines(shown),
    ...causesOf(shown, config).flatMap((cause) => [...causeLines(cause, style, colors), '']),
    ...(result.interceptor === null ? [] : [...textLines(`${result.interceptor.summary}.`, style.width), '']),
    ...result.dns.map(
      ({ name, answers, resolver }) => `  ${resolver} answered ${visibleText(name, 253)}: ${answers.join(', ')}`,
    ),
    ...result.notes.flatMap((note) => textLines(note, style.width).map(colors.yellow)),
    paint[result.level](CONCLUSIONS[result.level]),
    '',
  ].join('\n');
}

function connectionLines(
  { client, server, leg, startedAt, isUndated, handshake, summary, evidence, level }: JudgedConnection,
  { width }: TextStyle,
  paint: (text: string) => string,
): readonly string[] {
  const facts = [
    ...(isUndated ? [] : [instantText(startedAt)]),
    ...(leg === null ? [] : [leg]),
    ...(handshake.version === null ? [] : [`TLS ${handshake.version}`]),
    ...(handshake.hello?.serverName === null || handshake.hello === null ? [] : [handshake.hello.serverName]),
  ];
  const others = evidence.filter((text) => text !== summary);
  return [
    `  ${paint(MARK_OF[level])} ${client} → ${server}  ${visibleText(facts.join(', '), MAX_TEXT)}`,
    ...textLines(summary, width, INDENT).map(paint),
    ...others.flatMap((text) => textLines(text, width, `${INDENT}  `, `${INDENT}- `)),
  ];
}

/** Each chain once, as it was sent. */
function chainLines(connections: readonly JudgedConnection[]): readonly string[] {
  const chains = new Map(
    connections.flatMap(({ chain }) =>
      chain === null ? [] : [[chain.certificates.map(({ fingerprint }) => fingerprint).join(), chain.certificates]],
    ),
  );
  return [...chains.values()]
    .slice(0, MOST_SHOWN)
    .flatMap((certificates) => ['The chain as it was sent:', ...certificates.flatMap(certificateLines), '']);
}

/** The causes that the connections show, with their remedies, as "check" tells them. */
function causesOf(connections: readonly JudgedConnection[], config: Config): readonly Cause[] {
  const faults = connections.flatMap((connection) =>
    connection.findings.filter(isFault).map((finding) => withPlace(finding, connection)),
  );
  const byCheck = Map.groupBy(
    faults.filter(({ suggests }) => suggests !== null),
    ({ suggests }) => preconditionOf(suggests ?? ''),
  );
  const { host, port } = config.licenseServer;
  return [...byCheck].flatMap(([id, findings]) => {
    const distinct = [...new Map(findings.map((finding) => [finding.claim, finding])).values()].slice(0, MOST_FINDINGS);
    return diagnose([{ id, kind: 'judged', findings: distinct, summary: '' }], {
      checks: CHECKS,
      site: config.site,
      at: 0,
      host,
      port,
      source: null,
      activation: { licenseActive: null, offlineActivation: null },
      applianceUnaffected: false,
      ...(config.file === undefined ? {} : { configFile: config.file }),
    }).causes;
  });
}

/** What remedies need to know of the connection itself. */
function withPlace(finding: Finding, { client, serverAddress, server, handshake }: JudgedConnection): Finding {
  const proxy = handshake.tunnel === null ? {} : { proxy: server };
  return { ...finding, facts: { source: hostOf(client), address: serverAddress, ...proxy, ...finding.facts } };
}
