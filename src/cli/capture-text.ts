import { createColors } from 'picocolors';

import { type CaptureResult, LEVELS } from '../capture/capture-result.ts';
import type { JudgedConnection } from '../capture/judge-capture.ts';
import { CHECKS, preconditionOf } from '../checks/registry.ts';
import type { Config } from '../config/config.ts';
import { counted } from '../core/counted.ts';
import { hostOf } from '../core/authority.ts';
import { instantText } from '../core/instant-text.ts';
import { visibleText } from '../core/visible-text.ts';
import type { Cause } from '../engine/cause.ts';
import { diagnose } from '../engine/diagnosis/diagnose.ts';
import { type Finding, isFault } from '../engine/finding.ts';
import { causeLines, MARKS, type TextStyle } from '../report/report-text.ts';
import { wrap } from '../text/wrap.ts';
import { certificateLines } from './trust-text.ts';

/** Connections and findings that are shown in full. */
const MOST_SHOWN = 20;
const MOST_FINDINGS = 8;
const MAX_TEXT = 1_000;
const INDENT = 6;

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
export function renderCapture(result: CaptureResult, config: Config, style: TextStyle): string {
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
    ...(result.interceptor === null ? [] : [...wrap(`${result.interceptor.summary}.`, style.width), '']),
    ...result.dns.map(
      ({ name, answers, resolver }) => `  ${resolver} answered ${visibleText(name, 253)}: ${answers.join(', ')}`,
    ),
    ...result.notes.flatMap((note) => wrap(visibleText(note, MAX_TEXT), style.width).map(colors.yellow)),
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
  const told = evidence.map((text) => visibleText(text, MAX_TEXT)).filter((text) => text !== summary);
  return [
    `  ${paint(MARK_OF[level])} ${client} → ${server}  ${visibleText(facts.join(', '), MAX_TEXT)}`,
    ...wrap(visibleText(summary, MAX_TEXT), width - INDENT).map((line) => `${' '.repeat(INDENT)}${paint(line)}`),
    ...told.flatMap((text) =>
      wrap(text, width - INDENT - 2).map((line, index) => `${' '.repeat(INDENT)}${index === 0 ? '- ' : '  '}${line}`),
    ),
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
