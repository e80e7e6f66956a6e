import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/**
 * Whether the other end of a connection is on this machine, or in this container or pod, and came over its loopback
 * interface: no packet from outside has such an address.
 *
 * @param address as a socket gives it; undefined once the connection is gone
 */
export function isLoopback(address: string | undefined): boolean {
  // `process` takes the form that a socket for both families gives: `::ffff:127.0.0.1`.
  return address !== undefined && isIP(address) !== 0 && ipaddr.process(address).range() === 'loopback';
}
