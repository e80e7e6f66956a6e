/**
 * The groups that every handshake offers, X25519 with a share. Without the post-quantum share that Node offers by
 * default the ClientHello has 376 bytes instead of 1597: one segment. Old firewalls drop a hello that comes in two, and
 * the appliance does not send one, so a probe would cry wolf. The share costs 0.1 ms of CPU a handshake besides.
 */
export const KEY_SHARES = 'X25519:P-256:P-384:P-521';
