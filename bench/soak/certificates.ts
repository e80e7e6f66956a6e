import { createIdentity } from '../../src/demo/lab/identity.ts';
import type { Identity, IdentityOptions } from '../../src/demo/lab/identity.ts';
import { CONTROLS, FIREWALL_ADDRESS, LICENSE_HOST, MAIL_HOST, PUSH_HOST, REGISTRATION_ADDRESS } from './site.ts';

const FORTINET = 'C=US, ST=California, L=Sunnyvale, O=Fortinet, OU=Certificate Authority';
const SERVER = `C=US, ST=California, L=Sunnyvale, O=Fortinet, OU=FortiToken, CN=${LICENSE_HOST}`;

/** Valid in simulated and in real time, because OpenSSL verifies some of the certificates by the real clock. */
const LONG = { notBefore: new Date('2024-01-01T00:00:00Z'), notAfter: new Date('2046-01-01T00:00:00Z') } as const;

/**
 * Every certificate that is shown during the soak. They are made in advance, because time stands still while one is
 * made.
 */
export interface Certificates {
  readonly fortinet: Identity;
  /** Another root of the vendor, trusted as well. No certificate under it was seen before. */
  readonly fortinetNext: Identity;
  readonly other: Identity;
  readonly genuine: Identity;
  /** The same key in a new certificate, and a new key under the same authority. */
  readonly renewed: Identity;
  readonly rotated: Identity;
  readonly moved: Identity;
  readonly expired: Identity;
  /** The FortiGate's re-signed certificate for each name. */
  readonly inspected: ReadonlyMap<string, Identity>;
  /** Self-signed for any name, unlike the certificates of known products. */
  readonly strange: Identity;
  /** Certificates of the hosts that are not Fortinet's, by name. */
  readonly hosts: ReadonlyMap<string, Identity>;
  readonly mailSelfSigned: Identity;
  readonly appliance: Identity;
  readonly registration: Identity;
  readonly firewall: Identity;
}

export async function createCertificates(): Promise<Certificates> {
  const make = (options: IdentityOptions): Promise<Identity> => createIdentity({ ...LONG, ...options });
  const authority = (name: string, issuer?: Identity): Promise<Identity> =>
    make({ name, authority: true, ...(issuer === undefined ? {} : { issuer }) });
  const server = (issuer: Identity, more: Partial<IdentityOptions> = {}): Promise<Identity> =>
    make({ name: SERVER, issuer, dnsNames: [LICENSE_HOST], ...more });
  const fortinet = await authority(`${FORTINET}, CN=fortinet-ca2, E=support@fortinet.com`);
  const sub = await authority(`${FORTINET}, CN=fortinet-subca2001, E=support@fortinet.com`, fortinet);
  const fortinetNext = await authority(`${FORTINET}, CN=fortinet-ca9, E=support@fortinet.com`);
  const other = await authority('C=US, O=Example Trust, CN=Example Root');
  const fortiGate = await authority(`${FORTINET}, CN=FGVMEV0000000001, E=support@fortinet.com`);
  const genuine = await server(sub);
  const hosts = new Map<string, Identity>();
  const inspected = new Map<string, Identity>();
  for (const name of [PUSH_HOST, MAIL_HOST, ...Object.keys(CONTROLS)])
    hosts.set(name, await make({ name: `CN=${name}`, issuer: other, dnsNames: [name] }));
  for (const name of [LICENSE_HOST, PUSH_HOST, ...Object.keys(CONTROLS)])
    inspected.set(name, await make({ name: `O=Fortinet, CN=${name}`, issuer: fortiGate, dnsNames: [name] }));
  return {
    fortinet,
    fortinetNext,
    other,
    genuine,
    renewed: await server(sub, { keys: genuine.keys }),
    rotated: await server(sub),
    moved: await server(fortinetNext),
    expired: await server(sub, {
      keys: genuine.keys,
      notBefore: new Date('2024-01-01T00:00:00Z'),
      notAfter: new Date('2026-09-01T00:00:00Z'),
    }),
    inspected,
    strange: await make({ name: `CN=${LICENSE_HOST}`, dnsNames: [LICENSE_HOST] }),
    hosts,
    mailSelfSigned: await make({ name: `CN=${MAIL_HOST}`, dnsNames: [MAIL_HOST] }),
    appliance: await make({ name: 'C=US, O=Fortinet, OU=FortiAuthenticator, CN=Default-Server-Certificate' }),
    registration: await make({ name: 'CN=registration.example.test', ipAddresses: [REGISTRATION_ADDRESS] }),
    firewall: await make({ name: 'CN=firewall.example.test', ipAddresses: [FIREWALL_ADDRESS] }),
  };
}
