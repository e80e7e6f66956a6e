import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { RegistrationConfig, WatchedConfig } from '../config/schema/watched.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import { licensesOf } from '../core/license/appliance.ts';
import { unitOf } from '../core/license/cluster.ts';
import {
  type LicenseAnswer,
  type LicenseLookup,
  type Postponed,
  type RegistrationObservation,
} from '../core/license/registration.ts';
import { type Failure, hasAnswered, isOwnTrouble } from '../core/observation.ts';
import { isInvalid } from '../core/round.ts';
import { createSecretFilter } from '../core/visible-text.ts';
import { ProbeError } from '../network/failure.ts';
import {
  type ConnectorContext,
  createVerifiedAgent,
  exchangeJson,
  failed,
  httpsOrigin,
  type JsonReply,
  secretOf,
  statusText,
} from '../network/rest/json-exchange.ts';
import type { JsonFile } from '../system/json-file.ts';
import { createStallMonitor } from '../system/stall-monitor.ts';
import type { ConnectedSystem, UnitObservation } from './picture.ts';
import { afterCalls, blockedUntil, isBusy, MOST_CALLS, MOST_ERRORS, pace, type VisitEnd } from './registration-pace.ts';
import {
  type LicenseRecord,
  parseAccessToken,
  parseLicenseRecords,
  productHoldsLicense,
  serviceError,
  tokenError,
} from './registration-replies.ts';

export interface RegistrationSources {
  /** Contains the latest answer for each licence and its time. Must not be used for two queries at once. */
  readonly file: JsonFile;
  /** The observations contain the licences to look up. */
  readonly units: () => readonly UnitObservation[];
  /** Returns whether an answer from this time is still new enough, so that the service is not queried again. */
  readonly isFresh: (answeredAt: EpochMs) => boolean;
  /** The schedule's shortest interval. */
  readonly period: Millis;
}

const outcome: z.ZodType<LicenseAnswer> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('registered'), serial: z.string(), bought: z.number().exactOptional() }),
  z.object({ kind: z.literal('unregistered'), status: z.string() }),
  z.object({ kind: z.literal('unnamed'), status: z.string().nullable() }),
  z.object({ kind: z.literal('not-listed') }),
]);

const answer = z.object({
  outcome,
  at: z.number(),
  /** Serial numbers of the products that were searched for this licence, because the service does not list it. */
  searched: z.array(z.string()),
});
type Answer = Readonly<z.infer<typeof answer>>;

const memory = pace.extend({
  /** Answers are about this account. */
  account: z.string().catch(''),
  answers: z.record(z.string(), answer).catch({}),
});
type Memory = Readonly<z.infer<typeof memory>>;

interface Query {
  /** In upper case. */
  readonly licenses: readonly string[];
  /**
   * Serial numbers of the appliances and their cluster peers. A licence that the service does not list is searched for
   * in these products' details, where the FortiCloud portal displays it.
   */
  readonly serials: readonly string[];
}

type Denied = Extract<RegistrationObservation, { kind: 'denied' }>;

/** A query without an answer. Only kept while the process runs, because the configuration may be corrected. */
interface Unanswered<Reason> {
  readonly because: Reason;
  readonly at: EpochMs;
  /** False if waiting would not help, so that the next scheduled query is early enough. */
  readonly retry: boolean;
}

/**
 * The number of intervals for which an old answer remains in use if newer queries fail. Licences are rarely
 * transferred.
 */
const KEPT_TIMES = 2;

/** Each lookup uses up at least one call. */
const MOST_LOOKUPS = 30;

/**
 * Looks up the licences for which there is no fresh answer. The answers are stored, so it does not matter how often
 * this system is queried or how often the process is restarted.
 */
export function registrationSystems(
  { registration }: Pick<WatchedConfig, 'registration'>,
  sources: RegistrationSources,
): readonly ConnectedSystem<RegistrationObservation>[] {
  return registration === null ? [] : [registrationSystem(registration, sources)];
}

function registrationSystem(
  config: RegistrationConfig,
  { file, units, isFresh, period }: RegistrationSources,
): ConnectedSystem<RegistrationObservation> {
  const account = accountOf(config);
  const failures = new Map<string, Unanswered<Failure>>();
  let problem: Unanswered<Failure | Denied> | null = null;

  /** Failures come last, so that they do not delay other licences. */
  function dueIn({ licenses, serials }: Query, { answers }: Memory, now: EpochMs): readonly string[] {
    const due = licenses.filter((license) => {
      const [known, failure] = [answers[license], failures.get(license)];
      // Another process may have received an answer in the meantime.
      if (failure !== undefined && failure.at >= (known?.at ?? 0)) return failure.retry || !isFresh(failure.at);
      failures.delete(license);
      if (known === undefined || known.at > now || !isFresh(known.at)) return true;
      return isUnlisted(known.outcome) && serials.some((serial) => !known.searched.includes(serial));
    });
    return due.toSorted((a, b) => Number(failures.has(a)) - Number(failures.has(b)));
  }

  function mayAsk(known: Memory, { clock, signal }: ConnectorContext): boolean {
    const isWaiting = problem !== null && !problem.retry && isFresh(problem.at);
    return !signal.aborted && !isWaiting && blockedUntil(known, clock.now()) === null && !isBusy(known, clock.now());
  }

  /** The calls are stored before they are sent, so that they also count if the process ends in the meantime. */
  async function visit(
    due: readonly string[],
    query: Query,
    before: Memory,
    context: ConnectorContext,
  ): Promise<Memory> {
    const licenses = due.slice(0, MOST_LOOKUPS);
    const { clock } = context;
    const calls = Math.min(MOST_CALLS, 1 + licenses.length + query.serials.length);
    const planned = { calls, errors: 1, end: 'failed', retryAfter: 0 } as const;
    await file.save({ ...before, ...afterCalls(before, clock.now(), planned) } satisfies Memory);
    const seen = await ask(config, { ...query, licenses }, context);
    const at = clock.now();
    problem = seen.problem === null ? null : { because: seen.problem, at, retry: seen.problem.kind === 'failed' };
    for (const license of licenses) failures.delete(license);
    for (const [license, failure] of seen.failures) failures.set(license, { ...failure, at });
    const found = [...seen.found].map(([license, outcome]): [string, Answer] => [
      license,
      { outcome, at, searched: isUnlisted(outcome) ? [...query.serials] : [] },
    ]);
    const answers = problem?.because.kind === 'denied' ? {} : { ...before.answers, ...Object.fromEntries(found) };
    // After an aborted query there is a pause too, so that a process that is restarted again and again does not ask.
    const spent = context.signal.aborted ? planned : seen;
    const after: Memory = { ...before, ...afterCalls(before, at, spent), answers };
    await file.save(after);
    return after;
  }

  function lookupOf(license: string, known: Memory, held: Failure | Postponed | null, now: EpochMs): LicenseLookup {
    const because = failures.get(license)?.because ?? held;
    const last = known.answers[license];
    if (last === undefined) return { license, outcome: because ?? { kind: 'queued' } };
    if (because === null) return { license, outcome: last.outcome };
    if (now - last.at > KEPT_TIMES * period) return { license, outcome: because };
    return { license, outcome: last.outcome, kept: { since: last.at, because } };
  }

  async function look(context: ConnectorContext): Promise<RegistrationObservation> {
    const query = queryOf(units());
    const before = await load(file, account, context.clock.now());
    const due = dueIn(query, before, context.clock.now());
    if (due.length === 0) problem = null;
    const known = mayAsk(before, context) && due.length > 0 ? await visit(due, query, before, context) : before;
    const reason = problem?.because ?? null;
    if (reason?.kind === 'denied') return reason;
    const now = context.clock.now();
    const until = blockedUntil(known, now);
    const held = reason ?? (until === null ? null : ({ kind: 'postponed', until } as const));
    const open = dueIn(query, known, now);
    const isUnknown = query.licenses.every((license) => known.answers[license] === undefined && !failures.has(license));
    if (held !== null && isUnknown && open.length > 0) return held;
    const lookups = query.licenses.map((license) =>
      lookupOf(license, known, open.includes(license) ? held : null, now),
    );
    return { kind: 'ok', lookups };
  }

  return { name: 'registration', unseen: null, unanswered: null, ask: look };
}

/** Long enough for an appliance to be out of order without its licences being looked up again. */
const REMEMBERED: Millis = 30 * 86_400_000;

/** Content that cannot be read counts as missing. */
export function readRegistrationMemory(value: unknown): Memory {
  return memory.safeParse(value).data ?? memory.parse({});
}

/** Answers of an earlier configuration are dropped, but its calls still count. */
async function load(file: JsonFile, account: string, now: EpochMs): Promise<Memory> {
  const stored = readRegistrationMemory(await file.load());
  const answers = stored.account === account ? Object.entries(stored.answers) : [];
  const recent = answers.filter(([, { at }]) => now - at < REMEMBERED);
  return { ...stored, account, answers: Object.fromEntries(recent) };
}

function accountOf({ url, authUrl, user, accountId }: RegistrationConfig): string {
  return createHash('sha256')
    .update(JSON.stringify([url, authUrl, user, accountId]))
    .digest('base64url');
}

function queryOf(units: readonly UnitObservation[]): Query {
  const licenses = units.flatMap(({ config: { licenses: configured }, rest }) => licensesOf(configured, rest));
  const serials = units.map(unitOf).flatMap(({ serial, peers }) => [...(serial === null ? [] : [serial]), ...peers]);
  return {
    licenses: [...new Set(licenses.map((license) => license.toUpperCase()))],
    serials: [...new Set(serials)],
  };
}

function isUnlisted({ kind }: LicenseAnswer): boolean {
  return kind === 'not-listed' || kind === 'unnamed';
}

interface Spent {
  calls: number;
  errors: number;
  retryAfter: Millis;
}

interface Visit extends Readonly<Spent> {
  readonly end: VisitEnd;
  readonly found: ReadonlyMap<string, LicenseAnswer>;
  readonly failures: ReadonlyMap<string, Omit<Unanswered<Failure>, 'at'>>;
  /** The reason why no licence could be looked up. */
  readonly problem: Failure | Denied | null;
}

/** Never throws, because failures are part of the observation. Unlisted licences come last, after all lookups. */
async function ask(config: RegistrationConfig, query: Query, context: ConnectorContext): Promise<Visit> {
  const startedAt = context.clock.elapsed();
  using stall = createStallMonitor(context.clock);
  const spent: Spent = { calls: 0, errors: 0, retryAfter: 0 };
  const mayGoOn = (): boolean => spent.calls < MOST_CALLS && spent.errors < MOST_ERRORS;
  const found = new Map<string, LicenseAnswer>();
  const failures = new Map<string, Omit<Unanswered<Failure>, 'at'>>();
  let problem: Failure | Denied | null = null;
  let end: VisitEnd = 'answered';
  /** The licences that the current call is about. Null during the login. */
  let current: readonly string[] | null = null;
  try {
    await using client = await createClient(config, spent, context);
    await client.logIn();
    for (const license of query.licenses) {
      if (!mayGoOn()) break;
      current = [license];
      const outcome = outcomeOf(license, await client.license(license));
      if (outcome.kind === 'failed') failures.set(license, { because: outcome, retry: false });
      else found.set(license, outcome);
    }
    for (const serial of query.serials) {
      current = [...found].filter(([, outcome]) => isUnlisted(outcome)).map(([license]) => license);
      if (current.length === 0 || !mayGoOn()) break;
      const product = await client.product(serial);
      const held = current.filter((license) => product.kind === 'json' && productHoldsLicense(product.value, license));
      for (const license of held) found.set(license, { kind: 'registered', serial });
    }
  } catch (error) {
    const because = unlessStalled(failed(error, startedAt, context), stall.longest());
    const isDenied = error instanceof DeniedError;
    end = isDenied ? 'failed' : endOf(because, spent.calls);
    if (isDenied) problem = { kind: 'denied', message: error.message };
    else if (current === null) problem = because;
    for (const license of current ?? []) {
      found.delete(license);
      failures.set(license, { because, retry: true });
    }
  }
  return { found, failures, problem, end, ...spent };
}

/** What the service answered counts in any case. */
function unlessStalled(failure: Failure, stalledMs: Millis): Failure {
  if (hasAnswered(failure.reason) || !isInvalid({ stalledMs })) return failure;
  return { ...failure, reason: 'aborted', message: 'The ftm-watch process stalled during the query' };
}

function endOf({ reason }: Failure, calls: number): VisitEnd {
  return calls === 0 || isOwnTrouble(reason) ? 'own-trouble' : 'failed';
}

class DeniedError extends Error {
  override readonly name = 'DeniedError';
}

/** `failed` if the service refuses only this call. */
type Reply = Extract<JsonReply, { kind: 'json' }> | Failure;

/**
 * The service requires POST for all three requests, but none of them changes data. Connectors cannot send other POST
 * requests. Each request throws the errors of `exchangeJson`, and an error if the service would refuse all calls.
 */
interface RegistrationClient extends AsyncDisposable {
  /** Must be called first. */
  logIn(): Promise<void>;
  license(license: string): Promise<Reply>;
  product(serial: string): Promise<Reply>;
}

/** @throws {Error} when a URL does not begin with https, or the password or `caFile` cannot be used */
async function createClient(
  { user, accountId, ...config }: RegistrationConfig,
  spent: Spent,
  context: ConnectorContext,
): Promise<RegistrationClient> {
  const authOrigin = httpsOrigin(config.authUrl);
  const origin = httpsOrigin(config.url);
  const password = await secretOf(config.password, context);
  const agent = await createVerifiedAgent({ caFile: config.caFile, pin: null });
  let token = '';

  async function post(target: string, path: string, content: object): Promise<JsonReply> {
    spent.calls += 1;
    // The call counts as an error until it has succeeded.
    spent.errors += 1;
    const reply = await exchangeJson(
      agent,
      target,
      {
        path,
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
        },
        body: JSON.stringify(content),
        withoutSecrets: createSecretFilter([token === '' ? password : token]),
      },
      context,
    );
    if (reply.kind === 'status') spent.retryAfter = reply.retryAfter ?? 0;
    return reply;
  }

  async function lookUp(what: string, path: string, content: object): Promise<Reply> {
    const reply = await post(origin, `/ES/api/registration/v3/${path}`, content);
    const problem = reply.kind === 'json' ? serviceError(reply.value) : refusalText(reply.status);
    if (problem !== null) return rejected('rejected', `${what} failed: ${problem}`);
    if (reply.kind === 'status') throw refused(what, reply.status, [401], 'with a new access token');
    spent.errors -= 1;
    return reply;
  }

  return {
    // The trailing slash in the token path is required.
    logIn: async () => {
      const credentials = { username: user, password, client_id: 'assetmanagement', grant_type: 'password' };
      const reply = await post(authOrigin, '/api/v1/oauth/token/', credentials);
      // The message appears in reports, so the user name is not included.
      if (reply.kind === 'status') throw refused(LOGIN, reply.status, [400, 401, 403], 'during login');
      token = parseAccessToken(reply.value) ?? '';
      if (token === '') throw new ProbeError('rejected', `${LOGIN} failed: ${tokenError(reply.value)}`);
      spent.errors -= 1;
    },
    license: (license) =>
      lookUp(`Looking up licence "${license}"`, 'licenses/list', {
        licenseNumber: license,
        accountId: accountId ?? undefined,
      }),
    product: (serial) => lookUp(`Looking up product "${serial}"`, 'products/details', { serialNumber: serial }),
    [Symbol.asyncDispose]: () => agent.destroy(),
  };
}

const LOGIN = 'Logging in to the registration service';

/** An error that ends the query, because the service would refuse other calls too. */
function refused(what: string, status: number, denials: readonly number[], when: string): Error {
  return denials.includes(status)
    ? new DeniedError(`HTTP ${String(status)} ${when}`)
    : new ProbeError('rejected', `${what} failed: ${statusText(status)}`);
}

/** Null if the service would refuse other calls too. After 400 and 403, perhaps only this licence number is wrong. */
function refusalText(status: number): string | null {
  if (status === 400) return 'HTTP 400';
  return status === 403
    ? 'HTTP 403 (check whether the API user has read access to Asset Management and to this account)'
    : null;
}

function rejected(reason: 'rejected' | 'protocol', message: string): Failure {
  return { kind: 'failed', reason, message, durationMs: 0 };
}

function outcomeOf(license: string, reply: Reply): LicenseAnswer | Failure {
  if (reply.kind === 'failed') return reply;
  const records = parseLicenseRecords(reply.value);
  return records === null
    ? rejected('protocol', `Cannot read the response for licence "${license}": expected a list "licenses"`)
    : answerOf(records.filter((record) => record.license === license));
}

/** A record with a holder takes precedence. The licence is unregistered only if all records are `Pending`. */
function answerOf(records: readonly LicenseRecord[]): LicenseAnswer {
  const listed = records.filter(({ status }) => status?.toLowerCase() !== 'pending');
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
