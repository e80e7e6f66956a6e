import type { ControlChain } from '../../../src/checks/tls-genuine/chain-case.ts';
import type { Trust } from '../../../src/tls/trust.ts';
import { createIdentity, type Identity } from '../../../src/demo/lab/identity.ts';
import { chainOf, pinOf } from './chains.ts';
import { createWorld, DAY_MS, HOST, type World } from './interception-world.ts';
import { HOUR_MS } from './verdict-rows.ts';

/** All authorities and certificates in the tables of verdicts. */
export interface Cast extends World {
  /** A control host under a public authority. */
  readonly cleanControl: ControlChain;
  /** Another certificate for the same name. */
  readonly otherNode: Identity;
  /** Made an hour ago. */
  readonly renewed: Identity;
  /** A FortiGate's factory certificate, under the genuine authority. */
  readonly device: Identity;
  /** A factory certificate shared by many units. */
  readonly sharedDevice: Identity;
  readonly otherDevice: Identity;
  readonly byCorporate: Identity;
  readonly byCorporateSub: Identity;
  readonly byFortigate: Identity;
  /** For the licence server, from a public authority. */
  readonly publicLeaf: Identity;
  /** Under the genuine authority, for another host. */
  readonly misnamed: Identity;
  readonly ownRoot: Identity;
  /** Under an unknown authority. */
  readonly ownLeaf: Identity;
  readonly newRoot: Identity;
  /** An authority that looks genuine and may be, but no key confirms it. */
  readonly newSub: Identity;
  readonly byNewSub: Identity;
  readonly selfSigned: Identity;
  readonly publicServer: Identity;
  readonly otherPublicServer: Identity;
  /** The world's trust, plus the key of `ownLeaf`. */
  readonly configured: Trust;
  /** Creates a control host under these authorities, which it sends as well. */
  readonly control: (host: string, ...issuers: readonly [Identity, ...Identity[]]) => Promise<ControlChain>;
}

export async function createCast(): Promise<Cast> {
  const w = await createWorld();
  const { genuine, corporate, fortigate, trust, now, leaf, leafFor } = w;
  const control: Cast['control'] = async (host, ...issuers) => ({
    target: `${host}:443`,
    chain: chainOf(await leafFor(host, issuers[0], { name: `CN=${host}` }), ...issuers),
  });
  const cleanControl = await control('www.iana.org', w.public.sub, w.public.root);
  const otherNode = await leaf(genuine.sub);
  const renewed = await leaf(genuine.sub, { notBefore: new Date(now - HOUR_MS) });
  const device = await createIdentity({
    name: 'C=US, ST=California, L=Sunnyvale, O=Fortinet, OU=FortiGate, CN=FG3K4ETB19900078, E=support@fortinet.com',
    issuer: genuine.sub,
  });
  const sharedDevice = await createIdentity({
    name: 'C=US, O=Fortinet, OU=FortiGate, CN=FortiGate',
    issuer: genuine.sub,
  });
  const otherDevice = await createIdentity({
    name: 'C=US, O=Fortinet, OU=FortiAuthenticator, CN=FACVM0000000001',
    issuer: genuine.sub,
  });
  const byCorporate = await leaf(corporate.root);
  const byCorporateSub = await leaf(corporate.sub);
  const byFortigate = await leaf(fortigate);
  const publicLeaf = await leaf(w.public.sub, { name: `CN=${HOST}` });
  const misnamed = await leafFor('globalftm.example.net', genuine.sub);
  const ownRoot = await createIdentity({ name: 'O=Branch, CN=Branch Root', authority: true });
  const ownLeaf = await leaf(ownRoot);
  const newRoot = await createIdentity({
    name: 'C=US, O=Fortinet, OU=Certificate Authority, CN=fortinet-ca3',
    authority: true,
  });
  const newSub = await createIdentity({
    name: 'C=US, O=Fortinet, OU=Certificate Authority, CN=fortinet-subca3001',
    authority: true,
    issuer: newRoot,
  });
  // Not in the same second as the genuine certificate, because it would then count as a copy.
  const byNewSub = await leaf(newSub, { notBefore: new Date(now - 5 * DAY_MS) });
  const selfSigned = await createIdentity({ name: `CN=${HOST}`, dnsNames: [HOST] });
  const publicServer = await leafFor('push.fortinet.com', w.public.sub);
  const otherPublicServer = await leafFor('push.fortinet.com', w.public.otherSub);
  const configured = { ...trust, pins: [...trust.pins, pinOf(ownLeaf, 'configured')] };
  return {
    ...w,
    control,
    cleanControl,
    otherNode,
    renewed,
    device,
    sharedDevice,
    otherDevice,
    byCorporate,
    byCorporateSub,
    byFortigate,
    publicLeaf,
    misnamed,
    ownRoot,
    ownLeaf,
    newRoot,
    newSub,
    byNewSub,
    selfSigned,
    publicServer,
    otherPublicServer,
    configured,
  };
}
