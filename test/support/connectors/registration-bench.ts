import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BudgetStore, parseBudget } from '../../../src/connectors/metered-call.ts';
import type { ConnectorContext } from '../../../src/network/rest/json-exchange.ts';
import { observeRegistration } from '../../../src/connectors/registration.ts';
import type { RegistrationConfig } from '../../../src/config/schema/watched.ts';
import type { RegistrationObservation } from '../../../src/core/license/registration.ts';
import {
  createRegistrationService,
  type RegistrationService,
  type RegistrationState,
} from '../../../src/demo/lab/registration.ts';
import { createIdentity } from '../../../src/demo/lab/identity.ts';
import { connectorContext } from './connector-context.ts';

/** The licences that the tests query. */
export const A = 'EFTM000000000001';
export const B = 'EFTM000000000002';

const ENV = { PASSWORD: 'api-password', WRONG: 'guess' };

/** Stored as JSON, like the real one. */
export interface MemoryStore extends BudgetStore {
  readonly saved: () => ReturnType<typeof parseBudget>;
}

export function memoryStore(limits?: BudgetStore['limits']): MemoryStore {
  let json = 'null';
  return {
    load: () => Promise.resolve(JSON.parse(json) as unknown),
    save: (budget) => {
      json = JSON.stringify(budget);
      return Promise.resolve();
    },
    saved: () => parseBudget(JSON.parse(json)),
    ...(limits === undefined ? {} : { limits }),
  };
}

export interface Asking {
  readonly licenses?: readonly string[];
  readonly serials?: readonly string[];
  readonly store?: BudgetStore;
  readonly config?: Partial<RegistrationConfig>;
  readonly context?: Partial<ConnectorContext>;
}

export interface RegistrationBench extends AsyncDisposable {
  readonly service: RegistrationService;
  /** A working configuration, and the source of its password. */
  readonly config: RegistrationConfig;
  readonly env: NodeJS.ProcessEnv;
  observe(asking?: Asking): Promise<RegistrationObservation>;
}

/** Starts a service, and returns the file for verifying its certificate. */
export async function startRegistration(state: Partial<RegistrationState> = {}): Promise<RegistrationBench> {
  const identity = await createIdentity({ name: 'CN=registration.example.test', ipAddresses: ['127.0.0.1'] });
  const folder = await mkdtemp(join(tmpdir(), 'registration-'));
  const caFile = join(folder, 'ca.pem');
  await writeFile(caFile, identity.pem);
  const service = await createRegistrationService({ identity, state });
  const { url } = service;
  const right: RegistrationConfig = {
    user: 'api-user',
    password: { kind: 'env', name: 'PASSWORD' },
    accountId: null,
    url,
    authUrl: url,
    caFile,
  };
  return {
    service,
    config: right,
    env: ENV,
    observe: (asking = {}) =>
      observeRegistration(
        { ...right, ...asking.config },
        { licenses: asking.licenses ?? [A], serials: asking.serials ?? [] },
        asking.store ?? memoryStore(),
        connectorContext({ env: ENV, ...asking.context }),
      ),
    [Symbol.asyncDispose]: async () => {
      await service.close();
      await rm(folder, { recursive: true });
    },
  };
}

/** Returns the outcome of each licence, or the observation if there are no outcomes. */
export function outcomes(observation: RegistrationObservation): readonly unknown[] {
  return observation.kind === 'ok' ? observation.lookups.map(({ outcome }) => outcome) : [observation];
}

export function paths(service: RegistrationService): readonly string[] {
  return service.requests.map(({ path }) => path);
}
