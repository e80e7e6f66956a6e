import { servedFamily } from './addresses.ts';
import type { EndpointObservation } from './observation.ts';

/**
 * The addresses of a target that decide whether it works. IPv4 does where the name has IPv4 addresses and this machine
 * a route to one of them, NAT64 included, else IPv6: which family FortiAuthenticator prefers is documented nowhere, and
 * IPv4 is what it always has.
 */
export function decidingAddresses(endpoints: readonly EndpointObservation[]): readonly EndpointObservation[] {
  const ipv6 = endpoints.filter(({ address }) => servedFamily(address) === 6);
  const ipv4 = endpoints.filter((endpoint) => !ipv6.includes(endpoint));
  const canTry = (family: readonly EndpointObservation[]): boolean =>
    family.some((endpoint) => !isWithoutRoute(endpoint));
  return ipv4.length === 0 || (!canTry(ipv4) && canTry(ipv6)) ? ipv6 : ipv4;
}

/** It says nothing about the target: this machine cannot even try. */
export function isWithoutRoute({ tcp }: EndpointObservation): boolean {
  return tcp.kind === 'failed' && tcp.reason === 'no-route' && tcp.beyond !== true;
}
