import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { CHECKS, type PreconditionId } from '../../../src/checks/registry.ts';

import { observePeer } from '../../../src/connectors/peers.ts';
import type { Picture, UnitObservation } from '../../../src/connectors/picture.ts';
import { createFortiAuthenticator, type FortiAuthenticator } from '../../../src/demo/lab/fortiauthenticator.ts';
import type { Firewall } from '../../../src/demo/lab/firewall.ts';
import type { HttpFault } from '../../../src/demo/lab/https-peer.ts';
import { listening, type Listening } from '../../../src/demo/lab/listening.ts';
import { diagnose } from '../../../src/engine/diagnose.ts';
import type { ConnectorContext } from '../../../src/network/rest/json-exchange.ts';
import { CONTEXT, judgedRound } from '../../support/checks/judged-round.ts';
import { picture } from '../../support/checks/observed.ts';
import { factsOf, shown } from '../../support/checks/facts.ts';
import { configOf } from '../../support/config/config-of.ts';
import { apiOf, observeApi } from '../../support/connectors/appliance-bench.ts';
import { connectorContext } from '../../support/connectors/connector-context.ts';
import { createFirewallBench, type FirewallBench } from '../../support/connectors/firewall-bench.ts';
import { startRegistration, type RegistrationBench } from '../../support/connectors/registration-bench.ts';
import { idleClock } from '../../support/time/idle-clock.ts';

const clock = idleClock();

type Fault = 202 | 401 | 403 | 404 | 405 | 429 | 302 | 500 | 'html' | 'other JSON' | 'endless' | 'truncated' | 'reset';
type SlowFault = 'silent' | 'trickling' | 'no-tls';
type AnyFault = Fault | SlowFault | `not allowed ${200 | 400 | 403}`;

/** Why a request fails. */
const REASONS: readonly (readonly [fault: Fault | SlowFault, reason: string])[] = [
  ...([202, 401, 403, 404, 405, 429, 302, 500] as const).map((status) => [status, 'rejected'] as const),
  ...(['html', 'other JSON', 'endless'] as const).map((fault) => [fault, 'protocol'] as const),
  ['truncated', 'closed'],
  ['reset', 'reset'],
  // The last one: the port is open, but there is no TLS handshake.
  ...(['silent', 'trickling', 'no-tls'] as const).map((fault) => [fault, 'timeout'] as const),
];

function faultOf(fault: AnyFault): HttpFault {
  if (typeof fault === 'number') return { kind: 'status', status: fault, headers: { location: 'https://evil.test/' } };
  switch (fault) {
    case 'no-tls':
      return { kind: 'none' };
    case 'other JSON':
      return { kind: 'body', body: '{"status": 0, "results": 7}' };
    case 'trickling':
      return { kind: 'trickle', clock };
    case 'html':
    case 'endless':
    case 'truncated':
    case 'reset':
    case 'silent':
      return { kind: fault };
    case 'not allowed 200':
    case 'not allowed 400':
    case 'not allowed 403': {
      // Quoted in ta-p/390182, for this URL.
      const text = 'You are not allowed to access this site using https://fac.homelab';
      return { kind: 'page', status: Number(fault.slice(-3)), text };
    }
  }
}

let fac: FortiAuthenticator;
let firewalls: FirewallBench;
let firewall: Firewall;
let registration: RegistrationBench;
let mute: Listening;

beforeAll(async () => {
  [fac, firewalls, registration] = await Promise.all([
    createFortiAuthenticator(),
    createFirewallBench(),
    startRegistration(),
  ]);
  firewall = await firewalls.start();
  mute = await listening(createServer());
});
afterAll(() => Promise.all([fac, firewall, firewalls, registration, mute].map((one) => one[Symbol.asyncDispose]())));

const CONFIG = await configOf(`
appliances: [{ name: fac-1, licenses: [EFTM000000000001], api: { url: "https://10.0.0.5", user: u, keyEnv: SET_SECRET } }]
firewall: [{ url: "https://10.0.0.1", tokenEnv: SET_SECRET, source: 10.0.0.5 }]
registration: { user: api, passwordEnv: SET_SECRET }
`);

function unit(more: Partial<UnitObservation>): Pick<Picture, 'appliances'> {
  return { appliances: CONFIG.appliances.map((config) => ({ config, rest: null, role: null, ...more })) };
}

interface Seen {
  readonly kind: string;
  readonly reason?: string;
}

interface Service {
  readonly id: PreconditionId;
  readonly peer: () => { readonly url: string; setFault(fault: HttpFault, resource?: string): void };
  /** Asks the service at this URL. */
  readonly ask: (url: string, context: Partial<ConnectorContext>) => Promise<readonly [Seen, Partial<Picture>]>;
  /** What follows: the state, the causes, and the kinds of the findings. */
  readonly usual: string;
  readonly special: Partial<Record<AnyFault, string>>;
  /** Where another reason is observed than REASONS. */
  readonly reasons: Partial<Record<AnyFault, string>>;
}

const DENIED = 'warning, warning appliance-access-denied, ';
const UNREADABLE = 'warning, warning appliance-unreadable, ';

const SERVICES: Readonly<Record<string, Service>> = {
  FortiAuthenticator: {
    id: 'appliance',
    peer: () => fac,
    ask: async (url, context) => {
      const rest = await observeApi(apiOf(fac, { url }), context);
      return [rest, unit({ rest })];
    },
    usual: `${UNREADABLE}-`,
    special: {
      401: `${DENIED}-`,
      403: `${DENIED}not-permitted`,
      silent: `${UNREADABLE}slow`,
      trickling: `${UNREADABLE}slow`,
      'not allowed 200': `${UNREADABLE}host-refused`,
      'not allowed 400': `${UNREADABLE}host-refused`,
      'not allowed 403': `${UNREADABLE}host-refused`,
      'no-tls': 'broken, critical appliance-unreachable, -',
    },
    reasons: { 401: 'denied', 403: 'denied' },
  },
  'a FortiGate': {
    id: 'firewall-policy',
    peer: () => firewall,
    ask: async (url, context) => {
      const seen = await firewalls.observe(firewall, { url, sourceInterface: null }, context);
      return [seen, { firewall: [seen] }];
    },
    usual: 'unknown, -',
    special: {},
    reasons: { 401: 'denied', 403: 'denied' },
  },
  'the registration service': {
    id: 'license-assignment',
    peer: () => registration.service,
    ask: async (url, context) => {
      const seen = await registration.observe({ config: { url, authUrl: url }, context });
      return [seen, { ...unit({}), registration: seen }];
    },
    usual: 'unknown, -',
    special: {},
    reasons: { 401: 'denied', 403: 'denied', 'other JSON': 'rejected' },
  },
  // Any HTTPS server can be another agent.
  'another agent, which is not needed': {
    id: 'tls-genuine',
    peer: () => registration.service,
    ask: async (url, context) => {
      const { caFile } = registration.config;
      const seen = await observePeer({ name: 'dmz', url, token: null, caFile }, connectorContext(context));
      return [seen, { peers: [seen] }];
    },
    usual: 'ok, -',
    special: {},
    reasons: {},
  },
};

async function rowOf({ peer, ask, id }: Service, fault: AnyFault, resource?: string): Promise<readonly [Seen, string]> {
  peer().setFault(faultOf(fault), resource);
  onTestFinished(() => peer().setFault({ kind: 'none' }, resource));
  // Time limits expire quickly under this clock, so only faults that need it use it.
  const isSlow = fault === 'silent' || fault === 'no-tls' || fault === 'trickling';
  const url = fault === 'no-tls' ? `https://127.0.0.1:${String(mute.port)}` : peer().url;
  const [seen, known] = await ask(url, isSlow ? { clock } : {});
  return [seen, judged(id, known)];
}

function judged(id: PreconditionId, seen: Partial<Picture>): string {
  const known = picture(seen);
  const facts = factsOf({ config: CONFIG, round: shown(), picture: known });
  const own = CHECKS.filter((check) => check.id === id).map((check) => ({ id, ...check.judge(facts) }));
  const { causes, preconditions } = diagnose([...judgedRound().filter((one) => one.id !== id), ...own], CONTEXT);
  const status = preconditions.find((one) => one.id === id);
  const kinds = (status?.findings ?? []).map(({ kind }) => kind ?? '-');
  return [status?.state, ...causes.map((cause) => `${cause.severity} ${cause.id}`), ...kinds].join(', ');
}

describe.each(Object.entries(SERVICES))('%s', (name, service) => {
  // Listeners of network/rest/json-exchange.ts: once connect
  test.each(REASONS)('that answers with %s fails (%s)', async (fault, reason) => {
    const [seen, found] = await rowOf(service, fault);
    expect(seen.reason ?? seen.kind).toBe(service.reasons[fault] ?? reason);
    expect(found).toBe(service.special[fault] ?? service.usual);
    const needsInterface = name === 'a FortiGate' && fault === 500;
    expect(JSON.stringify(seen).includes('sourceInterface')).toBe(needsInterface);
  });
});

test.each(['not allowed 200', 'not allowed 400', 'not allowed 403'] as const)(
  'FortiAuthenticator may refuse the name of the host: %s',
  async (fault) => {
    const service = SERVICES['FortiAuthenticator'];
    const [seen, found] = service === undefined ? [] : await rowOf(service, fault);
    expect(seen).toMatchObject({ kind: 'failed', reason: 'rejected', refusedHost: '127.0.0.1' });
    expect(found).toBe(service?.special[fault]);
  },
);

test.each([
  [401, `${DENIED}-`],
  [403, `${DENIED}not-permitted`],
] as const)('%i for one resource of FortiAuthenticator is judged as for all', async (status, expected) => {
  const service = SERVICES['FortiAuthenticator'];
  const [, found] = service === undefined ? [] : await rowOf(service, status, 'fortitokens');
  expect(found).toBe(expected);
});

test.each([
  ['timeout', `unknown, warning appliance-unreadable, snmp, `],
  ['rejected', `unknown, warning appliance-unreadable, snmp, `],
  ['no-route', 'unknown, '],
] as const)('SNMP as the only source, with %s', async (reason, expected) => {
  const config = await configOf('appliances: [{ name: fac-1, snmp: { host: 10.0.0.5, communityEnv: SET_SECRET } }]');
  const role = { kind: 'failed', appliance: 'fac-1', reason, message: 'No reply', durationMs: 5_000 } as const;
  const appliances = config.appliances.map((one) => ({ config: one, rest: null, role }));
  expect(judged('appliance', { appliances })).toBe(`${expected}-`);
});
