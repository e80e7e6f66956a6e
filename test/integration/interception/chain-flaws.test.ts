import '../../support/reflect-metadata.ts';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ExtendedKeyUsageExtension, Extension, KeyUsageFlags } from '@peculiar/x509';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Certificate } from '../../../src/core/certificate.ts';
import { endFlaws, type Flaw, type FlawKind, lastingFlaws } from '../../../src/checks/tls-genuine/chain-flaws.ts';
import { chainPem, createIdentity, type Identity, type IdentityOptions } from '../../support/authority.ts';
import { certificateOf } from '../../support/chains.ts';
import { der, dns, nameConstraints, network, organisation } from '../../support/name-constraints.ts';

const HOST = 'license.example.test';
const [SERVER, CLIENT, ANY] = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2', '2.5.29.37.0'];
const PAST = { notBefore: new Date('2020-01-01'), notAfter: new Date('2021-01-01') };
const FUTURE = { notBefore: new Date('2098-01-01'), notAfter: new Date('2099-01-01') };

const usages = (...oids: readonly string[]): Partial<IdentityOptions> => ({
  extensions: [new ExtendedKeyUsageExtension([...oids])],
});
const with_ = (...extensions: readonly Extension[]): Partial<IdentityOptions> => ({ extensions });
const extension = (oid: string, critical: boolean, value: Uint8Array = der(0x05)): Partial<IdentityOptions> =>
  with_(new Extension(oid, critical, value));
const netscape = (bits: number): Partial<IdentityOptions> =>
  extension('2.16.840.1.113730.1.1', false, der(0x03, new Uint8Array([0, bits])));

interface Row {
  readonly name: string;
  readonly leaf?: Partial<IdentityOptions>;
  /** Below the root, the highest first. @default one authority */
  readonly subs?: readonly Partial<IdentityOptions>[];
  readonly root?: Partial<IdentityOptions>;
  /** How many certificates of the top are not there: the chain ends at a trusted one below. */
  readonly endsBelow?: number;
  /** @default none: OpenSSL takes it */
  readonly flaw?: FlawKind;
}

const ROWS: readonly Row[] = [
  { name: 'an ordinary chain' },
  { name: 'without an intermediate', subs: [] },
  { name: 'a trusted leaf', subs: [], endsBelow: 1 },
  { name: 'a trusted leaf for clients', subs: [], endsBelow: 1, leaf: usages(CLIENT), flaw: 'not-for-servers' },
  { name: 'that ends at the intermediate', endsBelow: 1 },

  { name: 'a path length that is kept', root: { pathLength: 1 } },
  { name: 'a path length of zero that is kept', subs: [{ pathLength: 0 }], root: { pathLength: 1 } },
  { name: 'a path length of the root that is exceeded', root: { pathLength: 0 }, flaw: 'path-length' },
  { name: 'a path length of an intermediate that is exceeded', subs: [{ pathLength: 0 }, {}], flaw: 'path-length' },
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

  { name: 'permitted names', subs: [with_(nameConstraints([dns('example.test')]))] },
  { name: 'permitted names with a dot', subs: [with_(nameConstraints([dns('.example.test')]))] },
  {
    name: 'the name itself, of which only what is below is permitted',
    subs: [with_(nameConstraints([dns(`.${HOST}`)]))],
    flaw: 'name-constraints',
  },
  { name: 'names of another domain', subs: [with_(nameConstraints([dns('example.org')]))], flaw: 'name-constraints' },
  { name: 'names that end alike', subs: [with_(nameConstraints([dns('ample.test')]))], flaw: 'name-constraints' },
  { name: 'excluded names', subs: [with_(nameConstraints([], [dns('example.test')]))], flaw: 'name-constraints' },
  { name: 'other excluded names', subs: [with_(nameConstraints([], [dns('example.org')]))] },
  { name: 'any name excluded', subs: [with_(nameConstraints([], [dns('')]))], flaw: 'name-constraints' },
  {
    name: 'any name permitted, ours excluded',
    subs: [with_(nameConstraints([dns('')], [dns(HOST)]))],
    flaw: 'name-constraints',
  },
  { name: 'constraints of the root', root: with_(nameConstraints([dns('example.org')])), flaw: 'name-constraints' },
  { name: 'constraints above the trusted end', root: with_(nameConstraints([dns('example.org')])), endsBelow: 1 },
  {
    name: 'one name of two outside',
    leaf: { dnsNames: [HOST, 'a.example.org'] },
    subs: [with_(nameConstraints([dns('example.test')]))],
    flaw: 'name-constraints',
  },
  {
    name: 'a wildcard inside',
    leaf: { dnsNames: ['*.example.test'] },
    subs: [with_(nameConstraints([dns('example.test')]))],
  },
  {
    name: 'names in capitals',
    leaf: { dnsNames: [HOST.toUpperCase()] },
    subs: [with_(nameConstraints([dns('Example.Test')]))],
  },
  {
    name: 'a common name for a host, outside',
    leaf: { dnsNames: [] },
    subs: [with_(nameConstraints([dns('example.org')]))],
    flaw: 'name-constraints',
  },
  {
    name: 'a common name for a host, inside',
    leaf: { dnsNames: [] },
    subs: [with_(nameConstraints([dns('example.test')]))],
  },
  {
    name: 'a common name that is no host',
    leaf: { name: 'CN=License Server', dnsNames: [] },
    subs: [with_(nameConstraints([dns('example.org')]))],
  },
  {
    name: 'addresses inside',
    leaf: { ipAddresses: ['192.0.2.7'] },
    subs: [with_(nameConstraints([network(192, 0, 2, 0, 255, 255, 255, 0)]))],
  },
  {
    name: 'addresses outside',
    leaf: { ipAddresses: ['198.51.100.7'] },
    subs: [with_(nameConstraints([network(192, 0, 2, 0, 255, 255, 255, 0)]))],
    flaw: 'name-constraints',
  },
  {
    name: 'addresses of the other family',
    leaf: { ipAddresses: ['2001:db8::7'] },
    subs: [with_(nameConstraints([network(192, 0, 2, 0, 255, 255, 255, 0)]))],
    flaw: 'name-constraints',
  },
  {
    name: 'excluded addresses',
    leaf: { ipAddresses: ['192.0.2.7'] },
    subs: [with_(nameConstraints([], [network(192, 0, 2, 0, 255, 255, 255, 0)]))],
    flaw: 'name-constraints',
  },
  {
    name: 'the organisation permitted',
    leaf: { name: `O=Example, CN=${HOST}` },
    subs: [with_(nameConstraints([organisation('EXAMPLE')]))],
  },
  {
    name: 'the organisation as another kind of string',
    leaf: { name: `O=Example, CN=${HOST}` },
    subs: [with_(nameConstraints([organisation('Example', 0x13)]))],
  },
  {
    name: 'another organisation permitted',
    leaf: { name: `O=Example, CN=${HOST}` },
    subs: [with_(nameConstraints([organisation('Other')]))],
    flaw: 'name-constraints',
  },
  {
    name: 'an organisation that begins alike',
    leaf: { name: `O=Example, CN=${HOST}` },
    subs: [with_(nameConstraints([organisation('Exam')]))],
    flaw: 'name-constraints',
  },
  {
    name: 'the organisation excluded',
    leaf: { name: `O=Example, CN=${HOST}` },
    subs: [with_(nameConstraints([], [organisation('Example')]))],
    flaw: 'name-constraints',
  },
  {
    name: 'an authority below of another organisation',
    subs: [with_(nameConstraints([organisation('Other')])), {}],
    leaf: { name: 'O=Other' },
    flaw: 'name-constraints',
  },

  { name: 'an expired root', root: PAST, flaw: 'authority-out-of-date' },
  { name: 'a root of the future', root: FUTURE, flaw: 'authority-out-of-date' },
  { name: 'an expired trusted intermediate', subs: [PAST], endsBelow: 1, flaw: 'authority-out-of-date' },
  { name: 'an expired root above the trusted end', root: PAST, endsBelow: 1 },
];

const state = { folder: '' };
beforeAll(async () => {
  state.folder = await mkdtemp(join(tmpdir(), 'ftm-watch-flaws-'));
});
afterAll(() => rm(state.folder, { recursive: true }));

const flawsOf = (path: readonly Certificate[]): readonly Flaw[] => [
  ...lastingFlaws(path),
  ...endFlaws(path, Date.now()),
];

describe('lastingFlaws(), endFlaws() and "openssl verify" agree', () => {
  test.for(ROWS)('$name', async ({ name, flaw, ...row }) => {
    const path = await build(row);
    const refused = await refusal(name.replaceAll(/\W+/gu, '-'), path);
    const kinds = [...new Set(flawsOf(path.map(certificateOf)).map(({ kind }) => kind))];
    expect({ refused: refused !== null, kinds }).toMatchObject({
      refused: flaw !== undefined,
      kinds: flaw === undefined ? [] : [flaw],
    });
  });
});

/** Leaf first. */
async function build({ leaf, subs = [{}], root, endsBelow = 0 }: Omit<Row, 'name'>): Promise<readonly Identity[]> {
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

/** Why OpenSSL refuses it; null: it does not. */
async function refusal(name: string, path: readonly Identity[]): Promise<string | null> {
  const write = async (what: string, identities: readonly Identity[]): Promise<string> => {
    const file = join(state.folder, `${name}-${what}.pem`);
    await writeFile(file, chainPem(...identities));
    return file;
  };
  const [leaf, sent, trusted] = [
    await write('leaf', path.slice(0, 1)),
    await write('sent', path.slice(0, -1)),
    await write('end', path.slice(-1)),
  ];
  const own = [
    '-no-CAfile',
    '-no-CApath',
    '-no-CAstore',
    '-partial_chain',
    '-purpose',
    'sslserver',
    '-trusted',
    trusted,
  ];
  try {
    await promisify(execFile)('openssl', ['verify', ...own, ...(path.length > 1 ? ['-untrusted', sent] : []), leaf]);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
