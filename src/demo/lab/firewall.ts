import { createIdentity } from './identity.ts';
import type { Identity } from './identity.ts';
import { createHttpsPeer } from './https-peer.ts';
import type { HttpFault, PeerReply, RecordedRequest } from './https-peer.ts';
import type { Place } from './listening.ts';

type ReplyFields = Readonly<Record<string, unknown>>;

/** State that determines the firewall's answers. Every member can be changed while it runs. */
export interface FirewallState {
  token: string;
  /** The virtual domain that requests must specify. */
  vdom: string;
  /** Included in every answer. */
  serial: string;
  /** Outgoing interface of the route to every address; null: the token may not read routes. */
  route: string | null;
  /** Some firmware requires `srcintf`. */
  interfaceNeeded: boolean;
  /** The answer to every policy lookup; 0 is the implicit deny, and so is null, but without an id. */
  matches: number | null;
  policies: Readonly<Record<number, ReplyFields>>;
  profileGroups: Readonly<Record<string, ReplyFields>>;
  sslProfiles: Readonly<Record<string, ReplyFields>>;
  addresses: Readonly<Record<string, ReplyFields>>;
  addresses6: Readonly<Record<string, ReplyFields>>;
  wildcardFqdns: Readonly<Record<string, ReplyFields>>;
  /** Addresses to which its FQDN objects resolve; null: the token may not read them. */
  fqdnObjects: Readonly<Record<string, { readonly fqdn: string; readonly addrs: readonly string[] }>> | null;
  /** Older firmware answers with a map from names to objects. */
  fqdnsByName: boolean;
}

export interface FirewallOptions extends Place {
  /** @default a self-signed certificate for 127.0.0.1 */
  readonly identity?: Identity;
  readonly state?: Partial<FirewallState>;
}

export interface Firewall extends AsyncDisposable {
  readonly url: string;
  readonly identity: Identity;
  readonly state: FirewallState;
  readonly requests: readonly RecordedRequest[];
  setFault(fault: HttpFault, prefix?: string): void;
  close(): Promise<void>;
}

export const LOOKUP_PATH = '/api/v2/monitor/firewall/policy-lookup';
export const ROUTE_PATH = '/api/v2/monitor/router/lookup';
export const FQDNS_PATH = '/api/v2/monitor/firewall/address-fqdns';
const CMDB = '/api/v2/cmdb/';

/** A policy that allows all traffic and inspects none, as FortiOS 7 returns it. */
export const PLAIN_POLICY: ReplyFields = {
  policyid: 5,
  name: 'fac-to-internet',
  srcintf: [{ name: 'port2', q_origin_key: 'port2' }],
  dstintf: [{ name: 'wan1', q_origin_key: 'wan1' }],
  action: 'accept',
  status: 'enable',
  'utm-status': 'disable',
  'inspection-mode': 'flow',
  'profile-type': 'single',
  'profile-group': '',
  'ssl-ssh-profile': 'no-inspection',
  'av-profile': '',
  'webfilter-profile': '',
  'dnsfilter-profile': '',
  'ips-sensor': '',
  'application-list': '',
};

/** Returns an abbreviated ssl-ssh-profile of FortiOS 7. */
export function sslProfile(name: string, status: string, exempt: readonly ReplyFields[] = []): ReplyFields {
  return {
    name,
    ssl: { 'inspect-all': 'disable' },
    https: { ports: [443], status, 'client-certificate': 'bypass' },
    caname: 'Fortinet_CA_SSL',
    'untrusted-caname': 'Fortinet_CA_Untrusted',
    'ssl-exempt': exempt,
  };
}

/** Starts a FortiGate's REST API over real TLS. */
export async function createFirewall(options: FirewallOptions = {}): Promise<Firewall> {
  const state: FirewallState = {
    token: 'api-token',
    vdom: 'root',
    serial: 'FGVMEV0000000001',
    route: 'port2',
    interfaceNeeded: false,
    matches: 5,
    policies: { 5: PLAIN_POLICY },
    profileGroups: {},
    sslProfiles: {
      'no-inspection': sslProfile('no-inspection', 'disable'),
      'certificate-inspection': sslProfile('certificate-inspection', 'certificate-inspection'),
      'deep-inspection': sslProfile('deep-inspection', 'deep-inspection'),
    },
    addresses: {},
    addresses6: {},
    wildcardFqdns: {},
    fqdnObjects: {},
    fqdnsByName: false,
    ...options.state,
  };
  const identity =
    options.identity ?? (await createIdentity({ name: 'CN=firewall.example.test', ipAddresses: ['127.0.0.1'] }));
  const peer = await createHttpsPeer({
    identity,
    address: options.address,
    port: options.port,
    answer: (request) => withSerial(state, answer(state, request)),
  });
  return {
    url: peer.url,
    identity,
    state,
    requests: peer.requests,
    setFault: (fault, prefix) => {
      peer.setFault(fault, prefix);
    },
    close: () => peer.close(),
    [Symbol.asyncDispose]: () => peer.close(),
  };
}

/** Adds the fields that are part of every answer of FortiOS. */
function withSerial({ serial }: FirewallState, reply: PeerReply): PeerReply {
  const { body } = reply;
  return typeof body === 'object' && body !== null ? { ...reply, body: { ...body, serial } } : reply;
}

function answer(state: FirewallState, request: RecordedRequest): PeerReply {
  if (request.authorization !== `Bearer ${state.token}`) return { status: 401, body: {} };
  if (request.method !== 'GET') return { status: 405, body: {} };
  const url = new URL(request.path, 'https://firewall.invalid');
  const vdom = url.searchParams.get('vdom') ?? 'root';
  if (vdom !== state.vdom) return failure(404, vdom);
  const seen = monitored(state, url, vdom);
  if (seen !== null) return seen;
  const object = url.pathname.startsWith(CMDB) ? objectAt(state, url.pathname.slice(CMDB.length)) : undefined;
  if (object === undefined) return failure(404, vdom);
  return { status: 200, body: { http_method: 'GET', results: [object], vdom, status: 'success', http_status: 200 } };
}

function monitored(state: FirewallState, { pathname, searchParams }: URL, vdom: string): PeerReply | null {
  switch (pathname) {
    case LOOKUP_PATH:
      return lookup(state, searchParams, vdom);
    case ROUTE_PATH:
      return route(state, searchParams.get('destination') ?? '', vdom);
    case FQDNS_PATH:
      return fqdns(state, searchParams.get('mkey'), vdom);
    default:
      return null;
  }
}

/** Private addresses and loopback are inside; all others are behind the uplink. */
function route(state: FirewallState, destination: string, vdom: string): PeerReply {
  if (state.route === null) return failure(403, vdom);
  const isInside = /^(?:10|127)\./u.test(destination);
  const results = {
    success: true,
    network: '10.0.0.0/24',
    gateway: '0.0.0.0',
    interface: isInside ? state.route : 'wan1',
  };
  return { status: 200, body: { http_method: 'GET', results, vdom, status: 'success', http_status: 200 } };
}

/**
 * As a FortiGate 60F with 7.6 answers: the list contains the number of addresses, and a single object contains the
 * addresses.
 */
function fqdns({ fqdnObjects, fqdnsByName }: FirewallState, only: string | null, vdom: string): PeerReply {
  if (fqdnObjects === null) return failure(403, vdom);
  const chosen = Object.entries(fqdnObjects).filter(([name]) => only === null || name === only);
  const results = fqdnsByName
    ? Object.fromEntries(chosen)
    : chosen.map(([name, { fqdn, addrs }]) => {
        const found = only === null ? { addrs_count: addrs.length } : { addrs };
        return { name, fqdn, ...found, wildcard: false };
      });
  return { status: 200, body: { http_method: 'GET', results, vdom, status: 'success', http_status: 200 } };
}

/** TCP as public clients write it: never in capitals. */
const PROTOCOLS: readonly (string | null)[] = ['tcp', '6'];

function lookup(state: FirewallState, query: URLSearchParams, vdom: string): PeerReply {
  const needed = ['sourceip', 'dest', 'destport', 'ipv6', ...(state.interfaceNeeded ? ['srcintf'] : [])];
  const isComplete = needed.every((name) => (query.get(name) ?? '') !== '');
  if (!isComplete || !PROTOCOLS.includes(query.get('protocol'))) return failure(424, vdom);
  const results =
    state.matches === null
      ? { success: false }
      : { success: state.matches !== 0, policy_id: state.matches, policy_action: 'accept' };
  return { status: 200, body: { http_method: 'GET', results, vdom, status: 'success', http_status: 200 } };
}

function failure(status: number, vdom: string): PeerReply {
  return { status, body: { http_method: 'GET', http_status: status, status: 'error', vdom } };
}

function objectAt(state: FirewallState, path: string): ReplyFields | undefined {
  const parts = path.split('/');
  const name = decodeURIComponent(parts.at(2) ?? '');
  const tables: Readonly<Record<string, Readonly<Record<string, ReplyFields>>>> = {
    'firewall/policy': state.policies,
    'firewall/profile-group': state.profileGroups,
    'firewall/ssl-ssh-profile': state.sslProfiles,
    'firewall/address': state.addresses,
    'firewall/address6': state.addresses6,
    'firewall.wildcard-fqdn/custom': state.wildcardFqdns,
  };
  return tables[parts.slice(0, 2).join('/')]?.[name];
}
