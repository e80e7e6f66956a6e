import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import type { BudgetStore } from '../../../src/connectors/forticloud/budget-store.ts';
import type { ConnectorContext } from '../../../src/connectors/context.ts';
import { observeRegistration } from '../../../src/connectors/forticloud/observe-registration.ts';
import type { RegistrationConfig } from '../../../src/config/config.ts';
import { parseBudget } from '../../../src/core/license/call-budget.ts';
import type { CallBudget, CallLimits } from '../../../src/core/license/call-budget.ts';
import type { RegistrationObservation } from '../../../src/core/license/registration.ts';
import type { HttpFault } from '../../lab/https-peer.ts';
import { createRegistrationService, LICENSES_PATH, PRODUCTS_PATH, TOKEN_PATH } from '../../lab/registration.ts';
import type { RegistrationService, RegistrationState } from '../../lab/registration.ts';
import { createIdentity } from '../../support/authority.ts';
import type { Identity } from '../../support/authority.ts';
import { connectorContext, hurriedClock } from '../../support/connector-context.ts';

const A = 'EFTM000000000001';
const B = 'EFTM000000000002';
const ENV = { PASSWORD: 'api-password', WRONG: 'guess' };

let folder: string;
let identity: Identity;
let caFile: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'registration-'));
  identity = await createIdentity({ name: 'CN=registration.example.test', ipAddresses: ['127.0.0.1'] });
  caFile = join(folder, 'ca.pem');
  await writeFile(caFile, identity.pem);
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

function start(state: Partial<RegistrationState> = {}): Promise<RegistrationService> {
  return createRegistrationService({ identity, state });
}

function config(service: RegistrationService, more: Partial<RegistrationConfig> = {}): RegistrationConfig {
  return {
    user: 'api-user',
    password: { kind: 'env', name: 'PASSWORD' },
    accountId: null,
    url: service.url,
    authUrl: service.url,
    caFile,
    ...more,
  };
}

/** Kept as JSON, as the real one is. */
interface MemoryStore extends BudgetStore {
  readonly saved: () => CallBudget;
}

function memoryStore(limits?: CallLimits): MemoryStore {
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

interface Asking {
  readonly licenses?: readonly string[];
  readonly serials?: readonly string[];
  readonly store?: BudgetStore;
  readonly config?: Partial<RegistrationConfig>;
  readonly context?: Partial<ConnectorContext>;
}

function observe(service: RegistrationService, asking: Asking = {}): Promise<RegistrationObservation> {
  return observeRegistration(
    config(service, asking.config),
    { licenses: asking.licenses ?? [A], serials: asking.serials ?? [] },
    asking.store ?? memoryStore(),
    connectorContext({ env: ENV, ...asking.context }),
  );
}

function outcomes(observation: RegistrationObservation): readonly unknown[] {
  return observation.kind === 'ok' ? observation.lookups.map(({ outcome }) => outcome) : [observation];
}

function paths(service: RegistrationService): readonly string[] {
  return service.requests.map(({ path }) => path);
}

describe('observeRegistration', () => {
  it.each<[string, Partial<RegistrationState>, unknown]>([
    [
      'registered',
      { licenses: [{ licenseNumber: A, licenseSKU: 'FTM-ELIC-10', serialNumber: 'FAC-VM0000000001', status: 'Registered' }] },
      { kind: 'registered', serial: 'FAC-VM0000000001', sku: 'FTM-ELIC-10' },
    ],
    [
      'pending',
      { licenses: [{ licenseNumber: A, serialNumber: 'FAC-VM0000000001', status: 'Pending' }] },
      { kind: 'unregistered', status: 'Pending' },
    ],
    ['without a serial', { licenses: [{ licenseNumber: A, status: 'Registered' }] }, { kind: 'unregistered', status: 'Registered' }],
    [
      'listed twice',
      {
        licenses: [
          { licenseNumber: A, serialNumber: '', status: 'Pending' },
          { licenseNumber: A, serialNumber: 'FAC-VM0000000001', status: 'Registered' },
        ],
      },
      { kind: 'registered', serial: 'FAC-VM0000000001', sku: null },
    ],
    ['not listed', {}, { kind: 'not-listed' }],
    ['answered with a null list', { envelope: { licenses: null } }, { kind: 'not-listed' }],
    [
      'answered with another licence',
      { envelope: { licenses: [{ licenseNumber: B, serialNumber: 'FAC-VM0000000009', status: 'Registered' }] } },
      { kind: 'not-listed' },
    ],
  ])('finds a licence %s', async (_, state, expected) => {
    await using service = await start(state);
    expect(outcomes(await observe(service))).toEqual([expected]);
  });

  it('looks for a licence that is not listed among those of the given units', async () => {
    await using service = await start({ products: { 'FAC-VM0000000002': [A] } });
    const serials = ['FAC-VM0000000001', 'FAC-VM0000000002'];
    expect(outcomes(await observe(service, { licenses: [A, B], serials }))).toEqual([
      { kind: 'registered', serial: 'FAC-VM0000000002', sku: null },
      { kind: 'not-listed' },
    ]);
    expect(paths(service).filter((path) => path === PRODUCTS_PATH)).toHaveLength(2);
  });

  it('logs in once for many licences, and sends nothing but the three known operations', async () => {
    await using service = await start();
    await observe(service, { licenses: [A, B, A], serials: ['FAC-VM0000000001'], config: { accountId: 77 } });
    expect(service.requests.map(({ method, path, body }) => [method, path, JSON.parse(body) as unknown])).toEqual([
      ['POST', TOKEN_PATH, { username: 'api-user', password: 'api-password', client_id: 'assetmanagement', grant_type: 'password' }],
      ['POST', LICENSES_PATH, { licenseNumber: A, accountId: 77 }],
      ['POST', PRODUCTS_PATH, { serialNumber: 'FAC-VM0000000001' }],
      ['POST', LICENSES_PATH, { licenseNumber: B, accountId: 77 }],
    ]);
  });

  it('sends nothing without a licence to ask for', async () => {
    await using service = await start();
    expect(await observe(service, { licenses: [] })).toEqual({ kind: 'ok', lookups: [] });
    expect(service.requests).toEqual([]);
  });

  it.each([31, '31'])('logs in anew when a token of %j s has run out', async (expiresIn) => {
    await using service = await start({ expiresIn });
    let elapsed = 0;
    // Two seconds pass whenever the time is looked at; a token is not used in its last half minute.
    const clock = { ...systemClock, elapsed: () => (elapsed += 2000) };
    await observe(service, { licenses: [A, B], context: { clock } });
    expect(paths(service)).toEqual([TOKEN_PATH, TOKEN_PATH, LICENSES_PATH, TOKEN_PATH, LICENSES_PATH]);
  });

  it('logs in anew, once, when the service does not take the token any more', async () => {
    await using service = await start();
    const store = memoryStore();
    const revoking: BudgetStore = {
      ...store,
      // The first budget that counts two calls is saved just before the first question is sent.
      save: async (budget) => {
        if (budget.calls.length === 2) service.revokeTokens();
        await store.save(budget);
      },
    };
    expect(outcomes(await observe(service, { store: revoking }))).toEqual([{ kind: 'not-listed' }]);
    expect(paths(service)).toEqual([TOKEN_PATH, LICENSES_PATH, TOKEN_PATH, LICENSES_PATH]);
  });

  it('is denied when the permissions do not suffice', async () => {
    await using service = await start();
    service.setFault({ kind: 'status', status: 403 }, LICENSES_PATH);
    expect(await observe(service)).toEqual({ kind: 'denied', message: 'HTTP 403 when looking up a licence' });
  });

  it('is denied with a wrong password, which is nowhere shown, and waits before it tries again', async () => {
    await using service = await start();
    const store = memoryStore();
    const wrong = { store, config: { password: { kind: 'env', name: 'WRONG' } } } as const;
    const observation = await observe(service, wrong);
    expect(observation).toEqual({ kind: 'denied', message: 'HTTP 401 when logging in as "api-user"' });
    expect(await observe(service, wrong)).toMatchObject({ kind: 'postponed' });
    expect(service.requests).toHaveLength(1);
    expect(JSON.stringify([observation, store.saved()])).not.toMatch(/guess|api-password/u);
  });
});

describe('an error of the service', () => {
  it.each<[string, HttpFault, unknown]>([
    ['401 at every question', { kind: 'status', status: 401 }, { kind: 'denied' }],
    ['429', { kind: 'status', status: 429 }, { kind: 'failed', reason: 'rejected' }],
    ['500', { kind: 'status', status: 500 }, { kind: 'failed', reason: 'rejected' }],
    ['HTML', { kind: 'html' }, { kind: 'failed', reason: 'protocol' }],
    ['a truncated body', { kind: 'truncated' }, { kind: 'failed', reason: 'closed' }],
    ['a reset', { kind: 'reset' }, { kind: 'failed', reason: 'reset' }],
    ['an answer of another kind', { kind: 'body', body: '{"status": 0, "licenses": 7}' }, { kind: 'failed', reason: 'protocol' }],
    ['JSON that is no object', { kind: 'body', body: '[]' }, { kind: 'failed', reason: 'rejected' }],
  ])('%s', async (_, fault, expected) => {
    await using service = await start();
    service.setFault(fault, LICENSES_PATH);
    expect(outcomes(await observe(service))[0]).toMatchObject(expected as object);
  });

  it.each([-1, 2])('HTTP 200 with status %j', async (status) => {
    await using service = await start({ envelope: { status, error: { errorCode: 41, message: 'No permission' } } });
    expect(outcomes(await observe(service))).toMatchObject([
      { kind: 'failed', reason: 'rejected', message: `Looking up licence "${A}" failed: status ${String(status)}: 41 No permission` },
    ]);
  });

  it('in the answer for one licence does not keep the others from being asked', async () => {
    await using service = await start({ envelope: { status: -1 } });
    const store = memoryStore();
    expect(outcomes(await observe(service, { licenses: [A, B], store }))).toMatchObject([
      { kind: 'failed', reason: 'rejected' },
      { kind: 'failed', reason: 'rejected' },
    ]);
    expect(store.saved().errors).toHaveLength(2);
  });

  it('that is a failure stops the round, and the next rounds until the back-off ends, across a restart', async () => {
    await using service = await start();
    service.setFault({ kind: 'status', status: 500 }, LICENSES_PATH);
    const store = memoryStore();
    expect(outcomes(await observe(service, { licenses: [A, B], store }))).toMatchObject([{ kind: 'failed' }, { kind: 'postponed' }]);
    service.setFault({ kind: 'none' }, LICENSES_PATH);
    const sent = service.requests.length;
    const kept = memoryStore();
    await kept.save(store.saved());
    expect(await observe(service, { store: kept })).toMatchObject({ kind: 'postponed', until: store.saved().blockedUntil });
    expect(service.requests).toHaveLength(sent);
    const later = { ...systemClock, now: () => store.saved().blockedUntil };
    expect(outcomes(await observe(service, { store: kept, context: { clock: later } }))).toEqual([{ kind: 'not-listed' }]);
  });

  it('429 is waited out as long as the service asks', async () => {
    await using service = await start();
    service.setFault({ kind: 'status', status: 429, headers: { 'retry-after': '1800' } }, LICENSES_PATH);
    const store = memoryStore();
    await observe(service, { store });
    expect(store.saved().blockedUntil - Date.now()).toBeGreaterThan(1_700_000);
  });

  it('is no error of the service when the round is called off', async () => {
    await using service = await start();
    service.setFault({ kind: 'silent' }, LICENSES_PATH);
    const store = memoryStore();
    const controller = new AbortController();
    const observation = observe(service, { store, context: { signal: controller.signal } });
    await expect.poll(() => paths(service).length).toBe(2);
    controller.abort(new Error('Shutting down'));
    expect(outcomes(await observation)).toMatchObject([{ kind: 'failed', reason: 'aborted' }]);
    expect(store.saved().errors).toEqual([]);
  });

  it('a trickle ends with the time', async () => {
    await using service = await start();
    service.setFault({ kind: 'trickle' }, LICENSES_PATH);
    expect(outcomes(await observe(service, { context: { clock: hurriedClock(40) } }))).toMatchObject([
      { kind: 'failed', reason: 'timeout' },
    ]);
  });

  it('a certificate of somebody else gets no credentials', async () => {
    await using service = await start();
    expect(await observe(service, { config: { caFile: null } })).toMatchObject({ kind: 'failed', reason: 'tls' });
    expect(service.requests).toEqual([]);
  });
});

describe('the quota', () => {
  it('postpones what would exceed it', async () => {
    await using service = await start();
    const store = memoryStore({ callsPerMinute: 3, callsPerHour: 100, errorsPerHour: 10 });
    const licenses = [A, B, 'EFTM000000000003', 'EFTM000000000004'];
    expect(outcomes(await observe(service, { licenses, store }))).toMatchObject([
      { kind: 'not-listed' },
      { kind: 'not-listed' },
      { kind: 'postponed' },
      { kind: 'postponed' },
    ]);
    expect(service.requests).toHaveLength(3);
  });
});
