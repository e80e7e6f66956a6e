import { createIdentity, type Identity, type IdentityOptions } from '../../src/demo/lab/identity.ts';
import { LICENSE_HOST, MAIL_HOST } from '../../src/demo/lab/site.ts';
import { CONTROL_HOST, FIREWALL_ADDRESS, PUSH_HOST, REGISTRATION_ADDRESS } from './site.ts';

const FORTINET = 'C=US, ST=California, L=Sunnyvale, O=Fortinet';
const SERVER = `${FORTINET}, OU=FortiToken, CN=${LICENSE_HOST}`;

/** Valid in simulated and in real time, because OpenSSL verifies some of the certificates by the real clock. */
const LONG = { notBefore: new Date('2024-01-01T00:00:00Z'), notAfter: new Date('2046-01-01T00:00:00Z') } as const;
const EXPIRED = { notAfter: new Date('2026-09-01T00:00:00Z') } as const;

type Names = (name: string) => Identity;

/** Every certificate that is shown. They are made in advance, because time stands still while one is made. */
export interface Certificates {
  readonly fortinet: Identity;
  /** Another root of the vendor, trusted as well. No certificate under it was seen before. */
  readonly fortinetNext: Identity;
  readonly other: Identity;
  /** Of the licence server, and of the hosts that are not Fortinet's. */
  readonly genuine: Names;
  /** The FortiGate's re-signed certificate for each name. */
  readonly inspected: Names;
  /** The licence server's key in a new certificate, and a new key under the same authority. */
  readonly renewed: Identity;
  readonly rotated: Identity;
  readonly moved: Identity;
  readonly expired: Identity;
  /** Self-signed for any name, unlike the certificates of known products. */
  readonly strange: Identity;
  readonly mailSelfSigned: Identity;
  readonly appliance: Identity;
  readonly registration: Identity;
  readonly firewall: Identity;
}

export async function createCertificates(): Promise<Certificates> {
  const make = (options: IdentityOptions): Promise<Identity> => createIdentity({ ...LONG, ...options });
  const vendorAuthority = (name: string, issuer?: Identity): Promise<Identity> =>
    make({
      name: `${FORTINET}, OU=Certificate Authority, CN=${name}, E=support@fortinet.com`,
      authority: true,
      ...(issuer === undefined ? {} : { issuer }),
    });
  const server = (issuer: Identity, more: Partial<IdentityOptions> = {}): Promise<Identity> =>
    make({ name: SERVER, issuer, dnsNames: [LICENSE_HOST], ...more });
  const fortinet = await vendorAuthority('fortinet-ca2');
  const sub = await vendorAuthority('fortinet-subca2001', fortinet);
  const fortinetNext = await vendorAuthority('fortinet-ca9');
  const fortiGate = await vendorAuthority('FGVMEV0000000001');
  const other = await make({ name: 'C=US, O=Example Trust, CN=Example Root', authority: true });
  const license = await server(sub);
  const { keys } = license;
  const genuine = new Map([[LICENSE_HOST, license]]);
  const inspected = new Map<string, Identity>();
  for (const name of [PUSH_HOST, MAIL_HOST, CONTROL_HOST])
    genuine.set(name, await make({ name: `CN=${name}`, issuer: other, dnsNames: [name] }));
  for (const name of [LICENSE_HOST, PUSH_HOST, CONTROL_HOST])
    inspected.set(name, await make({ name: `O=Fortinet, CN=${name}`, issuer: fortiGate, dnsNames: [name] }));
  return {
    fortinet,
    fortinetNext,
    other,
    genuine: named(genuine),
    inspected: named(inspected),
    renewed: await server(sub, { keys }),
    rotated: await server(sub),
    moved: await server(fortinetNext),
    expired: await server(sub, { keys, ...EXPIRED }),
    strange: await make({ name: `CN=${LICENSE_HOST}`, dnsNames: [LICENSE_HOST] }),
    mailSelfSigned: await make({ name: `CN=${MAIL_HOST}`, dnsNames: [MAIL_HOST] }),
    appliance: await make({ name: 'C=US, O=Fortinet, OU=FortiAuthenticator, CN=Default-Server-Certificate' }),
    registration: await make({ name: 'CN=registration.example.test', ipAddresses: [REGISTRATION_ADDRESS] }),
    firewall: await make({ name: 'CN=firewall.example.test', ipAddresses: [FIREWALL_ADDRESS] }),
  };
}

function named(identities: ReadonlyMap<string, Identity>): Names {
  return (name) => {
    const identity = identities.get(name);
    if (identity === undefined) throw new RangeError(`No certificate for "${name}"`);
    return identity;
  };
}
