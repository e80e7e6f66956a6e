import { expect, test } from 'vitest';
import type { Cause } from '../../../src/engine/model.ts';
import { headline, isOnlyUnseen, shortCause } from '../../../src/checks/headline.ts';
import { FAULT_IDS, preconditionOf, type FaultId } from '../../../src/checks/registry.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';

/** Preconditions on the path to a host, which can be the licence server or a service. */
const ON_THE_WAY: readonly string[] = ['name-resolution', 'reachability', 'tls-genuine', 'license-server'];
/** Their headlines name the interceptor if known, but not the host, because interception affects the whole path. */
const INTERCEPTIONS: readonly FaultId[] = ['tls-intercepted', 'tls-interception-suspected'];

const ids = FAULT_IDS.filter((id) => ON_THE_WAY.includes(preconditionOf(id)));

test.each(ids)('%s is told of the host that it is about', (id) => {
  const text = headline(causeOf(id, { subject: 'push.fortinet.com:443', product: null }));

  expect(text).not.toMatch(/licence server|\{/u);
  expect(text.includes('push.fortinet.com:443')).toBe(!INTERCEPTIONS.includes(id));
  // At most half a line, for the subject of a mail.
  expect(text.length).toBeLessThan(75);
});

test.each<readonly [FaultId, Parameters<typeof causeOf>[1], string]>([
  ['tls-intercepted', { product: 'Acme $& Proxy' }, 'TLS is intercepted by Acme $& Proxy'],
  ['tls-intercepted', { product: null }, 'TLS is intercepted'],
  ['certificate-broken', { subject: 'a $& b', product: 'Acme Proxy' }, 'the certificate of a $& b is broken'],
  ['polling-failing', { subject: 'fac-1', severity: 'warning' }, 'the log of fac-1 has a warning'],
  ['appliance-unreachable', { subject: 'fac-1', severity: 'critical' }, 'fac-1 is unreachable'],
  [
    'appliance-unreachable',
    { subject: 'fac-2', severity: 'warning', peer: 'fac-$&' },
    'fac-2 does not answer; fac-$& does',
  ],
])('%s with %j is "%s"', (id, facts, text) => {
  expect(headline(causeOf(id, facts))).toBe(text);
});

test.each<readonly [Cause['id'], 'critical' | 'warning', boolean]>([
  ['precondition-unknown', 'warning', true],
  ['precondition-unknown', 'critical', false],
  ['tls-intercepted', 'warning', false],
])('%s as %s is only unseen: %s', (id, severity, unseen) => {
  expect(isOnlyUnseen({ id, severity })).toBe(unseen);
});

test('a mail subject names the unit if its name fits', () => {
  const unreachable = (subject: string): string => shortCause(causeOf('appliance-unreachable', { subject }));
  expect(unreachable('fac-1')).toBe('fac-1 is unreachable');
  expect(unreachable('fortiauthenticator-frankfurt')).toBe('FortiAuthenticator unreachable');
});
