import type { TlsEvidence } from '../../../src/checks/tls-genuine/chain-case.ts';
import type { Identity } from '../../../src/demo/lab/identity.ts';
import { chainOf, established } from './chains.ts';

type Der = Pick<Identity, 'der'>;
type Reference = TlsEvidence['references'][number];

export const HOUR_MS: number = 60 * 60 * 1000;
export const PUBLIC: Partial<TlsEvidence> = {
  profile: 'public',
  target: 'push.fortinet.com:443',
  serverName: 'push.fortinet.com',
};
export const PINNED: Partial<TlsEvidence> = { profile: 'pinned' };

export function sees(...identities: readonly Der[]): Partial<TlsEvidence> {
  return { outcome: established(...identities) };
}

/** Returns the same target as observed in a different way. */
export function reference(kind: Reference['kind'], ...identities: readonly Der[]): readonly Reference[] {
  return [
    {
      kind,
      label: kind === 'server-name' ? 'fortinet-ca2.fortinet.com' : 'udp://9.9.9.9:53',
      chain: chainOf(...identities),
    },
  ];
}
