import { createHash } from 'node:crypto';
import type { Certificate } from './certificate.ts';
import { parseCertificate } from './parse-certificate.ts';

/** Parses certificates, and each one only once while it is among the most recently used. */
export interface CertificateCache {
  /** As `parseCertificate`. What is no certificate is remembered too. */
  parse(der: Uint8Array): Certificate | null;
}

/**
 * A cache keyed by the SHA-256 of the DER. A server sends the same chain every time, so a handful is enough for each
 * target.
 *
 * @param capacity how many are kept; the least recently used goes first
 */
export function createCertificateCache(capacity: number): CertificateCache {
  const entries = new Map<string, Certificate | null>();
  return {
    parse(der): Certificate | null {
      const key = createHash('sha256').update(der).digest('base64');
      const known = entries.get(key);
      const certificate = known === undefined ? parseCertificate(der) : known;
      // A map keeps the order of insertion: taken out and put back in, it is the youngest.
      entries.delete(key);
      entries.set(key, certificate);
      const oldest = entries.keys().next();
      if (entries.size > capacity && oldest.done !== true) entries.delete(oldest.value);
      return certificate;
    },
  };
}
