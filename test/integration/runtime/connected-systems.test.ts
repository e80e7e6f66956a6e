import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import { ConnectedSystems, renewedCauses } from '../../../src/runtime/connected-systems.ts';
import { createPendingMemory } from '../../../src/connectors/token-counts.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { createFortiAuthenticator, type FortiAuthenticator } from '../../../src/demo/lab/fortiauthenticator.ts';
import { configOf } from '../../support/config/config-of.ts';
import { causeOf, diagnosisOf } from '../../support/checks/diagnosis-of.ts';
import { finding } from '../../support/checks/judged-round.ts';

const NEVER = '0 0 0 29 2 *';
const EACH_SECOND = '* * * * * *';
const PATIENCE = { timeout: 8_000 };

let quick: FortiAuthenticator;
let slow: FortiAuthenticator;
let monitor: ConnectedSystems;

beforeEach(async () => {
  quick = await createFortiAuthenticator({ state: { key: 'key', serial: 'FAC-VM0000000001' } });
  slow = await createFortiAuthenticator({ state: { key: 'key', serial: 'FAC-VM0000000002' } });
});
afterEach(async () => {
  await monitor.stop();
  await Promise.all([quick.close(), slow.close()]);
});

async function start(appliance: string): Promise<void> {
  const unit = (name: string, { url, state, identity }: FortiAuthenticator): object => ({
    name,
    api: { url, user: state.user, keyEnv: 'SET_SECRET', pin: identity.pin },
  });
  const config: Config = await configOf({
    appliances: [unit('fac-1', quick), unit('fac-2', slow)],
    schedule: { appliance },
  });
  monitor = new ConnectedSystems(config, {
    clock: systemClock,
    env: { SET_SECRET: 'key' },
    registrationFile: { load: () => Promise.resolve(null), save: () => Promise.resolve() },
    firmwareFacts: [],
    pendingTokens: createPendingMemory({ load: () => Promise.resolve(null), save: () => undefined }),
    onError: (error) => {
      throw error;
    },
    onLag: () => undefined,
    onMissed: () => undefined,
  });
  monitor.start();
}

/** Returns the kind of observation for each unit. */
function known(): readonly (string | undefined)[] {
  return monitor.picture().appliances.map(({ rest }) => rest?.kind);
}

/** Returns the number of requests that start a check of a unit. */
function looks({ requests }: FortiAuthenticator): number {
  return requests.filter(({ path }) => path.includes('systeminfo')).length;
}

describe('a unit that answers late', () => {
  test('holds up no other, in this look and the next', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    slow.setFault({ kind: 'late', until: promise });
    await start(EACH_SECOND);
    await expect.poll(known, PATIENCE).toEqual(['ok', undefined]);
    await expect.poll(() => looks(quick), PATIENCE).toBeGreaterThan(2);
    expect(looks(slow)).toBe(1);
    resolve();
    await expect.poll(known, PATIENCE).toEqual(['ok', 'ok']);
    slow.setFault({ kind: 'none' });
    await expect.poll(() => looks(slow), PATIENCE).toBeGreaterThan(1);
  });

  test('is counted when it answers, and the others when they do', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    slow.setFault({ kind: 'late', until: promise });
    await start(NEVER);
    await expect.poll(known, PATIENCE).toEqual(['ok', undefined]);
    expect(monitor.drainRenewed()).toEqual({ preconditions: [], gone: [], systems: new Set(['appliances fac-1']) });
    expect(monitor.drainRenewed()).toEqual({ preconditions: [], gone: [], systems: new Set() });
    resolve();
    await expect.poll(known, PATIENCE).toEqual(['ok', 'ok']);
    expect(monitor.drainRenewed()).toEqual({
      preconditions: [],
      gone: ['appliance', 'license-assignment', 'token-pool'],
      systems: new Set(['appliances fac-2']),
    });
  });

  test('is called off at the end', async () => {
    slow.setFault({ kind: 'silent' });
    await start(NEVER);
    await expect.poll(known, PATIENCE).toEqual(['ok', undefined]);
    await monitor.stop();
    expect(known()).toEqual(['ok', undefined]);
  });
});

test('units that answer between the same two rounds are a look at all of them', async () => {
  await start(NEVER);
  await expect.poll(known, PATIENCE).toEqual(['ok', 'ok']);
  expect(monitor.drainRenewed()).toEqual({
    preconditions: ['appliance', 'license-assignment', 'token-pool'],
    gone: [],
    systems: new Set(['appliances fac-1', 'appliances fac-2']),
  });
});

describe('renewedCauses()', () => {
  const of = (appliance: string) => causeOf('appliance-unreachable', { subject: appliance });
  const shown = (appliance: string, more: object = {}) =>
    finding('appliance-unreachable', { subject: appliance, facts: { appliance }, ...more });
  const units = new Set(['appliances fac-1']);

  test('are those of the units that were asked again', async () => {
    const diagnosis = diagnosisOf(0, [of('fac-1'), of('fac-2'), causeOf('tls-intercepted')]);
    const preconditions = diagnosis.preconditions.map((status) =>
      status.id === 'appliance' ? { ...status, findings: [shown('fac-1'), shown('fac-2')] } : status,
    );
    expect(renewedCauses({ ...diagnosis, preconditions }, units)).toEqual([of('fac-1')]);
  });

  test('are none where a cause rests on several units', () => {
    const diagnosis = diagnosisOf(0, [of('fac-1')]);
    const preconditions = diagnosis.preconditions.map((status) =>
      status.id === 'appliance' ? { ...status, findings: [shown('fac-1', { concerns: ['fac-1', 'fac-2'] })] } : status,
    );
    expect(renewedCauses({ ...diagnosis, preconditions }, units)).toEqual([]);
  });
});
