import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CHECKS, type PreconditionId } from '../../../src/checks/registry.ts';
import { assessUnits } from '../../../src/checks/assess.ts';
import { unreadablePeers } from '../../../src/checks/peer-views.ts';
import type { Picture } from '../../../src/connectors/picture.ts';
import { observePeer } from '../../../src/connectors/peers.ts';
import type { ConnectorContext } from '../../../src/network/rest/json-exchange.ts';
import { diagnose } from '../../../src/engine/diagnose.ts';
import { actualOf, type Assessment, type Step } from '../../../src/engine/model.ts';
import { createFortiAuthenticator, type FortiAuthenticator } from '../../../src/demo/lab/fortiauthenticator.ts';
import type { Firewall } from '../../../src/demo/lab/firewall.ts';
import type { HttpFault } from '../../../src/demo/lab/https-peer.ts';
import { CONTEXT, judgedRound } from '../../support/checks/judged-round.ts';
import { textOfStep } from '../../support/checks/text-of-step.ts';
import { configOf } from '../../support/config/config-of.ts';
import { apiOf, observeApi } from '../../support/connectors/appliance-bench.ts';
import { connectorContext } from '../../support/connectors/connector-context.ts';
import { createFirewallBench, type FirewallBench } from '../../support/connectors/firewall-bench.ts';
import { startRegistration, type RegistrationBench } from '../../support/connectors/registration-bench.ts';
import { idleClock } from '../../support/time/idle-clock.ts';

/** `no-tls`: the port is open, but there is no TLS handshake. */
type Fault = 401 | 403 | 404 | 405 | 429 | 302 | 500 | 'silent' | 'html' | 'no-tls' | 'not-allowed';

type Row = readonly [state: string, cause: string, sentence: string, remedy: string];

const CONFIG = `
appliances: [{ name: fac-1, licenses: [EFTM000000000001], api: { url: "https://10.0.0.5", user: u, keyEnv: SET_SECRET } }]
firewall: [{ url: "https://10.0.0.1", tokenEnv: SET_SECRET, source: 10.0.0.5 }]
registration: { user: api, passwordEnv: SET_SECRET }
`;
const NOTHING: Picture = { appliances: [], firewall: [], registration: null, peers: [] };

let fac: FortiAuthenticator;
let firewalls: FirewallBench;
let firewall: Firewall;
let registration: RegistrationBench;
let mute: Server;

beforeAll(async () => {
  [fac, firewalls, registration] = await Promise.all([
    createFortiAuthenticator(),
    createFirewallBench(),
    startRegistration(),
  ]);
  firewall = await firewalls.start();
  mute = createServer((socket) => socket.on('error', () => undefined));
  await new Promise<void>((resolve) => {
    mute.listen(0, '127.0.0.1', resolve);
  });
});
afterAll(async () => {
  mute.close();
  await Promise.all([fac, firewall, firewalls, registration].map((one) => one[Symbol.asyncDispose]()));
});

function faultOf(fault: Fault): HttpFault {
  if (typeof fault === 'number') return { kind: 'status', status: fault, headers: { location: 'https://evil.test/' } };
  if (fault === 'not-allowed')
    return { kind: 'page', status: 400, text: 'You are not allowed to access this site using https://fac.homelab' };
  return fault === 'no-tls' ? { kind: 'none' } : { kind: fault };
}

/** Returns the configured URL, or that of a port without TLS. */
function urlFor(fault: Fault, url: string): string {
  const { port } = mute.address() as AddressInfo;
  return fault === 'no-tls' ? `https://127.0.0.1:${String(port)}` : url;
}

/** Time limits expire quickly, so only faults that need them use this clock. */
function contextFor(fault: Fault): Partial<ConnectorContext> {
  return fault === 'silent' || fault === 'no-tls' ? { clock: idleClock() } : {};
}

async function rowOf(id: PreconditionId, picture: Partial<Picture>): Promise<Row> {
  const config = await configOf(CONFIG);
  const facts = { config, picture: { ...NOTHING, ...picture }, at: CONTEXT.at, speaking: [] };
  const own = (assessment: Assessment): Assessment =>
    assessment.id === 'tls-genuine' ? unreadablePeers(assessment, facts.picture.peers) : assessment;
  const judged = assessUnits(facts).filter((one) => one.id === id);
  const others = judgedRound().filter((one) => !judged.some((other) => other.id === one.id));
  const { causes, preconditions } = diagnose([...others.map(own), ...judged], CONTEXT);
  const found = preconditions.filter((one) => one.id === id);
  const findings = found.flatMap((status) => status.findings);
  const advised = findings.flatMap(({ advice }) => advice?.remedy ?? []);
  const usual: readonly Step[] = CHECKS.filter((check) => check.id === id).map(({ unknownRemedy }) => unknownRemedy);
  const remedy = [...causes.flatMap((cause) => cause.remedy), ...[...advised, ...usual].map(textOfStep)];
  return [
    found.map(({ state }) => state).join(' '),
    causes.map((cause) => `${cause.severity} ${cause.id}`).join(' '),
    [...findings.map(actualOf), ...causes.map(({ summary }) => summary)].join(' '),
    remedy.join(' '),
  ];
}

async function overApi(fault: Fault, resource?: string): Promise<Row> {
  fac.setFault(faultOf(fault), resource);
  const rest = await observeApi(apiOf(fac, { url: urlFor(fault, fac.url) }), contextFor(fault));
  fac.setFault({ kind: 'none' }, resource);
  const [config] = (await configOf(CONFIG)).appliances;
  return rowOf('appliance', { appliances: config === undefined ? [] : [{ config, rest, role: null }] });
}

async function atFirewall(fault: Fault): Promise<Row> {
  firewall.setFault(faultOf(fault));
  const url = urlFor(fault, firewall.url);
  const seen = await firewalls.observe(firewall, { url, sourceInterface: null }, contextFor(fault));
  firewall.setFault({ kind: 'none' });
  return rowOf('firewall-policy', { firewall: [seen] });
}

async function atRegistration(fault: Fault): Promise<Row> {
  registration.service.setFault(faultOf(fault));
  const url = urlFor(fault, registration.config.url);
  const seen = await registration.observe({ config: { url, authUrl: url }, context: contextFor(fault) });
  registration.service.setFault({ kind: 'none' });
  const [config] = (await configOf(CONFIG)).appliances;
  const appliances = config === undefined ? [] : [{ config, rest: null, role: null }];
  return rowOf('license-assignment', { registration: seen, appliances });
}

/** Any HTTPS server can be another agent. */
async function atPeer(fault: Fault): Promise<Row> {
  const { caFile } = registration.config;
  const context = connectorContext(contextFor(fault));
  const peer = { name: 'dmz', url: urlFor(fault, registration.service.url), token: null, caFile };
  registration.service.setFault(faultOf(fault));
  const seen = await observePeer(peer, context);
  registration.service.setFault({ kind: 'none' });
  return rowOf('tls-genuine', { peers: [seen] });
}

const UNREADABLE = 'warning appliance-unreadable';
const DENIED = 'warning appliance-access-denied';
const OPEN = 'in a browser';

describe.each<[string, (fault: Fault) => Promise<Row>, readonly (readonly [Fault, ...Row])[]]>([
  [
    'FortiAuthenticator',
    (fault) => overApi(fault),
    [
      [401, 'warning', DENIED, 'refused the web service key with HTTP 401', 'web service access key, not the login'],
      [403, 'warning', DENIED, 'is not permitted to read its system information', 'read access to the resources'],
      [404, 'warning', UNREADABLE, 'HTTP status 404', OPEN],
      [405, 'warning', UNREADABLE, 'HTTP status 405', OPEN],
      [429, 'warning', UNREADABLE, 'HTTP status 429 (too many requests)', OPEN],
      [302, 'warning', UNREADABLE, 'HTTP status 302 (a redirect', OPEN],
      [500, 'warning', UNREADABLE, 'HTTP status 500 (a server error)', OPEN],
      [
        'silent',
        'warning',
        UNREADABLE,
        'does not answer in time, but its TLS handshake succeeds',
        'CPU, memory and disk',
      ],
      ['html', 'warning', UNREADABLE, 'got a web page', OPEN],
      ['not-allowed', 'warning', UNREADABLE, 'does not accept requests for the host 127.0.0.1', 'add 127.0.0.1 to the'],
      ['no-tls', 'broken', 'critical appliance-unreachable', 'The API does not answer', OPEN],
    ],
  ],
  [
    'a FortiGate',
    atFirewall,
    [
      [401, 'unknown', '', 'does not accept the API token (HTTP 401)', 'Generate a new API token'],
      [403, 'unknown', '', 'is not permitted to read the policies', 'read access to the firewall policies'],
      [404, 'unknown', '', 'rejected the policy lookup', 'Check "firewall[].url"'],
      [405, 'unknown', '', 'HTTP status 405', 'Check "firewall[].url"'],
      [429, 'unknown', '', 'HTTP status 429 (too many requests)', 'Check "firewall[].url"'],
      [302, 'unknown', '', 'HTTP status 302 (a redirect', 'Check "firewall[].url"'],
      [500, 'unknown', '', 'most firmware requires "sourceInterface"', 'Check "firewall[].url"'],
      ['silent', 'unknown', '', 'did not answer the policy lookup (timeout)', 'Check "firewall[].url"'],
      ['html', 'unknown', '', 'got a web page', 'Check "firewall[].url"'],
      ['no-tls', 'unknown', '', 'did not answer the policy lookup (timeout)', 'Check "firewall[].url"'],
    ],
  ],
  [
    'the registration service',
    atRegistration,
    [
      [401, 'unknown', '', 'refused the API user: HTTP 401 during login', 'read-only access to Asset Management'],
      [403, 'unknown', '', 'refused the API user: HTTP 403 during login', 'read-only access to Asset Management'],
      [404, 'unknown', '', 'rejected the query', '"registration" answers'],
      [405, 'unknown', '', 'HTTP status 405', '"registration" answers'],
      [429, 'unknown', '', 'HTTP status 429 (too many requests)', '"registration" answers'],
      [302, 'unknown', '', 'HTTP status 302 (a redirect', '"registration" answers'],
      [500, 'unknown', '', 'HTTP status 500 (a server error)', '"registration" answers'],
      ['silent', 'unknown', '', 'did not answer (timeout)', '"registration" answers'],
      ['html', 'unknown', '', 'got a web page', '"registration" answers'],
      ['no-tls', 'unknown', '', 'did not answer (timeout)', '"registration" answers'],
    ],
  ],
  [
    'another agent, which is not needed',
    atPeer,
    ([401, 403, 404, 405, 429, 302, 500, 'silent', 'html', 'no-tls'] as const).map((fault) => {
      const sentence =
        typeof fault === 'number' ? `HTTP status ${String(fault)}` : fault === 'html' ? 'web page' : 'No result';
      return [fault, 'ok', '', sentence, ''] as const;
    }),
  ],
])('%s', (_, observe, rows) => {
  // Listeners of network/rest/json-exchange.ts: once connect
  test.each(rows)('that answers with %s is: %s, %s', async (fault, state, cause, sentence, remedy) => {
    const [seen, found, claim, steps] = await observe(fault);
    expect([seen, found]).toEqual([state, cause]);
    expect(claim).toContain(sentence);
    expect(steps).toContain(remedy);
    expect(claim.includes('sourceInterface')).toBe(sentence.includes('sourceInterface'));
  });
});

test.each([
  [401, 'refused the web service key', 'web service access key'],
  [403, 'is not permitted to read fortitokens (HTTP 403)', 'read access to the resources'],
] as const)('%i for one resource of FortiAuthenticator has the text of its status', async (status, claim, remedy) => {
  const row = await overApi(status, 'fortitokens');
  expect(row.slice(0, 2)).toEqual(['warning', DENIED]);
  expect(row[2]).toContain(claim);
  expect(row[3]).toContain(remedy);
});

test.each([
  ['timeout', 'unknown', UNREADABLE, 'a wrong community or password', 'UDP port 161'],
  ['rejected', 'unknown', UNREADABLE, 'SNMP does not answer correctly', 'UDP port 161'],
  ['no-route', 'unknown', '', 'SNMP does not answer', 'Make sure that this machine can reach'],
] as const)('SNMP as the only source, with %s', async (reason, state, cause, sentence, remedy) => {
  const unit = 'name: fac-1, snmp: { host: 10.0.0.5, communityEnv: SET_SECRET }';
  const [config] = (await configOf(`appliances: [{ ${unit} }]`)).appliances;
  const role = { kind: 'failed', appliance: 'fac-1', reason, message: 'No reply', durationMs: 5_000 } as const;
  const row = await rowOf('appliance', { appliances: config === undefined ? [] : [{ config, rest: null, role }] });
  expect(row.slice(0, 2)).toEqual([state, cause]);
  expect(row[2]).toContain(sentence);
  expect(row[3]).toContain(remedy);
});
