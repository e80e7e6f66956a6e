import '../../../src/demo/lab/reflect-metadata.ts';
import { ExtendedKeyUsageExtension, Extension, KeyUsageFlags } from '@peculiar/x509';
import type { FlawKind } from '../../../src/tls/flaws.ts';
import { createIdentity, type Identity, type IdentityOptions } from '../../../src/demo/lab/identity.ts';
import { CONSTRAINT_ROWS } from './constraint-rows.ts';
import { der } from './name-constraints.ts';

const HOST = 'license.example.test';
const [SERVER, CLIENT, ANY] = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2', '2.5.29.37.0'];
const PAST = { notBefore: new Date('2020-01-01'), notAfter: new Date('2021-01-01') };
const FUTURE = { notBefore: new Date('2098-01-01'), notAfter: new Date('2099-01-01') };

const usages = (...oids: readonly string[]): Partial<IdentityOptions> => ({
  extensions: [new ExtendedKeyUsageExtension([...oids])],
});
const with_ = (...extensions: readonly Extension[]): Partial<IdentityOptions> => ({ extensions });
export const extension = (oid: string, critical: boolean, value: Uint8Array = der(0x05)): Partial<IdentityOptions> =>
  with_(new Extension(oid, critical, value));
const netscape = (bits: number): Partial<IdentityOptions> =>
  extension('2.16.840.1.113730.1.1', false, der(0x03, new Uint8Array([0, bits])));

/** A chain, and the flaw for which TLS clients reject it. */
export interface FlawRow {
  readonly name: string;
  readonly leaf?: Partial<IdentityOptions>;
  /** Authorities below the root, from the top down. @default one authority */
  readonly subs?: readonly Partial<IdentityOptions>[];
  readonly root?: Partial<IdentityOptions>;
  /** Number of certificates missing at the top, so that the chain ends at a trusted one below. */
  readonly endsBelow?: number;
  /** @default none: OpenSSL accepts the chain */
  readonly flaw?: FlawKind;
}

export const FLAW_ROWS: readonly FlawRow[] = [
  { name: 'an ordinary chain' },
  { name: 'without an intermediate', subs: [] },
  { name: 'a trusted leaf', subs: [], endsBelow: 1 },
  { name: 'a trusted leaf for clients', subs: [], endsBelow: 1, leaf: usages(CLIENT), flaw: 'not-for-servers' },
  { name: 'that ends at the intermediate', endsBelow: 1 },

  { name: 'a path length that is kept', root: { pathLength: 1 } },
  { name: 'a path length of zero that is kept', subs: [{ pathLength: 0 }], root: { pathLength: 1 } },
  { name: 'a path length of the root that is exceeded', root: { pathLength: 0 }, flaw: 'path-length' },
  { name: 'a path length of an intermediate that is exceeded', subs: [{ pathLength: 0 }, {}], flaw: 'path-length' },
  {
    name: 'a renewed authority of the same name, which does not count',
    subs: [{ pathLength: 0 }, { name: 'O=Example Trust, CN=Sub 0' }],
  },
  { name: 'an exceeded path length above the trusted end', root: { pathLength: 0 }, endsBelow: 1 },
  { name: 'two below a limit of two', subs: [{}, {}], root: { pathLength: 2 } },
  { name: 'three below a limit of two', subs: [{}, {}, {}], root: { pathLength: 2 }, flaw: 'path-length' },

  { name: 'a leaf for servers', leaf: usages(SERVER) },
  { name: 'a leaf for both', leaf: usages(CLIENT, SERVER) },
  { name: 'a leaf for clients', leaf: usages(CLIENT), flaw: 'not-for-servers' },
  { name: 'a leaf for anything', leaf: usages(ANY), flaw: 'not-for-servers' },
  { name: 'an authority for servers', subs: [usages(SERVER)] },
  { name: 'an authority for clients', subs: [usages(CLIENT)], flaw: 'not-for-servers' },
  { name: 'a root for clients', root: usages(CLIENT), flaw: 'not-for-servers' },
  { name: 'a leaf of a server gated kind', leaf: usages('2.16.840.1.113730.4.1') },
  { name: 'a leaf of the other server gated kind', leaf: usages('1.3.6.1.4.1.311.10.3.3') },
  { name: 'a leaf key to encipher', leaf: { keyUsages: KeyUsageFlags.keyEncipherment } },
  { name: 'a leaf key to agree', leaf: { keyUsages: KeyUsageFlags.keyAgreement } },
  { name: 'a leaf key for documents', leaf: { keyUsages: KeyUsageFlags.nonRepudiation }, flaw: 'not-for-servers' },
  { name: "Netscape's server type", leaf: netscape(0x40) },
  { name: "Netscape's client type", leaf: netscape(0x80), flaw: 'not-for-servers' },

  { name: 'an unknown extension', leaf: extension('1.3.6.1.4.1.12356.1', false) },
  {
    name: 'an unknown critical extension of the leaf',
    leaf: extension('1.3.6.1.4.1.12356.1', true),
    flaw: 'critical-extension',
  },
  {
    name: 'an unknown critical extension of an authority',
    subs: [extension('1.3.6.1.4.1.12356.1', true)],
    flaw: 'critical-extension',
  },
  {
    name: 'an unknown critical extension of the root',
    root: extension('1.3.6.1.4.1.12356.1', true),
    flaw: 'critical-extension',
  },
  {
    name: 'a critical OCSP must-staple',
    leaf: extension('1.3.6.1.5.5.7.1.24', true, der(0x30, der(0x02, new Uint8Array([5])))),
    flaw: 'critical-extension',
  },
  { name: 'a critical extension for servers', leaf: with_(new ExtendedKeyUsageExtension([SERVER], true)) },
  {
    name: 'a critical Netscape type',
    leaf: extension('2.16.840.1.113730.1.1', true, der(0x03, new Uint8Array([0, 0x40]))),
  },
  {
    name: 'critical policies',
    leaf: extension('2.5.29.32', true, der(0x30, der(0x30, new Uint8Array([0x06, 4, 0x55, 0x1d, 0x20, 0])))),
  },
  { name: 'a critical OCSP no-check', leaf: extension('1.3.6.1.5.5.7.48.1.5', true) },

  ...CONSTRAINT_ROWS,

  { name: 'an expired root', root: PAST, flaw: 'authority-out-of-date' },
  { name: 'a root of the future', root: FUTURE, flaw: 'authority-out-of-date' },
  { name: 'an expired trusted intermediate', subs: [PAST], endsBelow: 1, flaw: 'authority-out-of-date' },
  { name: 'an expired root above the trusted end', root: PAST, endsBelow: 1 },
];

/** Returns the certificates with the leaf first. */
export async function flawedChain({
  leaf,
  subs = [{}],
  root,
  endsBelow = 0,
}: Omit<FlawRow, 'name' | 'flaw'>): Promise<readonly Identity[]> {
  const top = await createIdentity({ name: 'O=Example Trust, CN=Root', authority: true, ...root });
  const path = [top];
  for (const [index, sub] of subs.entries()) {
    const [issuer = top] = path;
    path.unshift(
      await createIdentity({ name: `O=Example Trust, CN=Sub ${String(index)}`, authority: true, issuer, ...sub }),
    );
  }
  const [issuer = top] = path;
  path.unshift(await createIdentity({ name: `CN=${HOST}`, dnsNames: [HOST], issuer, ...leaf }));
  return path.slice(0, path.length - endsBelow);
}
