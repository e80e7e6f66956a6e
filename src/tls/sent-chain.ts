import type { CapturedChain, Certificate, SentChain } from '../core/certificate.ts';
import type { EpochMs } from '../core/clock.ts';

export function sentChain(captured: CapturedChain | null | undefined): SentChain | null {
  const [leaf, ...authorities] = captured?.certificates ?? [];
  return leaf === undefined ? null : [leaf, ...authorities];
}

export function chainKey(certificates: readonly Certificate[]): string {
  return certificates.map(({ fingerprint }) => fingerprint).join(' ');
}

export function distinctCertificates(certificates: readonly Certificate[]): readonly Certificate[] {
  return [...new Map(certificates.map((certificate) => [certificate.fingerprint, certificate])).values()];
}

export function isInDate({ notBefore, notAfter }: Certificate, now: EpochMs): boolean {
  return notBefore <= now && now <= notAfter;
}

type Chain = Pick<CapturedChain, 'certificates'> | null | undefined;

/** Returns false if either chain is empty. */
export function isSameLeaf(one: Chain, other: Chain): boolean {
  const leaf = one?.certificates[0];
  return leaf !== undefined && leaf.fingerprint === other?.certificates[0]?.fingerprint;
}
