import type { Extension } from '@peculiar/x509';
import type { IdentityOptions } from '../../../src/demo/lab/identity.ts';
import type { FlawRow } from './flaw-rows.ts';
import { dns, nameConstraints, network, organisation } from './name-constraints.ts';

const HOST = 'license.example.test';
const with_ = (...extensions: readonly Extension[]): Partial<IdentityOptions> => ({ extensions });

/** Chains whose authorities restrict the names below them. */
export const CONSTRAINT_ROWS: readonly FlawRow[] = [
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
    name: 'addresses outside by their second byte alone',
    leaf: { ipAddresses: ['192.1.2.7'] },
    subs: [with_(nameConstraints([network(192, 0, 0, 0, 255, 255, 0, 0)]))],
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
    name: 'the organisation with other spaces',
    leaf: { name: `O=Example Trust, CN=${HOST}` },
    subs: [with_(nameConstraints([organisation(' Example  Trust ')]))],
  },
  {
    name: 'the organisation without its space',
    leaf: { name: `O=Example Trust, CN=${HOST}` },
    subs: [with_(nameConstraints([organisation('ExampleTrust')]))],
    flaw: 'name-constraints',
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

  {
    name: 'one of two permitted domains',
    subs: [with_(nameConstraints([dns('example.org'), dns('example.test')]))],
  },
  {
    name: 'a common name outside beside a host name inside',
    leaf: { name: 'CN=license.example.org' },
    subs: [with_(nameConstraints([dns('example.test')]))],
  },
  {
    name: 'a common name outside beside an address',
    leaf: { name: 'CN=license.example.org', dnsNames: [], ipAddresses: ['192.0.2.7'] },
    subs: [with_(nameConstraints([dns('example.test')]))],
    flaw: 'name-constraints',
  },
  {
    name: 'an organisation that looks like a host',
    leaf: { name: 'O=acme.example.net, CN=License Server', dnsNames: [] },
    subs: [with_(nameConstraints([dns('example.org')]))],
  },
  {
    name: 'a common name that holds more than a host',
    leaf: { name: 'CN=https://license.example.net', dnsNames: [] },
    subs: [with_(nameConstraints([dns('example.org')]))],
  },
  {
    name: 'a common name that goes on after a host',
    leaf: { name: 'CN=license.example.net/x', dnsNames: [] },
    subs: [with_(nameConstraints([dns('example.org')]))],
  },
  {
    name: 'no subject, an organisation permitted',
    leaf: { name: '' },
    subs: [with_(nameConstraints([organisation('A')]))],
  },
  {
    name: 'a renewed authority of the same name, whose own name is not permitted',
    subs: [with_(nameConstraints([organisation('Other')])), { name: 'O=Example Trust, CN=Sub 0' }],
    leaf: { name: `O=Other, CN=${HOST}` },
  },
  {
    name: 'a leaf with the name of its authority, which is no host',
    subs: [with_(nameConstraints([dns('example.org')]))],
    leaf: { name: 'O=Example Trust, CN=Sub 0' },
    flaw: 'name-constraints',
  },
  {
    name: 'an authority whose common name looks like a host outside',
    subs: [with_(nameConstraints([dns('example.test')])), { name: 'CN=sub.example.org' }],
  },
];
