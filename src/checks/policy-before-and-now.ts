import { type FirewallObservation, policyText } from '../core/license/firewall.ts';
import type { Incident } from '../engine/incident/incident.ts';
import { capital } from '../engine/words/claim.ts';

/** Which policy matched while an incident lasted, and which one does now. */
export interface PolicyComparison {
  /** As its evidence has it; null: it has nothing of a policy. */
  readonly before: string | null;
  /** null: it is not known. */
  readonly now: string | null;
}

export function policyBeforeAndNow(
  { cause, openingEvidence }: Pick<Incident, 'cause' | 'openingEvidence'>,
  firewall: readonly FirewallObservation[],
): PolicyComparison {
  const before = [...cause.evidence, ...openingEvidence].find((line) => OF_POLICY.test(line));
  const now = firewall.flatMap(matchText);
  return { before: before?.replace(/ Expected: [^"]*$/u, '') ?? null, now: now.length === 0 ? null : now.join(' ') };
}

/** The evidence that `firewall-policy` gives, behind its subject where that is another one. */
const OF_POLICY = /(?:^|^[^"]* to [^"]*: )(?:Policy \d|No policy allows|The SSL profile ")/u;

function matchText(observation: FirewallObservation): readonly string[] {
  if (observation.kind !== 'ok') return [];
  const { match, source, destination } = observation;
  const flow = `${source} to ${destination}`;
  if (match.kind === 'implicit-deny') return [`No policy matches ${flow}.`];
  const { policy, inspection } = match;
  const profile = inspection.profile === null ? 'no SSL profile' : `SSL profile "${inspection.profile}"`;
  const denies = policy.action === 'deny' ? ' and denies it' : `, with ${profile}`;
  return [`${capital(policyText(policy))} matches ${flow}${denies}.`];
}
