import { createSecureContext, DEFAULT_CIPHERS, type SecureContext, getCACertificates } from 'node:tls';
import { readFile } from 'node:fs/promises';
import { X509Certificate } from 'node:crypto';
import { readText } from '../../system/json-file.ts';
import { messageOf } from '../../text/message-of.ts';

/**
 * The TLS context that all probes share. It only captures; trust is judged afterwards, from the certificates. Per
 * handshake it costs 0.79 ms of CPU where Node's defaults cost 1.0 (measured on Node 24.21, ECDSA chain of two).
 */
export function createProbeSecureContext(maxVersion: 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.3'): SecureContext {
  return createSecureContext({
    // No trust anchors: a chain that cannot be verified anyway costs OpenSSL a third less than one that can.
    ca: [],
    ecdhCurve: KEY_SHARES,
    // A capture should succeed with the oldest server too: what is too old is for the judge to say, not a failed
    // handshake.
    minVersion: 'TLSv1',
    maxVersion,
    ciphers: `${DEFAULT_CIPHERS}:@SECLEVEL=0`,
  });
}

/**
 * A context whose hello a server can only refuse: it offers encryption by nothing but NULL, which no server accepts.
 * The refusal is an alert of seven bytes (RFC 5246 §7.2), so that it arrives where whole certificates get lost.
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
 * The groups that every handshake offers, X25519 with a share. Without the post-quantum share that Node offers by
 * default the ClientHello has 376 bytes instead of 1597: one segment. Old firewalls drop a hello that comes in two, and
 * the appliance does not send one, so a probe would cry wolf. The share costs 0.1 ms of CPU a handshake besides.
 */
export const KEY_SHARES = 'X25519:P-256:P-384:P-521';

/** The certificates of a CA file. */
interface Authorities {
  readonly pems: readonly string[];
  readonly ders: readonly Buffer[];
}

/** Longer than any bundle of roots. */
const MAX_BYTES = 1024 * 1024;

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/gu;

/** @throws {Error} naming the file, when it cannot be read or is not a list of certificates */
export async function readAuthorities(file: string): Promise<Authorities> {
  return parseAuthorities(await readText(file, 'certificates from'), file);
}

/**
 * OpenSSL takes a text without certificates for an empty list, and nothing would then be trusted.
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
 * TLS contexts under the authorities of PEM files. A file is read again each time, so that a renewed one counts at
 * once; the context, which costs 0.3 ms of CPU, is made again when the file has changed.
 */
export class FileTrust {
  readonly #known = new Map<string, Known>();

  /** @throws when the file cannot be read, or holds no certificates */
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
 * The public authorities as Node ships them, and those the operator added on purpose with NODE_EXTRA_CA_CERTS; the
 * machine's own store is left out, since an inspecting proxy is usually at home in it. Loading 140 roots takes
 * milliseconds: make one for the whole program.
 */
export function publicTrust(): SecureContext {
  const wanted = [...getCACertificates('bundled'), ...getCACertificates('extra')];
  const usual = getCACertificates('default');
  // Unless an option of Node says otherwise, its own are the same, and it reads them once for all.
  const isUsual = wanted.length === usual.length && wanted.every((certificate, index) => certificate === usual[index]);
  return createSecureContext({ ecdhCurve: KEY_SHARES, ...(isUsual ? {} : { ca: wanted }) });
}
