import type { Answer, SecondServer, SeenRequest } from './second-server.ts';
import { createSecondServer } from './second-server.ts';

type Row = Readonly<Record<string, unknown>>;

/** FortiOS's REST API, written a second time from its documentation alone: a FortiGate of version 7.4 with one VDOM. */
export interface SecondFirewall extends SecondServer {
  readonly token: string;
  /** What the lookup finds; null: the implicit deny. */
  match: number | null;
  /** Some versions want `srcintf`. */
  interfaceNeeded: boolean;
  readonly policies: Map<string, Row>;
  readonly profiles: Map<string, Row>;
}

export async function createSecondFirewall(): Promise<SecondFirewall> {
  const state = {
    token: 'hbbk3mgr6fjHtNxm8mcp5n8Gnf9dq0',
    match: 5 as number | null,
    interfaceNeeded: false,
    policies: new Map<string, Row>([['5', POLICY]]),
    profiles: new Map<string, Row>([
      ['no-inspection', profile('no-inspection', 'disable')],
      ['certificate-inspection', profile('certificate-inspection', 'certificate-inspection')],
      ['custom-deep-inspection', profile('custom-deep-inspection', 'deep-inspection')],
    ]),
  };
  const server = await createSecondServer((request) => {
    if (request.authorization !== `Bearer ${state.token}`) return { status: 401, body: '' };
    if (request.method !== 'GET') return { status: 403, body: failure(403) };
    if ((request.url.searchParams.get('vdom') ?? 'root') !== 'root') return { status: 404, body: failure(404) };
    return answerOf(request, state);
  });
  return Object.assign(state, server);
}

const POLICY: Row = {
  policyid: 5,
  q_origin_key: 5,
  status: 'enable',
  name: 'FAC to Internet',
  srcintf: [{ name: 'port2', q_origin_key: 'port2' }],
  dstintf: [{ name: 'port1', q_origin_key: 'port1' }],
  action: 'accept',
  'utm-status': 'disable',
  'inspection-mode': 'flow',
  'ssl-ssh-profile': 'no-inspection',
  'profile-type': 'single',
  'profile-group': '',
  'av-profile': '',
  'webfilter-profile': '',
  'dnsfilter-profile': '',
  'ips-sensor': '',
  'application-list': '',
};

/** A profile as the configuration database has it, without the protocols other than HTTPS. */
function profile(name: string, https: string): Row {
  return {
    name,
    q_origin_key: name,
    https: { ports: [443], status: https },
    ssl: { 'inspect-all': 'disable' },
    caname: 'Fortinet_CA_SSL',
    'untrusted-caname': 'Fortinet_CA_Untrusted',
    'ssl-exempt': [
      {
        id: 1,
        q_origin_key: 1,
        type: 'fortiguard-category',
        'fortiguard-category': 31,
        address: '',
        'wildcard-fqdn': '',
      },
    ],
  };
}

type State = Pick<SecondFirewall, 'match' | 'interfaceNeeded' | 'policies' | 'profiles'>;

function answerOf({ url }: SeenRequest, state: State): Answer {
  const [root = '', kind = '', table = '', name = '', key = ''] = url.pathname.split('/').slice(2);
  const path = [root, kind, table, name].join('/');
  if (path === 'v2/monitor/firewall/policy-lookup') return lookUp(url.searchParams, state);
  if (path === 'v2/cmdb/firewall/policy') return entry('policy', key, state.policies);
  if (path === 'v2/cmdb/firewall/ssl-ssh-profile')
    return entry('ssl-ssh-profile', decodeURIComponent(key), state.profiles);
  return { status: 404, body: failure(404) };
}

function lookUp(query: URLSearchParams, { match, interfaceNeeded }: State): Answer {
  const needed = ['sourceip', 'protocol', 'dest', ...(interfaceNeeded ? ['srcintf'] : [])];
  if (needed.some((name) => (query.get(name) ?? '') === '')) return { status: 424, body: failure(424) };
  if (!['TCP', '6'].includes(query.get('protocol') ?? '')) return { status: 424, body: failure(424) };
  if (query.get('destport') === null) return { status: 424, body: failure(424) };
  const results = match === null ? { success: false } : { success: true, policy_id: match, policy_action: 'accept' };
  return {
    status: 200,
    body: { http_method: 'GET', ...ENVELOPE, results, path: 'firewall', name: 'policy-lookup', action: 'select' },
  };
}

function entry(name: string, mkey: string, table: ReadonlyMap<string, Row>): Answer {
  const row = table.get(mkey);
  if (row === undefined) return { status: 404, body: failure(404) };
  return {
    status: 200,
    body: { http_method: 'GET', revision: '1', ...ENVELOPE, results: [row], path: 'firewall', name, mkey },
  };
}

const ENVELOPE = {
  vdom: 'root',
  status: 'success',
  http_status: 200,
  serial: 'FGVMEV0000000000',
  version: 'v7.4.3',
  build: 2573,
};

function failure(httpStatus: number): Row {
  return { http_method: 'GET', ...ENVELOPE, status: 'error', http_status: httpStatus };
}
