import type { Answer, SecondServer, SeenRequest } from './second-server.ts';
import { createSecondServer } from './second-server.ts';

/** As `/fortitokens/` tells it. */
export interface SecondToken {
  readonly serial: string;
  readonly type: 'ftm' | 'ftk';
  readonly status: 'new' | 'available' | 'pending' | 'assigned';
  readonly license?: string | null;
}

/**
 * FortiAuthenticator's REST API, written a second time from Fortinet's documentation and one live answer of 8.0.3
 * alone: Django's Tastypie behind a path with a slash at its end, numbers as texts with units, and every field that the
 * sample has.
 */
export interface SecondFortiAuthenticator extends SecondServer {
  readonly user: string;
  readonly key: string;
  /** What a resource answers instead of what it would; by its name. */
  readonly overrides: Map<string, Answer>;
  tokens: readonly SecondToken[];
  peerSerial: string;
}

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 1000;

export async function createSecondFortiAuthenticator(): Promise<SecondFortiAuthenticator> {
  const login = { user: 'monitor', key: 'kKfY6s3yWb0Hn5fTtLw0c1mQ4m7Zr2eXv8aUo9dP' };
  const expected = `Basic ${Buffer.from(`${login.user}:${login.key}`).toString('base64')}`;
  const state = {
    ...login,
    overrides: new Map<string, Answer>(),
    tokens: [
      { serial: 'FTKMOB44142CCBF3', type: 'ftm', status: 'available', license: 'EFTM010130823929' },
      { serial: 'FTKMOB44142CCBF4', type: 'ftm', status: 'assigned', license: 'EFTM010130823929' },
      { serial: 'FTK200EXAMPLE001', type: 'ftk', status: 'assigned', license: null },
    ] satisfies readonly SecondToken[] as readonly SecondToken[],
    peerSerial: '',
  };
  const server = await createSecondServer((request) => {
    const [, , , resource = '', rest] = request.url.pathname.split('/');
    if (rest === undefined)
      return { status: 301, body: '', headers: { location: `${request.url.pathname}/${request.url.search}` } };
    if (request.authorization !== expected)
      return { status: 401, body: '', headers: { 'www-authenticate': 'Basic Realm="django-tastypie"' } };
    if (request.method !== 'GET') return { status: 405, body: '' };
    return state.overrides.get(resource) ?? answerOf(resource, request, state);
  });
  return Object.assign(state, server);
}

type State = Pick<SecondFortiAuthenticator, 'tokens' | 'peerSerial'>;

function answerOf(resource: string, request: SeenRequest, { tokens, peerSerial }: State): Answer {
  const mobile = tokens.filter(({ type }) => type === 'ftm');
  const used = mobile.filter(({ status }) => status === 'assigned' || status === 'pending').length;
  switch (resource) {
    case 'systeminfo':
      return { status: 200, body: systemInfo(peerSerial, mobile.length, used) };
    case 'fortitokenmobilelicenses':
      return { status: 200, body: { available_ftm: mobile.length - used, total_ftm: mobile.length, used_ftm: used } };
    case 'fortitokenmobileprovisioning':
      return {
        status: 200,
        body: {
          act_timeout: 24,
          server_address: 'fortitokenmobile.fortinet.com',
          server_port: 443,
          token_algo: 'totp',
          token_size: 6,
        },
      };
    case 'smtpservers':
      return { status: 200, body: page(request.url, [{ ...SMTP_SERVER, resource_uri: '/api/v1/smtpservers/2/' }]) };
    case 'fortitokens':
      return tokenPage(request.url, tokens);
    default:
      return { status: 404, body: '' };
  }
}

const SMTP_SERVER = {
  name: 'office',
  address: 'mail.example.test',
  port: 587,
  sender_name: '',
  sender_email: 'fac@example.test',
  secure: 'starttls',
  authentication: true,
  authentication_name: 'fac',
  authentication_password: 'a-password-of-the-mail-server',
  default: true,
};

function systemInfo(peerSerial: string, populated: number, used: number): unknown {
  return {
    cpu: '0%',
    memory: '64%',
    disk: '0%',
    memory_usage_detail: { available: '1427344.0 KB', total: '4032452.0 KB', used: '2605108.0 KB' },
    disk_usage_detail: { total: '59768832.0 KB', used: '0.0 KB' },
    users_usage_detail: { max: 5, used: 2 },
    ftk_usage_detail: { populated: 0, used: 0 },
    ftm_usage_detail: { populated, used },
    ha_sn: peerSerial,
    sn: 'FAC-VM0000000000',
    firmware: 'FACVMKVM v8.0.3, build0099 (GA)',
  };
}

const FILTERS: readonly string[] = ['limit', 'offset', 'format', 'type', 'status', 'license', 'serial'];

function tokenPage(url: URL, tokens: readonly SecondToken[]): Answer {
  const foreign = [...url.searchParams.keys()].find((name) => !FILTERS.includes(name));
  if (foreign !== undefined)
    return { status: 400, body: { error: `The '${foreign}' field does not allow filtering.` } };
  const matching = tokens.filter((token) =>
    (['type', 'status', 'license', 'serial'] as const).every(
      (name) => (url.searchParams.get(name) ?? token[name]) === token[name],
    ),
  );
  const rows = matching.map((token, index) => ({
    ...token,
    locked: false,
    last_used_at: null,
    resource_uri: `/api/v1/fortitokens/${String(index + 1)}/`,
  }));
  return { status: 200, body: page(url, rows) };
}

/** Tastypie's: `next` is a path without a host, with the other parameters kept. */
function page(url: URL, rows: readonly unknown[]): unknown {
  const asked = Number(url.searchParams.get('limit') ?? DEFAULT_LIMIT);
  const limit = asked === 0 ? MAX_LIMIT : Math.min(asked, MAX_LIMIT);
  const offset = Number(url.searchParams.get('offset') ?? 0);
  const at = (start: number): string => {
    const query = new URLSearchParams(url.search);
    query.set('limit', String(limit));
    query.set('offset', String(start));
    return `${url.pathname}?${query.toString()}`;
  };
  return {
    meta: {
      limit,
      next: offset + limit < rows.length ? at(offset + limit) : null,
      offset,
      previous: offset === 0 ? null : at(Math.max(0, offset - limit)),
      total_count: rows.length,
    },
    objects: rows.slice(offset, offset + limit),
  };
}
