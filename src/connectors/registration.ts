import {
  type RegistrationObservation,
  afterLook,
  nextLook,
  observationOf,
  openLicenses,
  queuedIn,
  type RegistrationMemory,
  type LicenseLookup,
  type LicenseOutcome,
} from '../core/license/registration.ts';
import {
  parseLicenseRecords,
  productHoldsLicense,
  serviceError,
  type LicenseRecord,
  parseAccessToken,
  tokenError,
} from './registration-replies.ts';
import type { RegistrationConfig } from '../config/schema/watched.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import { discardIfStalled } from '../system/stall-monitor.ts';
import { Runner, type RunnerOptions } from '../system/runner.ts';
import type { UnitObservation } from './picture.ts';
import { type BudgetStore, parseBudget, createMeteredCall, type CallResult, type MeteredCall } from './metered-call.ts';
import { licensesOf } from '../core/license/appliance.ts';
import { unitOf } from '../core/license/cluster.ts';
import type { Failure } from '../core/observation.ts';
import {
  type ConnectorContext,
  createVerifiedAgent,
  exchangeJson,
  failed,
  httpsOrigin,
  type JsonReply,
  secretOf,
} from '../network/rest/json-exchange.ts';
import { createSecretFilter } from '../core/visible-text.ts';

interface RegistrationWatchOptions extends Omit<ConnectorContext, 'signal'>, Omit<RunnerOptions, 'run'> {
  readonly period: Millis;
  readonly budget: BudgetStore;
  /** Resolves once the appliances have been queried. The observations contain the licences to look up. */
  readonly appliances: () => Promise<readonly UnitObservation[]>;
  readonly onSeen: (facts: RegistrationObservation) => void;
}

export interface RegistrationWatch {
  start(): void;
  stop(): Promise<void>;
  /** Call this function when an appliance may have a new licence. */
  appliancesChanged(): void;
}

/**
 * The number of intervals for which an old response remains in use if newer queries fail. Licences are rarely
 * transferred.
 */
const KEPT_TIMES = 2;

/**
 * Time between two checks if there are more licences than one check looks up. This uses less than a third of the
 * service's quotas, which all users of the account share.
 */
const QUEUE_PAUSE: Millis = 10 * 60_000;

/**
 * New licences, licences without a response, and queued licences are looked up before the next interval if the quotas
 * allow this.
 */
export function watchRegistration(
  registration: RegistrationConfig,
  options: RegistrationWatchOptions,
): RegistrationWatch {
  const { clock, env, ownTurn, budget } = options;
  let known: RegistrationMemory = new Map();
  /** Null before the first run. */
  let queriedLicenses: ReadonlySet<string> | null = null;
  /** `open`: only new licences, those without a response, and those in `queue`. */
  let scope: 'all' | 'open' = 'all';
  let queue: readonly string[] = [];
  let cancelNext: () => void = () => undefined;

  async function look(signal: AbortSignal): Promise<void> {
    cancelNext();
    const own = scope;
    scope = 'all';
    const query = registrationQuery(await options.appliances());
    const open = [...unasked(query.licenses), ...among([...queue, ...openLicenses(known)], query.licenses)];
    const asked = own === 'all' ? query.licenses : [...new Set(open)];
    const answer = await discardIfStalled(
      clock,
      observeRegistration(registration, { ...query, licenses: asked }, budget, { clock, env, ownTurn, signal }),
    );
    if (signal.aborted) return;
    if (answer === null || isOwnTrouble(answer.seen)) {
      scope = own;
      runner.trigger();
      return;
    }
    known = afterLook(
      known,
      { wanted: query.licenses, asked, seen: answer.seen, at: clock.now() },
      KEPT_TIMES * options.period,
    );
    queriedLicenses = new Set([...among([...(queriedLicenses ?? [])], query.licenses), ...asked]);
    queue = queuedIn(answer.seen);
    options.onSeen(observationOf(known, answer.seen));
    const retry = await timeOfNext(known, budget, clock.now());
    const at = queue.length === 0 ? retry : Math.max(retry ?? 0, clock.now() + QUEUE_PAUSE);
    if (at === null) return;
    cancelNext = clock.after(Math.max(0, at - clock.now()), () => {
      scope = 'open';
      runner.trigger();
    });
  }

  function unasked(licenses: readonly string[]): readonly string[] {
    return licenses.filter((license) => queriedLicenses?.has(license) === false);
  }

  /** A licence that the service rejects is looked up again on schedule. */
  async function askForNew(): Promise<void> {
    if (queriedLicenses === null) return;
    if (unasked(registrationQuery(await options.appliances()).licenses).length === 0) return;
    scope = 'open';
    runner.trigger();
  }

  const runner = new Runner({ ...options, run: look });
  return {
    start: () => runner.start(),
    stop: async () => {
      cancelNext();
      await runner.stop();
      cancelNext();
    },
    appliancesChanged: () => {
      askForNew().catch(options.onError);
    },
  };
}

function among(licenses: readonly string[], wanted: readonly string[]): readonly string[] {
  return licenses.filter((license) => wanted.includes(license));
}

async function timeOfNext(known: RegistrationMemory, budget: BudgetStore, now: EpochMs): Promise<EpochMs | null> {
  const { blockedUntil } = parseBudget(await budget.load());
  return nextLook(known, blockedUntil, now);
}

/** After a local problem, the query is retried immediately, and earlier responses are kept. */
function isOwnTrouble(seen: RegistrationObservation): boolean {
  if (seen.kind === 'failed') return seen.reason === 'internal';
  return (
    seen.kind === 'ok' && seen.lookups.some(({ outcome }) => outcome.kind === 'failed' && outcome.reason === 'internal')
  );
}

export function registrationQuery(units: readonly UnitObservation[]): RegistrationQuery {
  const licenses = units.flatMap(({ config: { licenses: configured }, rest }) => licensesOf(configured, rest));
  const serials = units.map(unitOf).flatMap(({ serial, peers }) => [...(serial === null ? [] : [serial]), ...peers]);
  return { licenses: [...new Set(licenses)], serials: [...new Set(serials)] };
}

interface RegistrationQuery {
  readonly licenses: readonly string[];
  /**
   * Serial numbers of the appliances and their cluster peers. A licence that the service does not list is searched for
   * in these products' details, where the FortiCloud portal displays it.
   */
  readonly serials: readonly string[];
}

/** Never throws, because failures are part of the observation. Must not run concurrently with the same store. */
export async function observeRegistration(
  config: RegistrationConfig,
  query: RegistrationQuery,
  budget: BudgetStore,
  context: ConnectorContext,
): Promise<RegistrationObservation> {
  const startedAt = context.clock.elapsed();
  try {
    const call = await createMeteredCall(budget, context);
    await using client = await createRegistrationClient(config, context);
    const tokens = createAccessTokens(config.password, client, call, context);
    return await lookUpAll({ client, call, tokens, products: new Map() }, query);
  } catch (error) {
    return failed(error, startedAt, context);
  }
}

/**
 * The service requires POST for all three requests, but none of them changes data. Connectors cannot send other POST
 * requests. Each request throws the errors of `exchangeJson`.
 */
interface RegistrationClient extends AsyncDisposable {
  logIn(password: string): Promise<JsonReply>;
  license(license: string, token: string): Promise<JsonReply>;
  product(serial: string, token: string): Promise<JsonReply>;
}

/** @throws {Error} when a URL does not begin with https or `caFile` cannot be used */
async function createRegistrationClient(
  { user, accountId, ...config }: RegistrationConfig,
  context: ConnectorContext,
): Promise<RegistrationClient> {
  const authOrigin = httpsOrigin(config.authUrl);
  const origin = httpsOrigin(config.url);
  const agent = await createVerifiedAgent({ caFile: config.caFile, pin: null });

  function post(
    target: string,
    path: string,
    content: object,
    { secret, ...login }: { readonly secret: string; readonly authorization?: string },
  ): Promise<JsonReply> {
    return exchangeJson(
      agent,
      target,
      {
        path,
        method: 'POST',
        headers: { 'content-type': 'application/json', ...login },
        body: JSON.stringify(content),
        withoutSecrets: createSecretFilter([secret]),
      },
      context,
    );
  }
  const ask = (path: string, content: object, token: string): Promise<JsonReply> =>
    post(origin, path, content, { secret: token, authorization: `Bearer ${token}` });

  return {
    // The trailing slash in the token path is required.
    logIn: (password) => {
      const credentials = { username: user, password, client_id: 'assetmanagement', grant_type: 'password' };
      return post(authOrigin, '/api/v1/oauth/token/', credentials, { secret: password });
    },
    license: (license, token) => {
      const content = { licenseNumber: license, accountId: accountId ?? undefined };
      return ask('/ES/api/registration/v3/licenses/list', content, token);
    },
    product: (serial, token) => ask('/ES/api/registration/v3/products/details', { serialNumber: serial }, token),
    [Symbol.asyncDispose]: () => agent.destroy(),
  };
}

interface Session {
  readonly client: RegistrationClient;
  readonly call: MeteredCall;
  readonly tokens: ReturnType<typeof createAccessTokens>;
  /** Products by serial number. Each product is looked up only once, because errors also count towards the quota. */
  readonly products: Map<string, Answer>;
}

type Denied = Extract<RegistrationObservation, { kind: 'denied' }>;

/** `denied` if the service refuses the account, and `failed` if it refuses only this query. */
type Answer = Exclude<CallResult, { kind: 'refused' }> | Denied;

/** Sends a request with an access token. */
type Send = (token: string) => Promise<JsonReply>;

/** Each lookup uses up at least one call of a small quota. */
const MOST_LOOKUPS = 50;

async function lookUpAll(session: Session, query: RegistrationQuery): Promise<RegistrationObservation> {
  const all = [...new Set(query.licenses.map((license) => license.toUpperCase()))];
  const licenses = all.slice(0, MOST_LOOKUPS);
  if (licenses.length === 0) return { kind: 'ok', lookups: [] };
  const first = await session.tokens.current();
  if (first.kind !== 'token') return first.kind === 'refused' ? loginRefused(first.status) : first;
  const lookups: LicenseLookup[] = [];
  for (const license of licenses) {
    const outcome = await lookUp(session, license);
    if (outcome.kind === 'denied') return outcome;
    lookups.push({ license, outcome });
  }
  // Unlisted licences come last, because searching for them can require many calls.
  for (const [index, { license, outcome }] of lookups.entries()) {
    if (outcome.kind !== 'not-listed' && outcome.kind !== 'unnamed') continue;
    lookups[index] = { license, outcome: (await searchProducts(session, license, query.serials)) ?? outcome };
  }
  const queued = all.slice(MOST_LOOKUPS).map((license): LicenseLookup => ({ license, outcome: { kind: 'queued' } }));
  return { kind: 'ok', lookups: [...lookups, ...queued] };
}

async function lookUp(session: Session, license: string): Promise<LicenseOutcome | Denied> {
  const send: Send = (token) => session.client.license(license, token);
  const result = await ask(session, send, `Looking up licence "${license}"`);
  if (result.kind !== 'json') return result;
  const records = parseLicenseRecords(result.value);
  if (records === null) {
    const message = `Cannot read the response for licence "${license}": expected a list "licenses"`;
    return { kind: 'failed', reason: 'protocol', message, durationMs: 0 };
  }
  return outcomeOf(records.filter((record) => record.license === license));
}

/** A record with a holder takes precedence. The licence is unregistered only if all records are `Pending`. */
function outcomeOf(records: readonly LicenseRecord[]): LicenseOutcome {
  const listed = records.filter((record) => !isPending(record));
  for (const { serial, bought } of listed) {
    // If there are multiple records, they may be separate purchases, so no single record contains the total.
    if (serial !== null)
      return { kind: 'registered', serial, ...(bought === null || records.length > 1 ? {} : { bought }) };
  }
  const [unnamed] = listed;
  if (unnamed !== undefined) return { kind: 'unnamed', status: unnamed.status };
  const [pending] = records;
  return pending === undefined ? { kind: 'not-listed' } : { kind: 'unregistered', status: pending.status ?? 'Pending' };
}

function isPending(record: LicenseRecord): boolean {
  return record.status?.toLowerCase() === 'pending';
}

/** Returns null if no product contains the licence. If a product could not be looked up, the outcome remains open. */
async function searchProducts(
  session: Session,
  license: string,
  serials: readonly string[],
): Promise<LicenseOutcome | null> {
  let open: LicenseOutcome | null = null;
  for (const serial of serials) {
    const result = await productOf(session, serial);
    if (result === null) break;
    if (result.kind === 'json' && productHoldsLicense(result.value, license)) return { kind: 'registered', serial };
    if (result.kind === 'postponed' || (result.kind === 'failed' && result.reason !== 'rejected')) open ??= result;
  }
  return open;
}

/**
 * Further lookups would probably be rejected too, and each rejection counts towards the quota of 10 errors per hour.
 */
const MOST_REJECTED = 3;

/** Returns null if too many lookups have been rejected. */
async function productOf(session: Session, serial: string): Promise<Answer | null> {
  const { products } = session;
  const known = products.get(serial);
  if (known !== undefined) return known;
  const rejected = [...products.values()].filter((answer) => answer.kind === 'failed' && answer.reason === 'rejected');
  if (rejected.length >= MOST_REJECTED) return null;
  const send: Send = (token) => session.client.product(serial, token);
  const answer = await ask(session, send, `Looking up product "${serial}"`);
  products.set(serial, answer);
  return answer;
}

/** If the service has revoked the token early, requests a new token and retries once. */
async function ask(session: Session, send: Send, what: string): Promise<Answer> {
  const first = await askOnce(session, send, what);
  if (first.kind !== 'refused') return first;
  if (first.status !== 401) return refused(what, first.status);
  session.tokens.discard();
  const second = await askOnce(session, send, what);
  if (second.kind !== 'refused') return second;
  return second.status === 401
    ? { kind: 'denied', message: 'HTTP 401 with a new access token' }
    : refused(what, second.status);
}

async function askOnce(session: Session, send: Send, what: string): Promise<CallResult | Denied> {
  const token = await session.tokens.current();
  if (token.kind !== 'token') return token.kind === 'refused' ? loginRefused(token.status) : token;
  return session.call({
    what,
    send: () => send(token.value),
    problemOf: serviceError,
    refusalBacksOff: false,
  });
}

/** Other queries continue, because the login succeeded and perhaps only this licence number is wrong. */
function refused(what: string, status: number): Failure {
  const hint =
    status === 403 ? ' (check whether the API user has read access to Asset Management and to this account)' : '';
  return {
    kind: 'failed',
    reason: 'rejected',
    message: `${what} failed: HTTP ${String(status)}${hint}`,
    durationMs: 0,
  };
}

/** The message appears in reports, so the user name is not included. */
function loginRefused(status: number): Denied {
  return { kind: 'denied', message: `HTTP ${String(status)} during login` };
}

/** Minimum remaining lifetime, so that a token does not expire during a call. */
const MARGIN: Millis = 30_000;

type TokenResult = { readonly kind: 'token'; readonly value: string } | Exclude<CallResult, { kind: 'json' }>;

function createAccessTokens(
  source: RegistrationConfig['password'],
  client: RegistrationClient,
  call: MeteredCall,
  context: ConnectorContext,
) {
  let held: { readonly value: string; readonly usableUntil: Millis } | null = null;

  async function fetchToken(): Promise<TokenResult> {
    const password = await secretOf(source, context);
    const askedAt = context.clock.elapsed();
    const result = await call({
      what: 'Logging in to the registration service',
      send: () => client.logIn(password),
      problemOf: tokenError,
      refusalBacksOff: true,
    });
    if (result.kind !== 'json') return result;
    const token = parseAccessToken(result.value);
    if (token === null) throw new TypeError('Cannot use the access token: the validated response contains no token');
    held = { value: token.value, usableUntil: askedAt + token.expiresInSeconds * 1000 - MARGIN };
    return { kind: 'token', value: token.value };
  }

  return {
    current: async (): Promise<TokenResult> => {
      if (held !== null && context.clock.elapsed() < held.usableUntil) return { kind: 'token', value: held.value };
      return fetchToken();
    },
    discard: (): void => {
      held = null;
    },
  };
}
