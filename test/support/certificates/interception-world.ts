import type { Baseline, Trust } from '../../../src/tls/trust.ts';
import type { TlsEvidence } from '../../../src/checks/tls-genuine/chain-case.ts';
import { loadProducts } from '../../../src/trust/products.ts';
import { createIdentity, type Identity, type IdentityOptions } from '../../../src/demo/lab/identity.ts';
import { certificateOf, established, pinOf, publicRootsOf } from './chains.ts';

const FORTINET = 'C=US, ST=California, L=Sunnyvale, O=Fortinet, OU=Certificate Authority';
const MAIL = 'E=support@fortinet.com';

export const HOST = 'fortitokenmobile.fortinet.com';
export const TARGET: string = `${HOST}:443`;
export const DAY_MS: number = 24 * 60 * 60 * 1000;

/** Authorities and servers as they exist in reality, with the real names but with test keys. */
export interface World {
  readonly now: number;
  readonly genuine: {
    readonly root: Identity;
    readonly sub: Identity;
    readonly otherSub: Identity;
    readonly older: Identity;
  };
  /** Authorities with the genuine names but other keys. */
  readonly copied: { readonly root: Identity; readonly sub: Identity };
  readonly fortigate: Identity;
  readonly corporate: { readonly root: Identity; readonly sub: Identity };
  readonly public: {
    readonly root: Identity;
    readonly sub: Identity;
    readonly otherSub: Identity;
    readonly otherRoot: Identity;
  };
  /** The licence server's own certificate, under the genuine sub-authority. */
  readonly server: Identity;
  /** Creates a leaf for the licence server. */
  readonly leaf: (issuer: Identity, options?: Partial<IdentityOptions>) => Promise<Identity>;
  readonly leafFor: (host: string, issuer: Identity, options?: Partial<IdentityOptions>) => Promise<Identity>;
  /** The genuine authorities, only as pins. */
  readonly trust: Trust;
  readonly evidence: (over: Partial<TlsEvidence>) => TlsEvidence;
  readonly baseline: (leaf: Identity, ...authorities: readonly Identity[]) => Baseline;
}

export async function createWorld(): Promise<World> {
  const now = Date.now();
  const authority = (name: string, issuer?: Identity): Promise<Identity> =>
    createIdentity({
      name,
      authority: true,
      notBefore: new Date(now - 1000 * DAY_MS),
      ...(issuer === undefined ? {} : { issuer }),
    });
  const family = async (): Promise<{ readonly root: Identity; readonly sub: Identity }> => {
    const root = await authority(`${FORTINET}, CN=fortinet-ca2, ${MAIL}`);
    return { root, sub: await authority(`${FORTINET}, CN=fortinet-subca2001, ${MAIL}`, root) };
  };
  const leafFor = (host: string, issuer: Identity, options: Partial<IdentityOptions> = {}): Promise<Identity> =>
    createIdentity({
      name: `C=US, O=Fortinet, CN=${host}`,
      dnsNames: [host],
      issuer,
      notBefore: new Date(now - 30 * DAY_MS),
      ...options,
    });
  const leaf: World['leaf'] = (issuer, options) => leafFor(HOST, issuer, options);

  const genuineFamily = await family();
  const genuine = {
    ...genuineFamily,
    otherSub: await authority(`${FORTINET}, CN=fortinet-subca2003, ${MAIL}`, genuineFamily.root),
    older: await authority(`${FORTINET}, CN=support, ${MAIL}`),
  };
  const corporateRoot = await authority('C=DE, O=Acme AG, CN=Acme Root CA');
  const publicRoot = await authority('C=US, O=Public Trust, CN=Public Root X1');
  const server = await leaf(genuine.sub);
  const otherRoot = await authority('C=US, O=Other Trust, CN=Other Root R1');
  const world = {
    now,
    genuine,
    copied: await family(),
    fortigate: await authority(`${FORTINET}, CN=FG100FTK20012345, ${MAIL}`),
    corporate: { root: corporateRoot, sub: await authority('C=DE, O=Acme AG, CN=Acme Inspection CA', corporateRoot) },
    public: {
      root: publicRoot,
      sub: await authority('C=US, O=Public Trust, CN=R10', publicRoot),
      otherSub: await authority('C=US, O=Public Trust, CN=R11', publicRoot),
      otherRoot,
    },
    server,
    leaf,
    leafFor,
    trust: {
      pins: [genuine.root, genuine.sub, genuine.older].map((identity) => pinOf(identity)),
      anchors: [],
      publicRoots: publicRootsOf(publicRoot, otherRoot),
    },
  };
  const products = await loadProducts([]);
  return {
    ...world,
    evidence: (over) => ({
      target: TARGET,
      serverName: HOST,
      profile: 'fortinet',
      outcome: established(server, genuine.sub, genuine.root),
      controls: [],
      references: [],
      baseline: null,
      traces: [],
      trust: world.trust,
      products,
      now,
      ...over,
    }),
    baseline: (known, ...authorities) => ({
      target: TARGET,
      learnedAt: now - DAY_MS,
      leaves: [certificateOf(known)],
      authorities: authorities.map(certificateOf),
      protocol: 'TLSv1.3',
      accepted: [],
    }),
  };
}
