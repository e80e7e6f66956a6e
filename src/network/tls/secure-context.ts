import { createSecureContext, DEFAULT_CIPHERS, type SecureContext, getCACertificates } from 'node:tls';
import { readFile } from 'node:fs/promises';
import { readText } from '../../system/json-file.ts';
import { type Authorities, parseAuthorities } from '../../tls/pem.ts';

/** The newest version that a ClientHello offers. */
export type NewestVersion = 'TLSv1.2' | 'TLSv1.3';

/**
 * OpenSSL always verifies the chain that a peer sends, even without anchors. With anchors, its result is what a client
 * would conclude that trusts exactly these certificates.
 * @param options.anchors authorities and leaves in PEM
 */
export function createProbeSecureContext({
  maxVersion = 'TLSv1.3',
  anchors = [],
}: {
  readonly maxVersion?: NewestVersion;
  readonly anchors?: readonly string[];
} = {}): SecureContext {
  return createSecureContext({
    ca: [...anchors],
    allowPartialTrustChain: true,
    ecdhCurve: KEY_SHARES,
    // Old versions are offered so that the certificates of old servers can be captured. Another check reports versions
    // that are too old.
    minVersion: 'TLSv1',
    maxVersion,
    ciphers: `${DEFAULT_CIPHERS}:@SECLEVEL=0`,
  });
}

/**
 * Creates a context whose ClientHello is rejected by every server, because it offers only NULL encryption. The server
 * replies with an alert (RFC 5246 §7.2). The alert is only seven bytes long, so it arrives even if larger packets are
 * lost.
 */
export function createRefusableSecureContext(): SecureContext {
  return createSecureContext({
    ca: [],
    maxVersion: 'TLSv1.2',
    minVersion: 'TLSv1.2',
    ciphers: 'NULL-SHA256:@SECLEVEL=0',
  });
}

/**
 * Key exchange groups that every handshake offers, with a key share for X25519. Without Node's default post-quantum key
 * share, the ClientHello is 376 bytes long instead of 1,597 and fits into one segment. Old firewalls drop a ClientHello
 * that spans two segments. This would cause a false alarm, because FortiAuthenticator's ClientHello fits into one
 * segment. The post-quantum key share would also cost 0.1 ms of CPU per handshake.
 */
const KEY_SHARES = 'X25519:P-256:P-384:P-521';

/** @throws {Error} with the file's name when the file cannot be read or is not a list of certificates */
export async function readAuthorities(file: string): Promise<Authorities> {
  return parseAuthorities(await readText(file, 'certificates from'), file);
}

/**
 * The file is read each time, so that a renewed certificate is used immediately. Creating a context takes 0.3 ms of CPU
 * time, so a new context is created only if the file has changed.
 */
export class FileTrust {
  readonly #known = new Map<string, { readonly bytes: Buffer; readonly context: SecureContext }>();

  async contextOf(file: string): Promise<SecureContext> {
    const bytes = await readFile(file);
    const known = this.#known.get(file);
    if (known?.bytes.equals(bytes) === true) return known.context;
    parseAuthorities(bytes.toString('utf8'), file);
    const context = createSecureContext({ ca: bytes, ecdhCurve: KEY_SHARES });
    this.#known.set(file, { bytes, context });
    return context;
  }
}

/**
 * Returns a context with the public authorities that ship with Node and the authorities in NODE_EXTRA_CA_CERTS. The
 * machine's own store is not used, because an inspecting proxy's CA is often installed there. Loading 140 root
 * certificates takes milliseconds, so the whole program shares one context.
 */
export function publicTrust(): SecureContext {
  const wanted = [...getCACertificates('bundled'), ...getCACertificates('extra')];
  const usual = getCACertificates('default');
  // If no Node option changes the defaults, the two lists are identical, and Node's default store can be used.
  const isUsual = wanted.length === usual.length && wanted.every((certificate, index) => certificate === usual[index]);
  return createSecureContext({ ecdhCurve: KEY_SHARES, ...(isUsual ? {} : { ca: wanted }) });
}
