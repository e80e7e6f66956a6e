import { createIdentity } from './identity.ts';
import type { Identity } from './identity.ts';
import { systemClock } from '../../system/clock.ts';
import { createHttpsPeer } from './https-peer.ts';
import type { Place } from './listening.ts';
import type { HttpFault, PeerReply, RecordedRequest } from './https-peer.ts';

/** A number of tokens of one kind. Serial numbers are made up. */
export interface TokenGroup {
  readonly count: number;
  readonly status: string;
  /** If undefined, the field is left out, as in the documentation's sample; null: the field is null. */
  readonly license?: string | null;
  /** @default ftm */
  readonly type?: 'ftm' | 'ftk';
  readonly locked?: boolean;
}

/** State that determines the appliance's answers. Every member can be changed while it runs. */
export interface FortiAuthenticatorState {
  user: string;
  key: string;
  serial: string;
  /** '' for a standalone unit. */
  peerSerial: string;
  firmware: string;
  /** In KB, as in `memory_usage_detail`. */
  memoryTotal: number;
  /** Its clock minus the real clock, in ms. */
  clockOffset: number;
  licensed: Readonly<Record<string, unknown>>;
  tokens: readonly TokenGroup[];
  provisioning: Readonly<Record<string, unknown>>;
  smtpServers: readonly Readonly<Record<string, unknown>>[];
  sms: Readonly<Record<string, unknown>>;
  /** Users by resource: `localusers`, `ldapusers`, `radiususers`. */
  users: Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;
  /** Maximum size of a page, whatever the client requests. */
  maxPage: number;
  /** Replaces `meta.next` of every page. */
  next: string | null;
}

export interface FortiAuthenticatorOptions extends Place {
  /** @default self-signed and without a name, as appliances are shipped */
  readonly identity?: Identity;
  readonly state?: Partial<FortiAuthenticatorState>;
  /** The correct time for its clock. Null: its answers have no date. @default the real time */
  readonly now?: (() => number) | null;
}

export interface FortiAuthenticator extends AsyncDisposable {
  readonly url: string;
  readonly identity: Identity;
  readonly state: FortiAuthenticatorState;
  readonly requests: readonly RecordedRequest[];
  setFault(fault: HttpFault, resource?: string): void;
  close(): Promise<void>;
}

const DEFAULTS: FortiAuthenticatorState = {
  user: 'monitor',
  key: 'web-service-key',
  serial: 'FAC-VM0000000001',
  peerSerial: '',
  firmware: 'FACVMKVM v8.0.3, build0099 (GA)',
  memoryTotal: 4_032_452,
  clockOffset: 0,
  licensed: { available_ftm: 30, total_ftm: 32, used_ftm: 2 },
  tokens: [
    { count: 28, status: 'available', license: 'EFTM000000000001' },
    { count: 2, status: 'assigned', license: 'EFTM000000000001' },
    { count: 2, status: 'available', license: 'FTMTRIAL00000001' },
  ],
  provisioning: {
    server_address: 'fortitokenmobile.fortinet.com',
    server_port: 443,
    act_timeout: 24,
    token_size: 6,
    token_algo: 'totp',
    time_step: 30,
    require_pin: false,
    pin_length: 4,
  },
  smtpServers: [
    {
      name: 'office',
      address: 'mail.example.test',
      port: 587,
      sender_name: 'FAC',
      sender_email: 'fac@example.test',
      secure: 'starttls',
      authentication: true,
      authentication_name: 'fac',
      authentication_password: 'smtp-password',
      default: true,
      resource_uri: '/api/v1/smtpservers/2/',
    },
  ],
  sms: { available_sms: 90, total_sms: 100, used_sms: 10 },
  users: { localusers: [], ldapusers: [], radiususers: [] },
  maxPage: 1000,
  next: null,
};

/**
 * Starts a FortiAuthenticator's REST API over real TLS, with responses as in its documentation and from a real unit
 * with 8.0.3.
 */
export async function createFortiAuthenticator(options: FortiAuthenticatorOptions = {}): Promise<FortiAuthenticator> {
  const state: FortiAuthenticatorState = { ...DEFAULTS, ...options.state };
  const identity =
    options.identity ??
    (await createIdentity({ name: 'C=US, O=Fortinet, OU=FortiAuthenticator, CN=Default-Server-Certificate' }));
  const peer = await createHttpsPeer({
    identity,
    address: options.address,
    port: options.port,
    answer: (request) => {
      const reply = answer(state, request);
      const { now = () => systemClock.now() } = options;
      if (now === null) return reply;
      const date = new Date(now() + state.clockOffset).toUTCString();
      return { ...reply, headers: { ...reply.headers, date } };
    },
  });
  return {
    url: peer.url,
    identity,
    state,
    requests: peer.requests,
    setFault: (fault, resource) => {
      peer.setFault(fault, resource === undefined ? '' : `/api/v1/${resource}/`);
    },
    close: () => peer.close(),
    [Symbol.asyncDispose]: () => peer.close(),
  };
}

function answer(state: FortiAuthenticatorState, request: RecordedRequest): PeerReply {
  const expected = `Basic ${Buffer.from(`${state.user}:${state.key}`).toString('base64')}`;
  if (request.authorization !== expected)
    return { status: 401, headers: { 'www-authenticate': 'Basic Realm="django-tastypie"' }, body: '' };
  // The API has other methods, but the product never uses them.
  if (request.method !== 'GET') return { status: 405, body: { error: 'method not allowed' } };
  const url = new URL(request.path, 'https://fac.invalid');
  if (!url.pathname.endsWith('/'))
    return { status: 301, headers: { location: `${url.pathname}/${url.search}` }, body: '' };
  switch (url.pathname) {
    case '/api/v1/systeminfo/':
      return { status: 200, body: systemInfo(state) };
    case '/api/v1/fortitokenmobilelicenses/':
      return { status: 200, body: state.licensed };
    case '/api/v1/fortitokenmobileprovisioning/':
      return { status: 200, body: state.provisioning };
    case '/api/v1/smtpservers/':
      return {
        status: 200,
        body: collection(state.smtpServers.length, state.smtpServers, { limit: 20, offset: 0, next: null }),
      };
    case '/api/v1/fortiguardmessages/':
      return { status: 200, body: state.sms };
    case '/api/v1/fortitokens/':
      return tokenPage(state, url);
    case '/api/v1/localusers/':
    case '/api/v1/ldapusers/':
    case '/api/v1/radiususers/':
      return userPage(state, url);
    default:
      return { status: 404, body: '' };
  }
}

function systemInfo(state: FortiAuthenticatorState): unknown {
  const populated = state.tokens.reduce((sum, group) => sum + group.count, 0);
  return {
    cpu: '0%',
    memory: '64%',
    disk: '0%',
    memory_usage_detail: {
      available: '1427344.0 KB',
      total: `${String(state.memoryTotal)}.0 KB`,
      used: '2605108.0 KB',
    },
    disk_usage_detail: { total: '59768832.0 KB', used: '0.0 KB' },
    users_usage_detail: { max: 5, used: 2 },
    ftk_usage_detail: { populated: 0, used: 0 },
    ftm_usage_detail: { populated, used: 0 },
    ha_sn: state.peerSerial,
    sn: state.serial,
    firmware: state.firmware,
  };
}

const FILTERS: readonly string[] = ['limit', 'offset', 'format', 'type', 'status', 'license', 'serial'];

function tokenPage(state: FortiAuthenticatorState, { pathname, searchParams: query }: URL): PeerReply {
  const foreign = [...query.keys()].find((name) => !FILTERS.includes(name));
  if (foreign !== undefined)
    return { status: 400, body: { error: `The '${foreign}' field does not allow filtering.` } };
  const groups = state.tokens.filter(
    (group) => query.get('type') === null || (group.type ?? 'ftm') === query.get('type'),
  );
  const total = groups.reduce((sum, group) => sum + group.count, 0);
  const limit = Math.min(Number(query.get('limit') ?? 20), state.maxPage);
  const offset = Number(query.get('offset') ?? 0);
  const size = Math.max(0, Math.min(limit, total - offset));
  const objects = Array.from({ length: size }, (_, index) => tokenAt(groups, offset + index));
  // A path without a host, with the other parameters kept.
  const following = new URLSearchParams(query);
  following.set('limit', String(limit));
  following.set('offset', String(offset + limit));
  const next = offset + size < total ? (state.next ?? `${pathname}?${following.toString()}`) : null;
  return { status: 200, body: collection(total, objects, { limit, offset, next }) };
}

function userPage(state: FortiAuthenticatorState, { pathname, searchParams: query }: URL): PeerReply {
  const users = state.users[pathname.split('/')[3] ?? ''] ?? [];
  const limit = Math.min(Number(query.get('limit') ?? 20), state.maxPage);
  const offset = Number(query.get('offset') ?? 0);
  const left = users.length - offset - limit;
  const next = left > 0 ? `${pathname}?limit=${String(limit)}&offset=${String(offset + limit)}` : null;
  return { status: 200, body: collection(users.length, users.slice(offset, offset + limit), { limit, offset, next }) };
}

function tokenAt(groups: readonly TokenGroup[], index: number): unknown {
  let start = 0;
  for (const group of groups) {
    if (index < start + group.count) {
      const type = group.type ?? 'ftm';
      return {
        resource_uri: `/api/v1/fortitokens/${String(index + 1)}/`,
        serial: `${type === 'ftm' ? 'FTKMOB' : 'FTK200'}${index.toString(16).toUpperCase().padStart(10, '0')}`,
        type,
        status: group.status,
        locked: group.locked ?? false,
        ...(group.license === undefined ? {} : { license: group.license }),
        last_used_at: null,
      };
    }
    start += group.count;
  }
  throw new RangeError(`Cannot make token ${String(index)}: expected an index below ${String(start)}`);
}

function collection(
  total: number,
  objects: readonly unknown[],
  page: { readonly limit: number; readonly offset: number; readonly next: string | null },
): unknown {
  return { meta: { ...page, previous: null, total_count: total }, objects };
}
