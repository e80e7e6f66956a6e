import type { Finding } from '../core/finding.ts';
import type { PollingReport } from '../core/polling/report.ts';
import type { FirewallSighting } from '../core/polling/state.ts';

/**
 * A FortiGate that logs its own inspection of the licence server's traffic is the best witness there is: it sees the path of
 * FortiAuthenticator, which the probes of this machine may not share.
 */
export function judgeLogEvidence({ firewallEvidence }: PollingReport, subject: string): readonly Finding[] {
  return firewallEvidence.map((sighting) => ({
    rule: 'firewall-log-shows-no-inspection',
    subject,
    expected: 'no line in the log of the firewall that says it inspects this traffic',
    actual: `${sighting.evidence.device ?? 'a FortiGate'}: ${sighting.sample}`,
    level: 'broken',
    suggests: 'tls-intercepted',
    facts: factsOf(sighting),
  }));
}

function factsOf({ evidence }: FirewallSighting): Finding['facts'] & object {
  return {
    product: 'Fortinet FortiGate',
    ...(evidence.policy === null ? {} : { policy: evidence.policy }),
    ...(evidence.profile === null ? {} : { profile: evidence.profile }),
    ...(evidence.sourceAddress === null ? {} : { source: evidence.sourceAddress }),
  };
}
