import { VERDICTS } from '../../checks/tls-genuine/tls-evidence.ts';
import type { SeenCertificate } from '../sources.ts';
import { identityOf } from './identity.ts';

/** One chain, with all the addresses of the target that sent it. */
export interface ChainOfAddresses extends Omit<SeenCertificate, 'address'> {
  /** The same for as long as this target sends these certificates and they are judged so. */
  readonly id: string;
  readonly addresses: readonly string[];
}

/** Usually every address of a server sends the same chain: then it is shown once. The worst verdict comes first. */
export function groupByChain(seen: readonly SeenCertificate[]): readonly ChainOfAddresses[] {
  const groups = new Map<string, ChainOfAddresses>();
  for (const { address, ...rest } of seen) {
    const id = identityOf([rest.target, rest.verdict, ...rest.chain.map(({ fingerprint }) => fingerprint)]);
    groups.set(id, { ...rest, id, addresses: [...(groups.get(id)?.addresses ?? []), address] });
  }
  return [...groups.values()].toSorted((a, b) => VERDICTS.indexOf(a.verdict) - VERDICTS.indexOf(b.verdict));
}
