/** The kinds of probes that are compared. */
export const PROBE_KINDS = ['dns', 'tcp', 'tls-rsa', 'tls-ecdsa', 'https-rsa', 'https-ecdsa', 'mail'] as const;

export type ProbeKind = (typeof PROBE_KINDS)[number];

/**
 * The minimum that Node can do: a handshake, or a handshake and a request, without reading, judging or keeping
 * anything.
 */
export const FLOOR_KINDS = ['floor-tls-rsa', 'floor-tls-ecdsa', 'floor-https-rsa', 'floor-https-ecdsa'] as const;

export type FloorKind = (typeof FLOOR_KINDS)[number];

export const PROBE_TITLES: Readonly<Record<ProbeKind | FloorKind, string>> = {
  dns: 'DNS, A and AAAA of a name over UDP',
  tcp: 'TCP connect',
  'tls-rsa': 'TLS, RSA 2048',
  'tls-ecdsa': 'TLS, ECDSA P-256',
  'https-rsa': 'HTTPS, RSA 2048',
  'https-ecdsa': 'HTTPS, ECDSA P-256',
  mail: 'Mail, STARTTLS up to the recipient',
  'floor-tls-rsa': 'bare tls.connect, RSA 2048',
  'floor-tls-ecdsa': 'bare tls.connect, ECDSA P-256',
  'floor-https-rsa': 'bare tls.connect and a request, RSA 2048',
  'floor-https-ecdsa': 'bare tls.connect and a request, ECDSA P-256',
};

/** Number of handshakes that one probe makes. */
export function handshakesOf(kind: ProbeKind | FloorKind): number {
  return kind === 'dns' || kind === 'tcp' ? 0 : 1;
}
