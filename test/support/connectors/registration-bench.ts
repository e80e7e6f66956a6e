import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConnectorContext } from '../../../src/network/rest/json-exchange.ts';
import { registrationSystems, type RegistrationSources } from '../../../src/connectors/registration.ts';
import type { RegistrationConfig } from '../../../src/config/schema/watched.ts';
import type { RegistrationObservation } from '../../../src/core/license/registration.ts';
import {
  createRegistrationService,
  type RegistrationService,
  type RegistrationState,
} from '../../../src/demo/lab/registration.ts';
import { createIdentity } from '../../../src/demo/lab/identity.ts';
import { periodOf } from '../../../src/system/cron-timer.ts';
import type { JsonFile } from '../../../src/system/json-file.ts';
import { configOf } from '../config/config-of.ts';
import { connectorContext } from './connector-context.ts';

/** The licences that the tests query. */
export const A = 'EFTM000000000001';
export const B = 'EFTM000000000002';

const ENV = { PASSWORD: 'api-password', WRONG: 'guess' };

/** Stored as JSON, like the real one. */
export interface MemoryFile extends JsonFile {
  readonly text: () => string;
}

/** @param content of the file at the start */
export function memoryFile(content: unknown = null): MemoryFile {
  let json = JSON.stringify(content);
  return {
    load: () => Promise.resolve(JSON.parse(json) as unknown),
    save: (value) => {
      json = JSON.stringify(value);
      return Promise.resolve();
    },
    text: () => json,
  };
}

export interface Asking {
  readonly licenses?: readonly string[];
  readonly serials?: readonly string[];
  readonly file?: JsonFile;
  /** @default no answer is fresh */
  readonly isFresh?: RegistrationSources['isFresh'];
  readonly config?: Partial<RegistrationConfig>;
  readonly context?: Partial<ConnectorContext>;
}

export interface RegistrationBench extends AsyncDisposable {
  readonly service: RegistrationService;
  /** A working configuration, and the source of its password. */
  readonly config: RegistrationConfig;
  readonly env: NodeJS.ProcessEnv;
  /** Asks in a new process, with what the file contains. */
  observe(asking?: Asking): Promise<RegistrationObservation>;
  /** A process. What it may ask for can be changed. */
  start(asking?: Asking): Process;
}

export interface Process {
  ask(): Promise<RegistrationObservation>;
  licenses: readonly string[];
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
  const { appliances, schedule } = await configOf({ appliances: [{ name: 'fac-1' }] });
  const [unit] = appliances;
  if (unit === undefined) throw new Error('Expected an appliance');
  const start = (asking: Asking = {}): Process => {
    const wanted = { licenses: asking.licenses ?? [A] };
    const [system] = registrationSystems(
      { registration: { ...right, ...asking.config } },
      {
        file: asking.file ?? memoryFile(),
        period: periodOf(schedule.registration),
        isFresh: asking.isFresh ?? (() => false),
        units: () =>
          [null, ...(asking.serials ?? [])].map((serial) => ({
            config: { ...unit, serial, licenses: serial === null ? wanted.licenses : [] },
            rest: null,
            role: null,
          })),
      },
    );
    if (system === undefined) throw new Error('Expected the registration service');
    const ask = (): Promise<RegistrationObservation> => system.ask(connectorContext({ env: ENV, ...asking.context }));
    return Object.assign(wanted, { ask });
  };
  return {
    service,
    config: right,
    env: ENV,
    start,
    observe: (asking) => start(asking).ask(),
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
