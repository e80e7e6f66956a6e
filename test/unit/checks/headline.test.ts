import fc from 'fast-check';
import { expect, test } from 'vitest';
import { headline, isOnlyUnseen, shortCause } from '../../../src/checks/headline.ts';
import {
  CAUSE_IDS,
  FAULT_IDS,
  preconditionOf,
  type CauseId,
  type FaultId,
  wordsOf,
} from '../../../src/checks/registry.ts';
import { SEVERITIES } from '../../../src/core/severity.ts';
import type { Cause } from '../../../src/engine/model.ts';
import { loadProducts } from '../../../src/trust/products.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { anyText } from '../../support/security/any-text.ts';

const PRODUCTS = (await loadProducts([])).map(({ name }) => name);

/** Preconditions on the path to a host, which can be the licence server or a service. */
const ON_THE_WAY: readonly string[] = ['name-resolution', 'reachability', 'tls-genuine', 'license-server'];
/** Their headlines name the interceptor if known, but not the host, because interception affects the whole path. */
const INTERCEPTIONS: readonly FaultId[] = ['tls-intercepted', 'tls-interception-suspected'];

test.each(FAULT_IDS.filter((id) => ON_THE_WAY.includes(preconditionOf(id))))(
  '%s is told of the host that it is about',
  (id) => {
    const text = headline(causeOf(id, { subject: 'push.fortinet.com:443', product: null }));
    expect(text).not.toMatch(/licence server/u);
    expect(text.includes('push.fortinet.com:443')).toBe(!INTERCEPTIONS.includes(id));
    // At most half a line.
    expect(text.length).toBeLessThan(75);
  },
);

test('an observation that does not name its precondition follows the title of the precondition', () => {
  const text = headline(causeOf('internet-unreachable', { subject: 'internet', observed: 'no attempt succeeded' }));
  expect(text).toBe('Internet: no attempt succeeded');
});

test('parentheses are closed or omitted', () => {
  const observed = `2 of 2 failed (first: server.test:443 at 192.0.2.2: no answer within ${'9'.repeat(90)} ms)`;
  expect(headline(causeOf('internet-unreachable', { subject: 'internet', observed }))).toBe('Internet: 2 of 2 failed');
});

/** Every situation in which a cause has a name of its own. */
function situationsOf(id: CauseId): readonly Partial<Cause>[] {
  const policy = { id: 4_294_967_294, name: 'LAN-to-Internet', action: 'accept' } as const;
  const culprits = (['inspects', 'denies'] as const).flatMap((action) =>
    [policy, null].map((one) => ({
      culprit: {
        action,
        firewall: 'FortiGate 2001:db8::1234:5678:9abc:def0',
        firewallHost: '2001:db8::1234:5678:9abc:def0',
        policy: one,
        profile: 'deep-inspection',
        incoming: null,
        outgoing: null,
        serial: null,
      },
    })),
  );
  const kinds = (wordsOf(id).variants ?? []).flatMap(({ when: { kind } }) => (kind === undefined ? [] : [{ kind }]));
  return [
    ...SEVERITIES.map((severity) => ({ severity })),
    ...PRODUCTS.map((product) => ({ product })),
    ...kinds,
    ...culprits,
    { said: 'FTM provision error (TLS 1)' },
    { peer: 'fac-2' },
  ];
}

test.each(CAUSE_IDS)('%s has a name in every situation, which is short and whole without its subject', (id) => {
  for (const situation of situationsOf(id)) {
    const cause = { id, severity: 'critical', product: null, subject: '', ...situation } as const;
    const whole = headline({ ...cause, subject: 'a{b}$&' });
    expect(whole.replace('a{b}$&', '')).not.toMatch(/[{}[\]|]|^$/u);
    const short = shortCause(cause);
    expect(short.length).toBeLessThanOrEqual(32);
    expect(short).not.toMatch(/…|[{}[\]|]|\.$|^[^\p{L}]|^$/u);
  }
});

const HOST = 'fortitokenmobile.fortinet.com:443';

const named = (id: CauseId, facts: Partial<Cause>, room?: number): string => shortCause(causeOf(id, facts), room);

test.each<readonly [product: string, room: number, kept: string]>([
  ['Fortinet FortiGate', 32, ' by FortiGate'],
  ['Cato Networks', 32, ' by Cato'],
  ['Trend Micro InterScan Web Security', 43, ' by Trend Micro InterScan'],
  ['Unpronounceable-Gateway 5', 32, ''],
  ['A $& B', 32, ' by A $& B'],
  ['constructor', 33, ' by constructor'],
])('of the product "%s", %i characters keep "%s"', (product, room, kept) => {
  expect(named('tls-intercepted', { product }, room)).toBe(`${named('tls-intercepted', { product: null })}${kept}`);
});

test('the subject is named if it fits, and articles are left out last', () => {
  for (const id of ['tls-blocked', 'mail-slow', 'certificate-broken'] as const) {
    expect(named(id, { subject: HOST }, 80)).toContain(HOST);
    expect(named(id, { subject: HOST })).not.toContain(HOST);
  }
  expect(named('certificate-broken', { subject: 'a $& b', product: 'Acme Proxy' }, 60)).toContain('a $& b');
  expect(named('appliance-unreachable', { subject: 'fac-1' })).toMatch(/^fac-1 /u);
  const long = { subject: 'fortiauthenticator-frankfurt' };
  expect(named('appliance-unreachable', long)).toBe(named('appliance-unreachable', long, 33).replace(' is ', ' '));
});

test('a kind and a severity can have a name of their own', () => {
  const base = named('egress-blocked', { subject: '' });
  expect(named('egress-blocked', { subject: '', kind: 'proxy-login' })).not.toBe(base);
  expect(named('egress-blocked', { subject: '', kind: 'unheard-of' })).toBe(base);
  const peers = { subject: 'fac-2', severity: 'warning', kind: 'peer-answers', peer: 'fac-$&' } as const;
  expect(named('appliance-unreachable', peers, 60)).toMatch(/^fac-2 .* fac-\$& /u);
  expect(named('license-not-registered', { severity: 'warning' })).toContain(' log ');
});

test.each([
  ['fac-1', 'fac-1 logs FTM polling error'],
  ['fac-frankfurt', 'logs FTM polling error'],
])('the words of a log line are named, of %s: "%s"', (subject, text) => {
  expect(named('polling-failing', { subject, said: 'FTM polling error' })).toBe(text);
});

test('a product of any name neither makes a short name longer nor hides anything in it', () => {
  fc.assert(
    fc.property(anyText(60), fc.constantFrom(...CAUSE_IDS), (product, id) => {
      const text = shortCause({ id, subject: '', severity: 'critical', product });
      expect(text.length).toBeLessThanOrEqual(32);
      expect(text).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|by $/u);
    }),
  );
});

test.each<readonly [Cause['id'], 'critical' | 'warning', boolean]>([
  ['precondition-unknown', 'warning', true],
  ['precondition-unknown', 'critical', false],
  ['tls-intercepted', 'warning', false],
])('%s as %s is only unseen: %s', (id, severity, unseen) => {
  expect(isOnlyUnseen({ id, severity })).toBe(unseen);
});
