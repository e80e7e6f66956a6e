import { createIdentity, type Identity, type IdentityOptions } from '../../../src/demo/lab/identity.ts';

/** Root, intermediate and leaf for one host, as for most servers. */
export interface Hierarchy {
  readonly root: Identity;
  readonly intermediate: Identity;
  readonly leaf: Identity;
}

/** @param rootName distinguished name of the root */
export async function createHierarchy(
  leaf: Partial<IdentityOptions> = {},
  rootName = 'C=US, O=Example Trust, CN=Example Root',
): Promise<Hierarchy> {
  const root = await createIdentity({ name: rootName, authority: true });
  const intermediate = await createIdentity({
    name: 'C=US, O=Example Trust, CN=Example Issuing CA',
    issuer: root,
    authority: true,
  });
  return {
    root,
    intermediate,
    leaf: await createIdentity({
      name: 'CN=license.example.test',
      issuer: intermediate,
      dnsNames: ['license.example.test'],
      ...leaf,
    }),
  };
}
