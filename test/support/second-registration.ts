import type { Answer, SecondServer, SeenRequest } from './second-server.ts';
import { createSecondServer } from './second-server.ts';

export interface SecondLicense {
  readonly licenseNumber: string;
  readonly licenseSKU?: string;
  readonly serialNumber: string | null;
  readonly status: 'Registered' | 'Pending';
}

/**
 * FortiCloud's sign-on and asset management, two hosts as in reality, written a second time from their documentation
 * alone.
 */
export interface SecondRegistration extends AsyncDisposable {
  readonly auth: SecondServer;
  readonly api: SecondServer;
  readonly user: string;
  readonly password: string;
  /** null: the field is null, as `assets` may be. */
  licenses: readonly SecondLicense[] | null;
  /** Who signs on for a whole organisation has to name the account. */
  organisation: number | null;
  /** How the API answers instead. */
  override: Answer | null;
  /** Of a token, in seconds; the service names it. */
  expiresIn: number;
}

export async function createSecondRegistration(): Promise<SecondRegistration> {
  await using stack = new AsyncDisposableStack();
  const issued = new Map<string, number>();
  const state = {
    user: '5E8C1B7E-3D0A-4B6B-9F39-0C7A1D1E2F3A',
    password: 'c0ffee!1Aa',
    licenses: [
      {
        licenseNumber: 'EFTM010130823929',
        licenseSKU: 'FTM-ELIC-5',
        serialNumber: 'FAC-VM0000000000',
        status: 'Registered',
      },
    ] satisfies readonly SecondLicense[] as readonly SecondLicense[] | null,
    organisation: null as number | null,
    override: null as Answer | null,
    expiresIn: 14_400,
  };
  const auth = stack.use(await createSecondServer((request) => signOn(request, state, issued)));
  const api = stack.use(
    await createSecondServer((request) => {
      const until = issued.get(request.authorization.replace(/^Bearer /u, ''));
      if (until === undefined || until < performance.now()) return { status: 401, body: { message: 'Invalid token' } };
      return state.override ?? apiAnswer(request, state);
    }),
  );
  const owned = stack.move();
  return Object.assign(state, { auth, api, [Symbol.asyncDispose]: () => owned.disposeAsync() });
}

type State = Pick<SecondRegistration, 'user' | 'password' | 'licenses' | 'organisation' | 'expiresIn'>;
type Body = Readonly<Record<string, unknown>>;

function signOn(request: SeenRequest, state: State, issued: Map<string, number>): Answer {
  if (request.url.pathname !== '/api/v1/oauth/token/') return { status: 404, body: 'Not Found' };
  if (request.method !== 'POST' || !request.contentType.startsWith('application/json'))
    return { status: 405, body: '' };
  const { username, password, client_id: client, grant_type: grant } = JSON.parse(request.body) as Body;
  if (client !== 'assetmanagement' || grant !== 'password')
    return { status: 400, body: { error: 'invalid_client', status: 'error' } };
  if (username !== state.user || password !== state.password) {
    return {
      status: 401,
      body: { error: 'invalid_grant', error_description: 'Invalid credentials given.', status: 'error' },
    };
  }
  const token = `token-${String(issued.size + 1)}`;
  issued.set(token, performance.now() + state.expiresIn * 1000);
  return {
    status: 200,
    body: {
      access_token: token,
      expires_in: state.expiresIn,
      message: 'successfully authenticated',
      refresh_token: `refresh-${token}`,
      scope: 'read write',
      status: 'success',
      token_type: 'Bearer',
    },
  };
}

const ENVELOPE = { build: '1.0.0', error: null, message: 'Request processed successfully', status: 0, version: '3.0' };

function apiAnswer(request: SeenRequest, { licenses, organisation }: State): Answer {
  if (request.method !== 'POST') return { status: 405, body: '' };
  const body = JSON.parse(request.body) as Body;
  if (organisation !== null && body['accountId'] !== organisation)
    return { status: 200, body: refusal(301, 'accountId is required.') };
  switch (request.url.pathname) {
    case '/ES/api/registration/v3/licenses/list': {
      const { licenseNumber, status } = body;
      const found = licenses?.filter(
        (license) => license.licenseNumber === licenseNumber && (status === undefined || license.status === status),
      );
      return { status: 200, body: { ...ENVELOPE, licenses: found ?? null } };
    }
    case '/ES/api/registration/v3/products/details':
      return { status: 200, body: { ...ENVELOPE, assetDetails: productOf(String(body['serialNumber'])) } };
    case '/ES/api/registration/v3/products/list':
      return { status: 200, body: { ...ENVELOPE, assets: null, pageNumber: 1, totalPages: 0 } };
    default:
      return { status: 404, body: '' };
  }
}

function productOf(serialNumber: string): Body {
  return {
    productModel: 'FortiAuthenticator VM',
    serialNumber,
    isDecommissioned: false,
    registrationDate: '2024-03-01T00:00:00',
    contracts: [],
    entitlements: [],
    license: null,
    licenseKeys: null,
  };
}

function refusal(errorCode: number, message: string): Body {
  return { build: '1.0.0', error: { errorCode, message }, message, status: -1, version: '3.0' };
}
