import { createSecureContext, DEFAULT_CIPHERS, type SecureContext, getCACertificates } from 'node:tls';
import { readFile } from 'node:fs/promises';
import { X509Certificate } from 'node:crypto';
import { readText } from '../../system/json-file.ts';
import { messageOf } from '../../text/message-of.ts';

/**
 * Creates the TLS context that all probes share. It only captures certificates; trust is evaluated afterwards. A
 * handshake costs 0.79 ms of CPU, compared with 1.0 with Node's defaults (measured on Node 24.21, ECDSA chain of two).
 */
export function createProbeSecureContext(maxVersion: 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.3'): SecureContext {
  return createSecureContext({
    // Without trust anchors OpenSSL needs a third less time, because it cannot verify the chain.
    ca: [],
    ecdhCurve: KEY_SHARES,
    // The oldest servers should be captured too. Whether a version is too old is decided later, not by a failed
    // handshake.
    minVersion: 'TLSv1',
    maxVersion,
    ciphers: `${DEFAULT_CIPHERS}:@SECLEVEL=0`,
  });
}

/**
 * Creates a context whose ClientHello every server rejects, because it offers only NULL encryption. The reply is an
 * alert of seven bytes (RFC 5246 §7.2), which arrives even if whole certificates get lost.
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
 * The groups that every handshake offers, with a key share for X25519. Without Node's default post-quantum key share,
 * the ClientHello has 376 bytes instead of 1597 and fits into one segment. Old firewalls drop a hello in two segments.
 * The appliance does not send such a hello, so a probe would raise a false alarm. The key share would also cost 0.1 ms
 * of CPU per handshake.
 */
export const KEY_SHARES = 'X25519:P-256:P-384:P-521';

/** The certificates of a CA file. */
interface Authorities {
  readonly pems: readonly string[];
  readonly ders: readonly Buffer[];
}

/** Larger than any bundle of roots. */
const MAX_BYTES = 1024 * 1024;

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/gu;

/** @throws {Error} naming the file, when it cannot be read or is not a list of certificates */
export async function readAuthorities(file: string): Promise<Authorities> {
  return parseAuthorities(await readText(file, 'certificates from'), file);
}

/**
 * Rejects a text without certificates. OpenSSL would accept it as an empty list, and nothing would be trusted.
 * @throws {Error} naming the file
 */
export function parseAuthorities(text: string, file: string): Authorities {
  const pems = text.length > MAX_BYTES ? [] : (text.match(PEM_CERTIFICATE) ?? []);
  if (pems.length === 0)
    throw new Error(
      `Cannot use the certificates in "${file}": expected PEM, "-----BEGIN CERTIFICATE-----", at most 1 MiB`,
    );
  return { pems, ders: pems.map((pem, index) => parsed(pem, index, file).raw) };
}

function parsed(pem: string, index: number, file: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw new Error(`Cannot use certificate ${String(index + 1)} in "${file}": ${messageOf(error)}`, { cause: error });
  }
}

interface Known {
  readonly bytes: Buffer;
  readonly context: SecureContext;
}

/**
 * Provides TLS contexts that trust the authorities in PEM files. A file is read each time, so that a renewed one is
 * used immediately. The context, which costs 0.3 ms of CPU, is created again only if the file has changed.
 */
export class FileTrust {
  readonly #known = new Map<string, Known>();

  /** @throws when the file cannot be read or contains no certificates */
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
 * Returns a context with the public authorities that ship with Node and those added with NODE_EXTRA_CA_CERTS. The
 * machine's own store is not used, because an inspecting proxy's CA is often installed there. Loading 140 roots takes
 * milliseconds, so one context is created for the whole program.
 */
export function publicTrust(): SecureContext {
  const wanted = [...getCACertificates('bundled'), ...getCACertificates('extra')];
  const usual = getCACertificates('default');
  // Unless a Node option changes the defaults, the two lists are equal. Node reads its defaults only once.
  const isUsual = wanted.length === usual.length && wanted.every((certificate, index) => certificate === usual[index]);
  return createSecureContext({ ecdhCurve: KEY_SHARES, ...(isUsual ? {} : { ca: wanted }) });
}
