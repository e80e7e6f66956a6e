import { createIdentity } from './identity.ts';
import type { Identity } from './identity.ts';
import { LICENSE_HOST } from './site.ts';

/** Name of Fortinet's authorities. A FortiGate's re-signing authority has the same name except for its CN. */
const FORTINET = 'C=US, ST=California, L=Sunnyvale, O=Fortinet, OU=Certificate Authority';

/** All authorities on the lab's network, and the genuine certificates. */
export interface Authorities {
  readonly fortinet: { readonly root: Identity; readonly sub: Identity };
  /** Signs the certificates of inspected connections. */
  readonly fortiGate: Identity;
  /** Signs the certificates of all hosts that are not Fortinet's. */
  readonly other: Identity;
  readonly licenseServer: Identity;
}

export async function createAuthorities(): Promise<Authorities> {
  const root = await createIdentity({ name: `${FORTINET}, CN=fortinet-ca2, E=support@fortinet.com`, authority: true });
  const sub = await createIdentity({
    name: `${FORTINET}, CN=fortinet-subca2001, E=support@fortinet.com`,
    issuer: root,
    authority: true,
  });
  return {
    fortinet: { root, sub },
    fortiGate: await createIdentity({
      name: `${FORTINET}, CN=FGVMEV0000000001, E=support@fortinet.com`,
      authority: true,
    }),
    other: await createIdentity({ name: 'C=US, O=Example Trust, CN=Example Root', authority: true }),
    licenseServer: await createIdentity({
      name: `C=US, ST=California, L=Sunnyvale, O=Fortinet, OU=FortiToken, CN=${LICENSE_HOST}`,
      issuer: sub,
      dnsNames: [LICENSE_HOST],
    }),
  };
}
