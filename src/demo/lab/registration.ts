import { fieldsOf, type Fields } from '../../core/fields.ts';
import { createIdentity } from './identity.ts';
import type { Identity } from './identity.ts';
import { createHttpsPeer } from './https-peer.ts';
import type { HttpFault, PeerReply, RecordedRequest } from './https-peer.ts';
import type { Place } from './listening.ts';

export interface RegisteredLicense {
  readonly licenseNumber: string;
  readonly licenseSKU?: string;
  readonly serialNumber?: string | null;
  readonly status?: string;
}

/** State that determines the service's answers. Every member can be changed while it runs. */
export interface RegistrationState {
  user: string;
  password: string;
  expiresIn: unknown;
  licenses: readonly RegisteredLicense[];
  /** Licence numbers in the details of a product, by serial; null: there is no list. */
  products: Readonly<Record<string, readonly string[] | null>>;
  /** Account that users of a whole organisation have to specify when they sign on. */
  organisation: number | null;
  /** HTTP status by licence number, for requests that the service refuses. */
  refused: Readonly<Record<string, number>>;
  /** Fields that replace those in the envelope of every answer except tokens: `{ status: -1, error: {…} }`. */
  envelope: Readonly<Record<string, unknown>>;
}

export interface RegistrationServiceOptions extends Place {
  /** @default a self-signed certificate for 127.0.0.1 */
  readonly identity?: Identity;
  readonly state?: Partial<RegistrationState>;
  /** Tokens issued by another service: in reality, sign-on and asset management are two hosts. @default its own */
  readonly tokens?: Set<string>;
}

/** Issues tokens and answers requests at the same address: `url` is also used as `authUrl`. */
export interface RegistrationService extends AsyncDisposable {
  readonly url: string;
  readonly identity: Identity;
  readonly state: RegistrationState;
  readonly requests: readonly RecordedRequest[];
  setFault(fault: HttpFault, prefix?: string): void;
  /** Tokens issued so far. Requests without one are refused. */
  readonly tokens: Set<string>;
  close(): Promise<void>;
}

export const TOKEN_PATH = '/api/v1/oauth/token/';
export const LICENSES_PATH = '/ES/api/registration/v3/licenses/list';
export const PRODUCTS_PATH = '/ES/api/registration/v3/products/details';

const DEFAULTS: RegistrationState = {
  user: 'api-user',
  password: 'api-password',
  expiresIn: 14_400,
  licenses: [],
  products: {},
  organisation: null,
  refused: {},
  envelope: {},
};

/** Starts FortiCloud's token endpoint and asset management API v3, over real TLS. */
export async function createRegistrationService(
  options: RegistrationServiceOptions = {},
): Promise<RegistrationService> {
  const state: RegistrationState = { ...DEFAULTS, ...options.state };
  const tokens = options.tokens ?? new Set<string>();
  const identity =
    options.identity ?? (await createIdentity({ name: 'CN=registration.example.test', ipAddresses: ['127.0.0.1'] }));
  const peer = await createHttpsPeer({
    identity,
    address: options.address,
    port: options.port,
    answer: (request) => answer(state, tokens, request),
  });
  return {
    url: peer.url,
    identity,
    state,
    requests: peer.requests,
    setFault: (fault, prefix) => {
      peer.setFault(fault, prefix);
    },
    tokens,
    close: () => peer.close(),
    [Symbol.asyncDispose]: () => peer.close(),
  };
}

function answer(state: RegistrationState, tokens: Set<string>, request: RecordedRequest): PeerReply {
  if (request.method !== 'POST' || !request.contentType.startsWith('application/json'))
    return { status: 405, body: '' };
  const body = fieldsOf(JSON.parse(request.body));
  if (request.path === TOKEN_PATH) return issue(state, tokens, body);
  if (!tokens.has((request.authorization ?? '').replace(/^Bearer /u, '')))
    return { status: 401, body: { message: 'invalid token' } };
  if (request.path === LICENSES_PATH) return list(state, body);
  if (request.path === PRODUCTS_PATH) return details(state, String(body['serialNumber']));
  return { status: 404, body: {} };
}

function list(state: RegistrationState, { licenseNumber, accountId }: Fields): PeerReply {
  const status = state.refused[String(licenseNumber)];
  if (status !== undefined) return { status, body: {} };
  if (state.organisation !== null && accountId !== state.organisation)
    return envelope(state, { status: -1, error: { errorCode: 301, message: 'accountId is required.' } });
  return envelope(state, { licenses: state.licenses.filter((license) => license.licenseNumber === licenseNumber) });
}

function issue(state: RegistrationState, tokens: Set<string>, body: Fields): PeerReply {
  if (body['client_id'] !== 'assetmanagement' || body['grant_type'] !== 'password')
    return { status: 400, body: { error: 'invalid_client', status: 'error' } };
  if (body['username'] !== state.user || body['password'] !== state.password) {
    const error = { error: 'invalid_grant', error_description: 'Invalid credentials given.' };
    return { status: 401, body: { ...error, status: 'error' } };
  }
  const token = crypto.randomUUID();
  tokens.add(token);
  return {
    status: 200,
    body: {
      access_token: token,
      expires_in: state.expiresIn,
      message: 'successfully authenticated',
      refresh_token: 'refresh',
      scope: 'read write',
      status: 'success',
      token_type: 'Bearer',
    },
  };
}

function envelope(state: RegistrationState, fields: Fields): PeerReply {
  const right = { build: '1.0.0', error: null, message: 'Request processed successfully', status: 0, version: '3.0' };
  return { status: 200, body: { ...right, ...fields, ...state.envelope } };
}

function details(state: RegistrationState, serialNumber: string): PeerReply {
  const license = state.products[serialNumber];
  if (license === undefined)
    return envelope(state, { status: -1, message: 'failed', error: { errorCode: 301, message: 'unknown product' } });
  const licenses = license?.map((licenseNumber) => ({ licenseNumber })) ?? null;
  return envelope(state, {
    assetDetails: { productModel: 'FortiAuthenticator', serialNumber, isDecommissioned: false, license: licenses },
  });
}
