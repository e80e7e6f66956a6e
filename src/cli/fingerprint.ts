import { InvalidArgumentError } from 'commander';

/**
 * A fingerprint as people copy it: with colons, spaces or neither, in either case, also behind OpenSSL's `sha256
 * Fingerprint=`.
 *
 * @param earlier those of the same option before it
 * @throws {InvalidArgumentError} when it is none
 */
export function collectFingerprint(typed: string, earlier: readonly string[]): readonly string[] {
  const digits = typed.replace(/^sha-?256(?: fingerprint)?\s*[=:]?/iu, '').replaceAll(/[:\s]/gu, '');
  if (!/^[0-9a-f]{64}$/iu.test(digits))
    throw new InvalidArgumentError('Expected the 64 hexadecimal digits of a SHA-256.');
  return [...earlier, (digits.toUpperCase().match(/../gu) ?? []).join(':')];
}
