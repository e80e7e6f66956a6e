import { describe, expect, it } from 'vitest';
import type { RegistrationObservation } from '../../../src/core/license/registration.ts';
import type { UnitObservation } from '../../../src/connectors/picture.ts';
import { createSpreadTimer } from '../../../src/system/cron-timer.ts';
import { nextTurn } from '../../../src/system/clock.ts';
import { watchRegistration } from '../../../src/connectors/registration.ts';
import { LICENSES_PATH, TOKEN_PATH } from '../../../src/demo/lab/registration.ts';
import { configOf } from '../../support/config/config-of.ts';
import { handClock, type HandClock } from '../../support/time/hand-clock.ts';
import {
  A,
  B,
  memoryStore,
  outcomes,
  paths,
  startRegistration,
  type RegistrationBench,
} from '../../support/connectors/registration-bench.ts';

const HELD = { kind: 'registered', serial: 'FAC-VM0000000001' };
const MINUTE = 60_000;

function held(numbers: readonly string[]) {
  return numbers.map((licenseNumber) => ({ licenseNumber, serialNumber: HELD.serial, status: 'Registered' }));
}

/** The next date is so far away that any further check was scheduled by the watch itself. */
const SCHEDULE = { expression: '0 0 0 1 1 *', timezone: 'UTC', seed: 'hq' };

interface Watched extends AsyncDisposable {
  readonly clock: HandClock;
  readonly seen: readonly RegistrationObservation[];
  /** Adds licences, as if another unit or the tokens of the first unit had them. */
  add(licenses: readonly string[]): void;
  /** Waits for the check with this number. */
  look(number: number): Promise<RegistrationObservation>;
}

async function watch(bench: RegistrationBench, licenses: readonly string[]): Promise<Watched> {
  const clock = handClock(Date.now());
  const seen: RegistrationObservation[] = [];
  const units = async (all: readonly string[]): Promise<readonly UnitObservation[]> => {
    const { appliances } = await configOf({ appliances: [{ name: 'fac-1', licenses: all }] });
    return appliances.map((config) => ({ config, rest: null, role: null }));
  };
  let known = units(licenses);
  const budget = memoryStore();
  const watching = watchRegistration(bench.config, {
    clock,
    env: bench.env,
    ownTurn: nextTurn,
    timer: (listener) => createSpreadTimer(SCHEDULE, clock, listener),
    period: 365 * 24 * 60 * MINUTE,
    triggerGap: MINUTE,
    budget,
    appliances: () => known,
    onSeen: (registration) => seen.push(registration),
    onError: (error) => {
      throw error;
    },
    onLag: () => undefined,
    onMissed: () => undefined,
  });
  watching.start();
  return {
    clock,
    seen,
    add: (more) => {
      known = units([...licenses, ...more]);
      watching.appliancesChanged();
    },
    look: async (number) => {
      await expect.poll(() => seen.length, { timeout: 15_000 }).toBe(number);
      // The time of the next check is read from the budget afterwards.
      await new Promise(setImmediate);
      return seen[number - 1] ?? { kind: 'ok', lookups: [] };
    },
    [Symbol.asyncDispose]: () => watching.stop(),
  };
}

describe('the registration service that fails once', () => {
  const licenses = held([A, B]);

  it.each([429, 500])('(%i) is asked again when it may be, and only for what it did not answer', async (status) => {
    await using bench = await startRegistration({ licenses, refused: { [B]: status } });
    await using watched = await watch(bench, [A, B]);
    expect(outcomes(await watched.look(1))).toMatchObject([HELD, { kind: 'failed', reason: 'rejected' }]);
    bench.service.state.refused = {};
    const before = bench.service.requests.length;
    watched.clock.advance(MINUTE - 1);
    expect(bench.service.requests).toHaveLength(before);
    watched.clock.advance(1);
    expect(outcomes(await watched.look(2))).toEqual([HELD, HELD]);
    expect(paths(bench.service).slice(before)).toEqual([TOKEN_PATH, LICENSES_PATH]);
  });

  it('is asked again after a login that did not answer', async () => {
    await using bench = await startRegistration({ licenses });
    bench.service.setFault({ kind: 'reset' }, TOKEN_PATH);
    await using watched = await watch(bench, [A]);
    expect(await watched.look(1)).toMatchObject({ kind: 'failed', reason: 'reset' });
    bench.service.setFault({ kind: 'none' }, TOKEN_PATH);
    watched.clock.advance(MINUTE);
    expect(outcomes(await watched.look(2))).toEqual([HELD]);
  });

  it.each([400, 403])('(%i) for one licence waits for the schedule: a pause fixes nothing', async (status) => {
    await using bench = await startRegistration({ licenses, refused: { [B]: status } });
    await using watched = await watch(bench, [B, A]);
    expect(outcomes(await watched.look(1))).toMatchObject([{ kind: 'failed' }, HELD]);
    const before = bench.service.requests.length;
    watched.clock.advance(10 * MINUTE);
    await new Promise(setImmediate);
    expect(bench.service.requests).toHaveLength(before);
  });
});

describe('more licences than one check looks up', () => {
  const numbers = Array.from({ length: 120 }, (_, index) => `EFTM${String(index).padStart(12, '0')}`);
  const licenses = held(numbers);

  it('are looked up in batches, so that all of them are known in the end', async () => {
    await using bench = await startRegistration({ licenses });
    await using watched = await watch(bench, numbers);
    const looked = async (number: number): Promise<number> =>
      outcomes(await watched.look(number)).filter((one) => JSON.stringify(one) === JSON.stringify(HELD)).length;
    const counts = [await looked(1)];
    for (const number of [2, 3]) {
      watched.add([]);
      await new Promise(setImmediate);
      expect(watched.seen).toHaveLength(number - 1);
      watched.clock.advance(10 * MINUTE);
      counts.push(await looked(number));
    }
    expect(counts).toEqual([50, 100, 120]);
    expect(paths(bench.service).filter((path) => path === LICENSES_PATH)).toHaveLength(120);
    watched.clock.advance(60 * MINUTE);
    await new Promise(setImmediate);
    expect(watched.seen).toHaveLength(3);
  });
});

describe('a licence that a unit was not known to have', () => {
  const licenses = held([A, B]);

  it('is looked up soon, by itself', async () => {
    await using bench = await startRegistration({ licenses });
    await using watched = await watch(bench, [A]);
    expect(await watched.look(1)).toMatchObject({ lookups: [{ license: A, outcome: HELD }] });
    const before = bench.service.requests.length;
    watched.add([B]);
    await new Promise(setImmediate);
    watched.clock.advance(MINUTE);
    expect(outcomes(await watched.look(2))).toEqual([HELD, HELD]);
    expect(paths(bench.service).slice(before)).toEqual([TOKEN_PATH, LICENSES_PATH]);
  });

  it.each([
    ['that is known', [A], {}],
    ['that the service refuses', [B], { [B]: 403 }],
  ] as const)('%s is not asked for again and again', async (_, more, refused) => {
    await using bench = await startRegistration({ licenses, refused });
    await using watched = await watch(bench, [A, ...more]);
    await watched.look(1);
    const before = bench.service.requests.length;
    for (let times = 0; times < 3; times += 1) {
      watched.add(more);
      await new Promise(setImmediate);
      watched.clock.advance(10 * MINUTE);
      await new Promise(setImmediate);
    }
    expect(bench.service.requests).toHaveLength(before);
  });

  it('of an account that is refused waits for the schedule', async () => {
    await using bench = await startRegistration({ licenses, user: 'somebody else' });
    await using watched = await watch(bench, [A]);
    expect(await watched.look(1)).toMatchObject({ kind: 'denied' });
    const before = bench.service.requests.length;
    watched.add([]);
    await new Promise(setImmediate);
    watched.clock.advance(10 * MINUTE);
    await new Promise(setImmediate);
    expect(bench.service.requests).toHaveLength(before);
  });
});
