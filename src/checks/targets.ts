import type { ServiceConfig } from '../config/schema/watched.ts';
import type { Severity } from '../core/severity.ts';
import type { Finding, FindingFacts } from '../engine/model.ts';
import type { Facts, Judgement, TargetFacts } from './check.ts';
import { fromRound, judged, unjudged } from './judgement.ts';

/**
 * Evaluates the licence server and the services. The check has a verdict only if there is one for the licence server.
 * Services only add findings, and those that deliver activation codes have a separate check.
 * @param judge returns null if there was nothing to evaluate
 * @param summary the text to use if there are no findings about the licence server
 */
export function judgeTargets(
  id: string,
  facts: Facts,
  judge: (target: TargetFacts) => readonly Finding[] | null,
  summary: string,
): Judgement {
  const [own, ...services] = facts.round.targets;
  const ofOwn = judge(own);
  const findings = [
    ...(ofOwn ?? []),
    ...services.flatMap((target) =>
      target.service?.carries === null ? ofService(judge(target) ?? [], target.service) : [],
    ),
  ];
  const found =
    ofOwn === null
      ? {
          ...unjudged('There was no connection to check'),
          findings,
          // Other connections have shown that the stages after the failed one are reached.
          ...(own.sampling.kind === 'intermittent' ? { waits: true as const } : {}),
        }
      : judged(findings, summary);
  return fromRound(id, found, facts);
}

function ofService(findings: readonly Finding[], { host, port, severity }: ServiceConfig): readonly Finding[] {
  return findings.map((finding) => ({
    ...finding,
    ...capped(finding, severity),
    facts: { ...finding.facts, host, port: String(port), ...operatorOf(host) },
  }));
}

/** Fortinet's support knows only Fortinet's servers. */
function operatorOf(host: string): Pick<FindingFacts, 'operator'> {
  return /(?:^|\.)forti[a-z]+\.(?:com|net)$/iu.test(host) ? {} : { operator: 'the operator of the server' };
}

function capped({ level, suggests }: Finding, severity: Severity): Pick<Finding, 'level' | 'suggests'> {
  if (severity === 'critical' || level === 'note') return { level, suggests };
  if (level === 'unknown') return { level: 'note', suggests: null };
  return { level: severity === 'info' ? 'note' : 'warning', suggests };
}
