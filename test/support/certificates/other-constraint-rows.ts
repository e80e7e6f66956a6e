import type { Extension } from '@peculiar/x509';
import type { IdentityOptions } from '../../../src/demo/lab/identity.ts';
import type { FlawRow } from './flaw-rows.ts';
import { alternativeNames, dns, email, nameConstraints, registeredId, uri } from './name-constraints.ts';

const HOST = 'license.example.test';
const with_ = (...extensions: readonly Extension[]): Partial<IdentityOptions> => ({ extensions });
/** Returns the options of a leaf for the host, with names of other kinds. */
const named = (...names: readonly Uint8Array[]): Partial<IdentityOptions> => ({
  dnsNames: [],
  ...with_(alternativeNames(dns(HOST), ...names)),
});

/** Chains whose authorities restrict names other than hosts, addresses and subjects. */
export const OTHER_CONSTRAINT_ROWS: readonly FlawRow[] = [
  {
    name: 'e-mail at the permitted host',
    leaf: named(email('fac@Example.test')),
    subs: [with_(nameConstraints([email('example.test')]))],
  },
  {
    name: 'e-mail at another host',
    leaf: named(email('fac@Example.test')),
    subs: [with_(nameConstraints([email('example.org')]))],
    flaw: 'name-constraints',
  },
  {
    name: 'e-mail below the permitted host alone',
    leaf: named(email('fac@Example.test')),
    subs: [with_(nameConstraints([email('mail.example.test')]))],
    flaw: 'name-constraints',
  },
  {
    name: 'e-mail below the permitted domain',
    leaf: named(email('fac@mail.example.test')),
    subs: [with_(nameConstraints([email('.Example.test')]))],
  },
  {
    name: 'e-mail at the domain of which only what is below is permitted',
    leaf: named(email('fac@Example.test')),
    subs: [with_(nameConstraints([email('.example.test')]))],
    flaw: 'name-constraints',
  },
  {
    name: 'the permitted mailbox',
    leaf: named(email('fac@Example.test')),
    subs: [with_(nameConstraints([email('fac@example.TEST')]))],
  },
  {
    name: 'another mailbox',
    leaf: named(email('fac@Example.test')),
    subs: [with_(nameConstraints([email('root@example.test')]))],
    flaw: 'name-constraints',
  },
  {
    name: 'the permitted mailbox in other capitals',
    leaf: named(email('fac@Example.test')),
    subs: [with_(nameConstraints([email('FAC@example.test')]))],
    flaw: 'name-constraints',
  },
  {
    name: 'any mailbox of the permitted host',
    leaf: named(email('fac@Example.test')),
    subs: [with_(nameConstraints([email('@example.test')]))],
  },
  {
    name: 'e-mail at one of two permitted hosts',
    leaf: named(email('fac@Example.test')),
    subs: [with_(nameConstraints([email('example.org'), email('example.test')]))],
  },
  {
    name: 'excluded e-mail',
    leaf: named(email('fac@Example.test')),
    subs: [with_(nameConstraints([], [email('example.test')]))],
    flaw: 'name-constraints',
  },
  {
    name: 'other excluded e-mail',
    leaf: named(email('fac@Example.test')),
    subs: [with_(nameConstraints([], [email('example.org')]))],
  },
  {
    name: 'a limited address that is no e-mail',
    leaf: named(email('example.test')),
    subs: [with_(nameConstraints([], [email('example.org')]))],
    flaw: 'name-constraints',
  },
  {
    name: 'e-mail of the subject inside',
    leaf: { name: `CN=${HOST}, E=fac@example.test` },
    subs: [with_(nameConstraints([email('example.test')]))],
  },
  {
    name: 'e-mail of the subject outside',
    leaf: { name: `CN=${HOST}, E=fac@example.test` },
    subs: [with_(nameConstraints([email('example.org')]))],
    flaw: 'name-constraints',
  },
  {
    name: 'e-mail permitted, and none in the leaf',
    leaf: named(),
    subs: [with_(nameConstraints([email('example.org')]))],
  },
  {
    name: 'an address of the web at the permitted host',
    leaf: named(uri('https://License.example.test:8443/path')),
    subs: [with_(nameConstraints([uri('license.example.test')]))],
  },
  {
    name: 'an address of the web below the permitted host',
    leaf: named(uri('https://License.example.test:8443/path')),
    subs: [with_(nameConstraints([uri('example.test')]))],
    flaw: 'name-constraints',
  },
  {
    name: 'an address of the web below the permitted domain',
    leaf: named(uri('https://License.example.test:8443/path')),
    subs: [with_(nameConstraints([uri('.Example.test')]))],
  },
  {
    name: 'an address of the web elsewhere',
    leaf: named(uri('https://License.example.test:8443/path')),
    subs: [with_(nameConstraints([uri('.example.org')]))],
    flaw: 'name-constraints',
  },
  {
    name: 'an address of the web at the domain of which only what is below is permitted',
    leaf: named(uri('https://example.test')),
    subs: [with_(nameConstraints([uri('.example.test')]))],
    flaw: 'name-constraints',
  },
  {
    name: 'an excluded address of the web',
    leaf: named(uri('https://License.example.test:8443/path')),
    subs: [with_(nameConstraints([], [uri('.example.test')]))],
    flaw: 'name-constraints',
  },
  {
    name: 'another excluded address of the web',
    leaf: named(uri('https://License.example.test:8443/path')),
    subs: [with_(nameConstraints([], [uri('.example.org')]))],
  },
  {
    name: 'a limited identifier without a host',
    leaf: named(uri('urn:example:test')),
    subs: [with_(nameConstraints([], [uri('.example.org')]))],
    flaw: 'name-constraints',
  },
  {
    name: 'an identifier with an empty host, beside an excluded one',
    leaf: named(uri('file:///etc')),
    subs: [with_(nameConstraints([], [uri('.example.org')]))],
  },
  {
    name: 'a kind of name that cannot be compared, permitted',
    leaf: named(registeredId(0x2a, 3)),
    subs: [with_(nameConstraints([registeredId(0x2a, 3)]))],
    flaw: 'name-constraints',
  },
  {
    name: 'a kind of name that cannot be compared, excluded',
    leaf: named(registeredId(0x2a, 3)),
    subs: [with_(nameConstraints([], [registeredId(0x2a, 4)]))],
    flaw: 'name-constraints',
  },
  {
    name: 'a kind of name that cannot be compared, in the authority alone',
    leaf: named(),
    subs: [with_(nameConstraints([registeredId(0x2a, 3)]))],
  },
];
