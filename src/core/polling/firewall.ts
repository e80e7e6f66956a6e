import ipaddr from 'ipaddr.js';
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
    return watched.hosts.some((host) => host.toLowerCase() === name) || withinAny(name, watched.addresses);
  }
  return evidence.destinationAddress !== null && withinAny(evidence.destinationAddress, watched.addresses);
}

function withinAny(address: string, blocks: readonly string[]): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  return blocks.some((block) => {
    const range = ipaddr.isValidCIDR(block) ? ipaddr.parseCIDR(block) : singleAddress(block);
    return range !== null && range[0].kind() === parsed.kind() && parsed.match(range);
  });
}

function singleAddress(block: string): ReturnType<typeof ipaddr.parseCIDR> | null {
  if (!ipaddr.isValid(block)) return null;
  const address = ipaddr.process(block);
  return address.kind() === 'ipv4'
    ? ipaddr.parseCIDR(`${address.toString()}/32`)
    : ipaddr.parseCIDR(`${address.toString()}/128`);
}
