import { isCorroborated, ONE_DATAGRAM, type Complaint } from '../../core/polling/corroboration.ts';
import { type Finding, type FindingFacts, known } from '../../engine/finding.ts';
import type { PollingReport } from '../../core/polling/report.ts';
import type { FirewallSighting } from '../../core/polling/state.ts';

/**
 * A FortiGate that logs its own inspection of the licence server's traffic is the best witness there is: it sees the
 * path of FortiAuthenticator, which the probes of this machine may not share. Its line is forged as easily as any.
 */
export function judgeLogEvidence({ firewallEvidence }: PollingReport, subject: string): readonly Finding[] {
  const corroborated = isCorroborated(firewallEvidence.map(complaintOf));
  return firewallEvidence.map((sighting) => ({
    rule: 'firewall-log-shows-no-inspection',
    subject,
    claim: `${admission(sighting)}, logged that it inspects this traffic${corroborated ? '' : ONE_DATAGRAM}.`,
    quote: sighting.sample,
    at: sighting.lastAt,
    expected: 'no line in the log of the firewall that says it inspects this traffic',
    actual: `${admission(sighting)}: ${sighting.sample}${corroborated ? '' : ONE_DATAGRAM}`,
    ...(corroborated ? { level: 'broken', witness: 'firewall' } : { level: 'warning', confidence: 'suspected' }),
    suggests: 'tls-intercepted',
    facts: factsOf(sighting),
  }));
}

function complaintOf({ firstAt, lastAt, reliableAt = null }: FirewallSighting): Complaint {
  return { moments: [firstAt, lastAt], reliableAt };
}

function factsOf({ evidence: { policy, profile, sourceAddress } }: FirewallSighting): FindingFacts {
  const matching = policy === null ? null : `policy ${policy}`;
  return known({ product: 'Fortinet FortiGate', policy: matching, profile, source: sourceAddress });
}

/**
 * As in `fgt-1, policy 20, profile "custom-deep-inspection", source 10.0.0.5`: a sample may be cut before it says so.
 */
function admission({ evidence: { device, policy, profile, sourceAddress } }: FirewallSighting): string {
  return [
    device ?? 'A FortiGate',
    ...(policy === null ? [] : [`policy ${policy}`]),
    ...(profile === null ? [] : [`profile "${profile}"`]),
    ...(sourceAddress === null ? [] : [`source ${sourceAddress}`]),
  ].join(', ');
}
