import { addressInAny } from '../addresses.ts';
import type { FirewallEvidence } from './log-event.ts';

/** The traffic that matters: FortiAuthenticator's to the licence server. */
export interface WatchedTraffic {
  /** Host names of the licence server. */
  readonly hosts: readonly string[];
  /** Its addresses and CIDR blocks. */
  readonly addresses: readonly string[];
}

/**
 * Whether a firewall's line is about the licence server. A firewall logs the inspection of every user's traffic; only
 * the licence server's proves anything. Its name decides, or its address where the line names no host.
 */
export function concernsLicenseServer(evidence: FirewallEvidence, watched: WatchedTraffic): boolean {
  if (evidence.hostName !== null) {
    const name = evidence.hostName.toLowerCase();
    return watched.hosts.some((host) => host.toLowerCase() === name) || addressInAny(name, watched.addresses);
  }
  return evidence.destinationAddress !== null && addressInAny(evidence.destinationAddress, watched.addresses);
}
