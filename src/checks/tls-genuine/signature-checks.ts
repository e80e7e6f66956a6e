import { X509Certificate } from 'node:crypto';
import type { Certificate } from '../../core/certificate.ts';
import { keyStrength } from './strength.ts';

/** Answers who signed what, and remembers it: a server sends the same chain every time. */
export interface SignatureChecks {
  /**
   * Whether the key of `issuer` made the signature on `subject`. Says nothing about names, dates, strength or CA:TRUE.
   */
  signs(issuer: Certificate, subject: Certificate): boolean;
  /** The answer to a question about certificates that is always the same; `key` says all that it depends on. */
  once(key: string, answer: () => boolean): boolean;
}

/** @param capacity how many answers are remembered; the oldest go first */
export function createSignatureChecks(capacity = 2048): SignatureChecks {
  const known = new Map<string, boolean>();

  function once(key: string, answer: () => boolean): boolean {
    const remembered = known.get(key);
    if (remembered !== undefined) return remembered;
    const found = answer();
    const oldest = known.keys().next();
    if (known.size >= capacity && oldest.done !== true) known.delete(oldest.value);
    known.set(key, found);
    return found;
  }

  return {
    once,
    signs: (issuer, subject) => once(`${issuer.fingerprint} ${subject.fingerprint}`, () => verify(issuer, subject)),
  };
}

function verify(issuer: Certificate, subject: Certificate): boolean {
  if (keyStrength(issuer.key) === null) return false;
  try {
    return new X509Certificate(subject.der).verify(new X509Certificate(issuer.der).publicKey);
  } catch {
    // key and signature of different kinds, or a signature algorithm that this OpenSSL does not know
    return false;
  }
}
