import {
  askedFor,
  type FirewallObservation,
  firewallName,
  type PolicyMatch,
  policyText,
} from '../../core/license/firewall.ts';
import { type Finding, known } from '../../engine/finding.ts';
import type { FirewallConfig } from '../../sources/firewall/section.ts';
import type { POLLING_CAUSES } from './causes.ts';

type PolicyKind = keyof (typeof POLLING_CAUSES)['polling-failing']['kinds'];

/** The FortiGates as they are configured, and what they said. */
export interface Policies {
  readonly configured: readonly Pick<FirewallConfig, 'url' | 'vdom' | 'source' | 'appliances'>[];
  readonly asked: readonly FirewallObservation[];
}

/** The policy that was looked up for the unit that complains: another unit's says nothing about it. */
export function ownPolicy(appliance: string, { configured, asked }: Policies): Pick<Finding, 'kind' | 'facts'> {
  const entry = askedFor(configured, appliance);
  if (entry === null) return { facts: { appliance } };
  const { source } = entry;
  const observation = askedFor(asked, appliance);
  const policy = observation?.kind === 'ok' ? textOf(observation.match) : null;
  const kind: PolicyKind = policy === null ? 'policy-unread' : 'policy-read';
  return { kind, facts: known({ appliance, source, firewall: firewallName(entry), policy }) };
}

function textOf(match: PolicyMatch): string {
  return match.kind === 'policy' ? policyText(match.policy) : 'the implicit deny';
}
