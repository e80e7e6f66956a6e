import type { RegistrationConfig } from '../../config/config.ts';
import type { LicenseLookup, LicenseOutcome, RegistrationObservation } from '../../core/license/registration.ts';
import type { ConnectorContext } from '../context.ts';
import { failed } from '../failed.ts';
import { createAccessTokens } from './access-token.ts';
import type { AccessTokens } from './access-token.ts';
import type { BudgetStore } from './budget-store.ts';
import { createRegistrationClient } from './client.ts';
import type { RegistrationClient } from './client.ts';
import { createMeteredCall } from './metered-call.ts';
import type { CallResult, MeteredCall } from './metered-call.ts';
import type { RegistrationOperation } from './operations.ts';
import { parseLicenseRecords, productHoldsLicense, serviceError } from './registration-replies.ts';
import type { LicenseRecord } from './registration-replies.ts';

export interface RegistrationQuery {
  readonly licenses: readonly string[];
  /**
   * The appliances' serials and their peers'. A licence that the service does not list is looked for in the details of
   * these, where the portal shows it.
   */
  readonly serials: readonly string[];
}

/**
 * Asks the registration service who holds each licence, within its quotas. Never throws: what went wrong is part of
 * the observation. Not to be run twice at a time with one store.
 */
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
    const tokens = createAccessTokens(config, { client, call }, context);
    return await lookUpAll({ config, client, call, tokens, products: new Map() }, query);
  } catch (error) {
    return failed(error, startedAt, context);
  }
}

interface Session {
  readonly config: RegistrationConfig;
  readonly client: RegistrationClient;
  readonly call: MeteredCall;
  readonly tokens: AccessTokens;
  /** Answers of this round by serial: each product is asked for once, since errors are counted too. */
  readonly products: Map<string, CallResult>;
}

type Question = Exclude<RegistrationOperation, { kind: 'token' }>;

async function lookUpAll(session: Session, query: RegistrationQuery): Promise<RegistrationObservation> {
  const licenses = [...new Set(query.licenses.map((license) => license.toUpperCase()))];
  if (licenses.length === 0) return { kind: 'ok', lookups: [] };
  const first = await session.tokens.current();
  if (first.kind === 'refused') return denied(`HTTP ${String(first.status)} when logging in as "${session.config.user}"`);
  if (first.kind !== 'token') return first;
  const lookups: LicenseLookup[] = [];
  for (const license of licenses) {
    const outcome = await lookUp(session, license, query.serials);
    if (outcome.kind === 'refused') return denied(`HTTP ${String(outcome.status)} when looking up a licence`);
    lookups.push({ license, outcome });
  }
  return { kind: 'ok', lookups };
}

type LookupResult = LicenseOutcome | Extract<CallResult, { kind: 'refused' }>;

async function lookUp(session: Session, license: string, serials: readonly string[]): Promise<LookupResult> {
  const operation = { kind: 'list-license', license, accountId: session.config.accountId } as const;
  const result = await ask(session, operation, `Looking up licence "${license}"`);
  if (result.kind !== 'json') return result;
  const records = parseLicenseRecords(result.value);
  if (records === null) {
    return { kind: 'failed', reason: 'protocol', message: 'Cannot understand the answer: expected a list "licenses"', durationMs: 0 };
  }
  const outcome = outcomeOf(records.filter((record) => record.license === license));
  return outcome.kind === 'not-listed' ? searchProducts(session, license, serials) : outcome;
}

/** The registered record goes first: a licence may stand in the list more than once. */
function outcomeOf(records: readonly LicenseRecord[]): LicenseOutcome {
  for (const record of records) {
    if (record.serial !== null && !isPending(record)) return { kind: 'registered', serial: record.serial, sku: record.sku };
  }
  const [pending] = records;
  return pending === undefined ? { kind: 'not-listed' } : { kind: 'unregistered', status: pending.status ?? 'no serial number' };
}

function isPending(record: LicenseRecord): boolean {
  return record.status?.toLowerCase() === 'pending';
}

/** A product that cannot be read says nothing about the licence: it stays not listed. */
async function searchProducts(session: Session, license: string, serials: readonly string[]): Promise<LicenseOutcome> {
  for (const serial of serials) {
    const result =
      session.products.get(serial) ?? (await ask(session, { kind: 'product-details', serial }, `Looking up product "${serial}"`));
    session.products.set(serial, result);
    if (result.kind === 'json' && productHoldsLicense(result.value, license)) return { kind: 'registered', serial, sku: null };
  }
  return { kind: 'not-listed' };
}

/** A token may be revoked before its time: one new one is fetched, no more. */
async function ask(session: Session, operation: Question, what: string): Promise<CallResult> {
  const first = await askOnce(session, operation, what);
  if (first.kind !== 'refused' || first.status !== 401) return first;
  session.tokens.discard();
  return askOnce(session, operation, what);
}

async function askOnce(session: Session, operation: Question, what: string): Promise<CallResult> {
  const token = await session.tokens.current();
  if (token.kind !== 'token') return token;
  return session.call({
    what,
    send: () => session.client.ask(operation, token.value),
    problemOf: serviceError,
    refusalBacksOff: false,
  });
}

function denied(message: string): RegistrationObservation {
  return { kind: 'denied', message };
}
