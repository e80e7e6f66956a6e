import { createIdentity } from '../support/authority.ts';
import type { Identity } from '../support/authority.ts';
import { createHttpsPeer } from './https-peer.ts';
import type { HttpFault, PeerReply, RecordedRequest } from './https-peer.ts';

export interface RegisteredLicense {
  readonly licenseNumber: string;
  readonly licenseSKU?: string;
  readonly serialNumber?: string;
  readonly status?: string;
}

/** What the service answers with; every member may be changed while it runs. */
export interface RegistrationState {
  user: string;
  password: string;
  expiresIn: unknown;
  licenses: readonly RegisteredLicense[];
  /** Licence numbers that the details of a product show, by serial. */
  products: Readonly<Record<string, readonly string[]>>;
  /** HTTP status by licence number: what the service does not want to be asked. */
  refused: Readonly<Record<string, number>>;
  /** Fields over the envelope of every answer that is no token: `{ status: -1, error: {…} }`. */
  envelope: Readonly<Record<string, unknown>>;
}

export interface RegistrationServiceOptions {
  /** @default a certificate for 127.0.0.1 that it signed itself */
  readonly identity?: Identity;
  readonly address?: string;
  readonly port?: number;
  readonly state?: Partial<RegistrationState>;
}

/** Tokens and questions at one address: `url` serves as `authUrl` too. */
export interface RegistrationService extends AsyncDisposable {
  readonly url: string;
  readonly identity: Identity;
  readonly state: RegistrationState;
  readonly requests: readonly RecordedRequest[];
  setFault(fault: HttpFault, prefix?: string): void;
  /** Tokens given out so far are refused from now on. */
  revokeTokens(): void;
  close(): Promise<void>;
}

export const TOKEN_PATH = '/api/v1/oauth/token/';
export const LICENSES_PATH = '/ES/api/registration/v3/licenses/list';
export const PRODUCTS_PATH = '/ES/api/registration/v3/products/details';

/** FortiCloud's token endpoint and its asset management v3, over real TLS. */
export async function createRegistrationService(
  options: RegistrationServiceOptions = {},
): Promise<RegistrationService> {
  const state: RegistrationState = {
    user: 'api-user',
    password: 'api-password',
    expiresIn: 14_400,
    licenses: [],
    products: {},
    refused: {},
    envelope: {},
    ...options.state,
  };
  const tokens = new Set<string>();
  const identity =
    options.identity ?? (await createIdentity({ name: 'CN=registration.example.test', ipAddresses: ['127.0.0.1'] }));
  let issued = 0;

  function answer(request: RecordedRequest): PeerReply {
    if (request.method !== 'POST') return { status: 405, body: {} };
    const body = objectIn(request.body);
    if (request.path === TOKEN_PATH) return issue(body);
    if (!tokens.has((request.authorization ?? '').replace(/^Bearer /u, '')))
      return { status: 401, body: { message: 'invalid token' } };
    if (request.path === LICENSES_PATH) {
      const status = state.refused[String(body['licenseNumber'])];
      if (status !== undefined) return { status, body: {} };
      return envelope({
        licenses: state.licenses.filter((license) => license.licenseNumber === body['licenseNumber']),
      });
    }
    if (request.path === PRODUCTS_PATH) return details(String(body['serialNumber']));
    return { status: 404, body: {} };
  }

  function issue(body: Readonly<Record<string, unknown>>): PeerReply {
    const accepted =
      body['username'] === state.user &&
      body['password'] === state.password &&
      body['client_id'] === 'assetmanagement' &&
      body['grant_type'] === 'password';
    if (!accepted) return { status: 401, body: { status: 'error', message: 'invalid credentials' } };
    issued += 1;
    const token = `token-${String(issued)}`;
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

  function envelope(fields: Readonly<Record<string, unknown>>): PeerReply {
    const right = { build: '1.0.0', error: null, message: 'Request processed successfully', status: 0, version: '3.0' };
    return { status: 200, body: { ...right, ...fields, ...state.envelope } };
  }

  function details(serialNumber: string): PeerReply {
    const license = state.products[serialNumber];
    if (license === undefined)
      return envelope({ status: -1, message: 'failed', error: { errorCode: 301, message: 'unknown product' } });
    const licenses = license.map((licenseNumber) => ({ licenseNumber }));
    return envelope({
      assetDetails: { productModel: 'FortiAuthenticator', serialNumber, isDecommissioned: false, license: licenses },
    });
  }

  const peer = await createHttpsPeer({
    identity,
    ...(options.address === undefined ? {} : { address: options.address }),
    ...(options.port === undefined ? {} : { port: options.port }),
    answer,
  });
  return {
    url: peer.url,
    identity,
    state,
    requests: peer.requests,
    setFault: (fault, prefix) => {
      peer.setFault(fault, prefix);
    },
    revokeTokens: () => {
      tokens.clear();
    },
    close: () => peer.close(),
    [Symbol.asyncDispose]: () => peer.close(),
  };
}

function objectIn(text: string): Readonly<Record<string, unknown>> {
  return JSON.parse(text) as Readonly<Record<string, unknown>>;
}
