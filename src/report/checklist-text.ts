import type { JudgedEndpoint } from '../checks/tls-genuine/judge-tls-path.ts';
import type { RoundObservations } from '../sources/registry.ts';
import type { RoundResult } from './round-result.ts';
import { isoTime } from '../core/instant-text.ts';
import type { Mask } from '../text/mask.ts';
import { maskedDiagnosis } from './masked.ts';
import { mailLine, milliseconds, pathLines, shown } from './path-lines.ts';
import { renderDiagnosis } from './report-text.ts';

const PLAIN = { color: false, width: 100 };

/**
 * What was concluded, as `check` prints it, then every answer with its times, and the verdict on every chain; without
 * names of people.
 */
export function checklistText({ diagnosis, observations, judged }: RoundResult, version: string, mask: Mask): string {
  return [
    `ftm-watch ${version}: evidence of ${isoTime(observations.startedAt)}`,
    '',
    // Before it is wrapped: a name may end on the next line.
    renderDiagnosis(maskedDiagnosis(diagnosis, mask), PLAIN),
    answersText(observations, mask),
    ...judged.tls
      .flatMap(({ judged: { endpoints } }) => endpoints.flatMap(verdictLines))
      .map((line) => mask.line(line)),
  ].join('\n');
}

/** Every answer of a round with its times, a line each, without names of people. */
export function answersText({ path, controls, mail, durationMs, stalledMs }: RoundObservations, mask: Mask): string {
  return [
    `The round took ${milliseconds(durationMs)}; this process stalled for ${milliseconds(stalledMs)} of it ` +
      'at the longest.',
    '',
    ...[path.licenseServer, ...path.services, ...controls].flatMap((seen) => [
      heading(`Path to ${seen.subject}`),
      ...pathLines(seen),
      '',
    ]),
    ...(mail.length === 0 ? [] : [heading('Mail'), ...mail.map(mailLine), '']),
  ]
    .map((line) => mask.line(line))
    .join('\n');
}

function verdictLines({ endpoint, outcome, judgement }: JudgedEndpoint): readonly string[] {
  return [
    heading(`Certificates of ${endpoint.target} at ${endpoint.address}`),
    `Verdict: ${judgement.verdict} (${judgement.confidence}). ${shown(judgement.summary)}`,
    ...(judgement.wouldSettle === null ? [] : [`What would settle it: ${shown(judgement.wouldSettle)}`]),
    ...(outcome.chain === null ? ['No certificate was sent.'] : []),
    '',
  ];
}

function heading(text: string): string {
  return `== ${shown(text)} ==\n`;
}
