import { printConfig } from '../config/print.ts';
import type { Config } from '../config/config.ts';
import { chainPem } from '../core/certificate-pem.ts';
import { visibleText } from '../core/visible-text.ts';
import type { JudgedEndpoint } from '../round/judge-tls-path.ts';
import type { Examination } from './examination.ts';
import { pathLines } from './path-lines.ts';
import { renderDiagnosis } from './report-text.ts';

const LONGEST_TEXT = 2_000;
const PLAIN = { color: false, width: 100 };

/**
 * Everything that was seen, for the firewall team or a support ticket: what was concluded, every answer with its times, every chain as
 * it was sent. Secrets are not in it: the configuration names only where they come from.
 */
export function renderEvidence({ diagnosis, observations, judged }: Examination, config: Config, version: string): string {
  const { licenseServer, services, controls, durationMs, stalledMs } = observations;
  return [
    `ftm-watch ${version}: evidence of ${new Date(observations.startedAt).toISOString()}`,
    `The round took ${milliseconds(durationMs)}; this process stood still for ${milliseconds(stalledMs)} of it at the longest.`,
    '',
    renderDiagnosis(diagnosis, PLAIN),
    ...[licenseServer, ...services, ...controls].flatMap((path) => [heading(`Path to ${path.subject}`), ...pathLines(path), '']),
    ...judged.tls.flatMap(({ judged: { endpoints } }) => endpoints.flatMap(chainLines)),
    heading('Configuration in force'),
    printConfig(config),
  ].join('\n');
}

function chainLines({ endpoint, outcome, judgement }: JudgedEndpoint): readonly string[] {
  return [
    heading(`Certificates of ${endpoint.target} at ${endpoint.address}`),
    `Verdict: ${judgement.verdict} (${judgement.confidence}). ${shown(judgement.summary)}`,
    ...(judgement.settle === null ? [] : [`What would settle it: ${shown(judgement.settle)}`]),
    ...judgement.findings.map(({ rule, expected, actual }) => `${rule}: expected ${shown(expected)}, got ${shown(actual)}`),
    '',
    outcome.chain === null ? 'No certificate was sent.' : chainPem(outcome.chain),
    '',
  ];
}

function heading(text: string): string {
  return `== ${shown(text)} ==\n`;
}

function shown(text: string): string {
  return visibleText(text, LONGEST_TEXT);
}

function milliseconds(duration: number): string {
  return `${duration.toFixed(1)} ms`;
}
