import type { Extension } from '@peculiar/x509';
import type { IdentityOptions } from '../../../src/demo/lab/identity.ts';
import type { FlawRow } from './flaw-rows.ts';
import {
  alternativeNames,
  dns,
  email,
  nameConstraints,
  network,
  organisation,
  registeredId,
  uri,
} from './name-constraints.ts';

const HOST = 'license.example.test';

/** A leaf under an authority that restricts the names below it. */
type Row = readonly [name: string, leaf: Partial<IdentityOptions>, constraints: Extension];

const permits = (...names: readonly Uint8Array[]): Extension => nameConstraints(names);
const excludes = (...names: readonly Uint8Array[]): Extension => nameConstraints([], names);
/** Returns a leaf for the host, with names of other kinds. */
const named = (...names: readonly Uint8Array[]): Partial<IdentityOptions> => ({
  dnsNames: [],
  extensions: [alternativeNames(dns(HOST), ...names)],
});

const MAILBOX = named(email('fac@Example.test'));
const PAGE = named(uri('https://License.example.test:8443/path'));
const EXAMPLE = { name: `O=Example, CN=${HOST}` };
const EXAMPLE_TRUST = { name: `O=Example Trust, CN=${HOST}` };
const NETWORK = network(192, 0, 2, 0, 255, 255, 255, 0);

const KEPT: readonly Row[] = [
  ['permitted names', {}, permits(dns('example.test'))],
  ['permitted names with a dot', {}, permits(dns('.example.test'))],
  ['other excluded names', {}, excludes(dns('example.org'))],
  ['a wildcard inside', { dnsNames: ['*.example.test'] }, permits(dns('example.test'))],
  ['names in capitals', { dnsNames: [HOST.toUpperCase()] }, permits(dns('Example.Test'))],
  ['a common name for a host, inside', { dnsNames: [] }, permits(dns('example.test'))],
  ['a common name that is no host', { name: 'CN=License Server', dnsNames: [] }, permits(dns('example.org'))],
  ['addresses inside', { ipAddresses: ['192.0.2.7'] }, permits(NETWORK)],
  ['the organisation permitted', EXAMPLE, permits(organisation('EXAMPLE'))],
  ['the organisation as another kind of string', EXAMPLE, permits(organisation('Example', 0x13))],
  ['the organisation with other spaces', EXAMPLE_TRUST, permits(organisation(' Example  Trust '))],
  ['one of two permitted domains', {}, permits(dns('example.org'), dns('example.test'))],
  ['a common name outside beside a host name inside', { name: 'CN=license.example.org' }, permits(dns('example.test'))],
  [
    'an organisation that looks like a host',
    { name: 'O=acme.example.net, CN=License Server', dnsNames: [] },
    permits(dns('example.org')),
  ],
  [
    'a common name that holds more than a host',
    { name: 'CN=https://license.example.net', dnsNames: [] },
    permits(dns('example.org')),
  ],
  [
    'a common name that goes on after a host',
    { name: 'CN=license.example.net/x', dnsNames: [] },
    permits(dns('example.org')),
  ],
  ['no subject, an organisation permitted', { name: '' }, permits(organisation('A'))],
  ['e-mail at the permitted host', MAILBOX, permits(email('example.test'))],
  ['e-mail below the permitted domain', named(email('fac@mail.example.test')), permits(email('.Example.test'))],
  ['the permitted mailbox', MAILBOX, permits(email('fac@example.TEST'))],
  ['any mailbox of the permitted host', MAILBOX, permits(email('@example.test'))],
  ['e-mail at one of two permitted hosts', MAILBOX, permits(email('example.org'), email('example.test'))],
  ['other excluded e-mail', MAILBOX, excludes(email('example.org'))],
  ['e-mail of the subject inside', { name: `CN=${HOST}, E=fac@example.test` }, permits(email('example.test'))],
  ['e-mail permitted, and none in the leaf', named(), permits(email('example.org'))],
  ['a web address at the permitted host', PAGE, permits(uri('license.example.test'))],
  ['a web address below the permitted domain', PAGE, permits(uri('.Example.test'))],
  ['another excluded web address', PAGE, excludes(uri('.example.org'))],
  [
    'an identifier with an empty host, beside an excluded one',
    named(uri('file:///etc')),
    excludes(uri('.example.org')),
  ],
  ['a kind of name that cannot be compared, in the authority alone', named(), permits(registeredId(0x2a, 3))],
];

const BROKEN: readonly Row[] = [
  ['the name itself, of which only what is below is permitted', {}, permits(dns(`.${HOST}`))],
  ['names of another domain', {}, permits(dns('example.org'))],
  ['names that end alike', {}, permits(dns('ample.test'))],
  ['excluded names', {}, excludes(dns('example.test'))],
  ['any name excluded', {}, excludes(dns(''))],
  ['any name permitted, ours excluded', {}, nameConstraints([dns('')], [dns(HOST)])],
  ['one name of two outside', { dnsNames: [HOST, 'a.example.org'] }, permits(dns('example.test'))],
  ['a common name for a host, outside', { dnsNames: [] }, permits(dns('example.org'))],
  ['addresses outside', { ipAddresses: ['198.51.100.7'] }, permits(NETWORK)],
  [
    'addresses outside by their second byte alone',
    { ipAddresses: ['192.1.2.7'] },
    permits(network(192, 0, 0, 0, 255, 255, 0, 0)),
  ],
  ['addresses of the other family', { ipAddresses: ['2001:db8::7'] }, permits(NETWORK)],
  ['excluded addresses', { ipAddresses: ['192.0.2.7'] }, excludes(NETWORK)],
  ['the organisation without its space', EXAMPLE_TRUST, permits(organisation('ExampleTrust'))],
  ['another organisation permitted', EXAMPLE, permits(organisation('Other'))],
  ['an organisation that begins alike', EXAMPLE, permits(organisation('Exam'))],
  ['the organisation excluded', EXAMPLE, excludes(organisation('Example'))],
  [
    'a common name outside beside an address',
    { name: 'CN=license.example.org', dnsNames: [], ipAddresses: ['192.0.2.7'] },
    permits(dns('example.test')),
  ],
  [
    'a leaf with the name of its authority, which is no host',
    { name: 'O=Example Trust, CN=Sub 0' },
    permits(dns('example.org')),
  ],
  ['e-mail at another host', MAILBOX, permits(email('example.org'))],
  ['e-mail below the permitted host alone', MAILBOX, permits(email('mail.example.test'))],
  ['e-mail at the domain of which only what is below is permitted', MAILBOX, permits(email('.example.test'))],
  ['another mailbox', MAILBOX, permits(email('root@example.test'))],
  ['the permitted mailbox in other capitals', MAILBOX, permits(email('FAC@example.test'))],
  ['excluded e-mail', MAILBOX, excludes(email('example.test'))],
  ['a limited address that is no e-mail', named(email('example.test')), excludes(email('example.org'))],
  ['e-mail of the subject outside', { name: `CN=${HOST}, E=fac@example.test` }, permits(email('example.org'))],
  ['a web address below the permitted host', PAGE, permits(uri('example.test'))],
  ['a web address elsewhere', PAGE, permits(uri('.example.org'))],
  [
    'a web address at the domain of which only what is below is permitted',
    named(uri('https://example.test')),
    permits(uri('.example.test')),
  ],
  ['an excluded web address', PAGE, excludes(uri('.example.test'))],
  ['a limited identifier without a host', named(uri('urn:example:test')), excludes(uri('.example.org'))],
  ['a kind of name that cannot be compared, permitted', named(registeredId(0x2a, 3)), permits(registeredId(0x2a, 3))],
  ['a kind of name that cannot be compared, excluded', named(registeredId(0x2a, 3)), excludes(registeredId(0x2a, 4))],
];

const only = (constraints: Extension): Partial<IdentityOptions> => ({ extensions: [constraints] });

/** Chains whose authorities restrict the names below them. */
export const CONSTRAINT_ROWS: readonly FlawRow[] = [
  ...KEPT.map(([name, leaf, constraints]) => ({ name, leaf, subs: [only(constraints)] })),
  ...BROKEN.map(([name, leaf, constraints]) => ({
    name,
    leaf,
    subs: [only(constraints)],
    flaw: 'name-constraints' as const,
  })),
  { name: 'constraints of the root', root: only(permits(dns('example.org'))), flaw: 'name-constraints' },
  { name: 'constraints above the trusted end', root: only(permits(dns('example.org'))), endsBelow: 1 },
  {
    name: 'an authority below of another organisation',
    subs: [only(permits(organisation('Other'))), {}],
    leaf: { name: 'O=Other' },
    flaw: 'name-constraints',
  },
  {
    name: 'a renewed authority of the same name, whose own name is not permitted',
    subs: [only(permits(organisation('Other'))), { name: 'O=Example Trust, CN=Sub 0' }],
    leaf: { name: `O=Other, CN=${HOST}` },
  },
  {
    name: 'an authority whose common name looks like a host outside',
    subs: [only(permits(dns('example.test'))), { name: 'CN=sub.example.org' }],
  },
];
