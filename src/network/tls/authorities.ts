import { X509Certificate } from 'node:crypto';
import { readText } from '../../system/read-text.ts';
import { messageOf } from '../../text/message-of.ts';

/** The certificates of a CA file. */
export interface Authorities {
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
