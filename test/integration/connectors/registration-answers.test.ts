import { describe, expect, it } from 'vitest';
import { nextTurn } from '../../../src/system/clock.ts';
import type { RegistrationState } from '../../../src/demo/lab/registration.ts';
import { LICENSES_PATH, PRODUCTS_PATH, TOKEN_PATH } from '../../../src/demo/lab/registration.ts';
import {
  A,
  type Asking,
  B,
  memoryFile,
  outcomes,
  paths,
  type Process,
  type RegistrationBench,
  startRegistration,
} from '../../support/connectors/registration-bench.ts';
import { handClock, type HandClock } from '../../support/time/hand-clock.ts';
import { HOUR, MINUTE } from '../../support/time/units.ts';

const HELD = { kind: 'registered', serial: 'FAC-VM0000000001' };
const PERIOD = 6 * HOUR;

function held(numbers: readonly string[]): RegistrationState['licenses'] {
  return numbers.map((licenseNumber) => ({ licenseNumber, serialNumber: HELD.serial, status: 'Registered' }));
}

interface Kept extends AsyncDisposable, Pick<RegistrationBench, 'service' | 'config'> {
  readonly clock: HandClock;
  /** Starts a process that uses the same file. An answer is fresh for a period. */
  start(more?: Asking): Process;
}

async function keep(state: Partial<RegistrationState>, content: unknown = null): Promise<Kept> {
  const bench = await startRegistration(state);
  const clock = handClock(Date.UTC(2026, 10, 24, 13));
  const file = memoryFile(content);
  const isFresh = (at: number): boolean => clock.now() < at + PERIOD;
  return {
    service: bench.service,
    config: bench.config,
    clock,
    start: (more) => bench.start({ file, isFresh, context: { clock }, ...more }),
    [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose](),
  };
}

describe('an answer from the registration service', () => {
  it('is used after any number of restarts, and renewed when it is no longer fresh', async () => {
    await using kept = await keep({ licenses: held([A]) });
    for (let start = 0; start < 100; start += 1) {
      expect(outcomes(await kept.start().ask())).toEqual([HELD]);
      kept.clock.advance(MINUTE);
    }
    expect(paths(kept.service)).toEqual([TOKEN_PATH, LICENSES_PATH]);
    kept.clock.advance(PERIOD);
    expect(outcomes(await kept.start().ask())).toEqual([HELD]);
    expect(kept.service.requests).toHaveLength(4);
  });

  it('is not about another account', async () => {
    await using kept = await keep({ licenses: held([A]) });
    await kept.start().ask();
    await kept.start({ config: { accountId: 77 } }).ask();
    expect(kept.service.requests).toHaveLength(4);
  });

  it.each([
    { time: '6 h after', after: PERIOD, isKept: true },
    { time: 'two periods after', after: 2 * PERIOD, isKept: true },
    { time: 'more than two periods after', after: 2 * PERIOD + 1, isKept: false },
  ])('stands with its age while the service fails, $time', async ({ after, isKept }) => {
    await using kept = await keep({ licenses: held([A]) });
    const process = kept.start();
    await process.ask();
    const since = kept.clock.now();
    kept.service.setFault({ kind: 'reset' });
    kept.clock.advance(after);
    const failure = { kind: 'failed', reason: 'reset' };
    for (const asked of [process, process]) {
      const lookup = isKept ? { outcome: HELD, kept: { since, because: failure } } : { outcome: failure };
      expect(await asked.ask()).toMatchObject(isKept ? { kind: 'ok', lookups: [lookup] } : { lookups: [lookup] });
    }
    expect(kept.service.requests).toHaveLength(3);
  });

  it('does not stand when the login is refused, which is tried again on schedule or by the next process', async () => {
    await using kept = await keep({ licenses: held([A]) });
    const process = kept.start();
    await process.ask();
    kept.service.state.password = 'changed';
    kept.clock.advance(PERIOD);
    expect(await process.ask()).toMatchObject({ kind: 'denied' });
    kept.service.state.password = 'api-password';
    kept.clock.advance(PERIOD - 1);
    expect(await process.ask()).toMatchObject({ kind: 'denied' });
    expect(outcomes(await kept.start().ask())).toEqual([HELD]);
    kept.clock.advance(1);
    expect(outcomes(await process.ask())).toEqual([HELD]);
  });

  it.each([400, 403])('that is an error (%i) for one licence waits for the schedule', async (status) => {
    await using kept = await keep({ licenses: held([A, B]), refused: { [B]: status } });
    const process = kept.start({ licenses: [B, A] });
    for (let times = 0; times < 5; times += 1) {
      expect(outcomes(await process.ask())).toMatchObject([{ kind: 'failed', reason: 'rejected' }, HELD]);
      kept.clock.advance(HOUR);
    }
    expect(kept.service.requests).toHaveLength(3);
  });

  it.each([429, 500])('that is missing (%i) is asked for again soon, and only this one', async (status) => {
    await using kept = await keep({ licenses: held([A, B]), refused: { [B]: status } });
    const process = kept.start({ licenses: [A, B] });
    expect(outcomes(await process.ask())).toMatchObject([HELD, { kind: 'failed', reason: 'rejected' }]);
    kept.service.state.refused = {};
    kept.clock.advance(MINUTE);
    expect(outcomes(await process.ask())).toEqual([HELD, HELD]);
    expect(paths(kept.service).slice(3)).toEqual([TOKEN_PATH, LICENSES_PATH]);
  });

  it('is asked for as soon as a licence is new', async () => {
    await using kept = await keep({ licenses: held([A, B]) });
    const process = kept.start();
    await process.ask();
    process.licenses = [A, B];
    expect(outcomes(await process.ask())).toEqual([HELD, HELD]);
    expect(paths(kept.service).slice(2)).toEqual([TOKEN_PATH, LICENSES_PATH]);
  });

  it('that a licence is not listed is asked for again when another unit may hold it', async () => {
    await using kept = await keep({ products: { 'FAC-VM0000000002': [A] } });
    const serials = ['FAC-VM0000000001'];
    for (let times = 0; times < 2; times += 1) await kept.start({ serials }).ask();
    expect(paths(kept.service)).toEqual([TOKEN_PATH, LICENSES_PATH, PRODUCTS_PATH]);
    kept.clock.advance(HOUR);
    expect(outcomes(await kept.start({ serials: [...serials, 'FAC-VM0000000002'] }).ask())).toEqual([
      { kind: 'registered', serial: 'FAC-VM0000000002' },
    ]);
  });

  it('is asked for in batches if there are many licences, until all are known', async () => {
    const numbers = Array.from({ length: 100 }, (_, index) => `EFTM${String(index).padStart(12, '0')}`);
    await using kept = await keep({ licenses: held(numbers) });
    const counts: number[] = [];
    for (let times = 0; times < 4; times += 1) {
      const seen = outcomes(await kept.start({ licenses: numbers }).ask());
      counts.push(seen.filter((outcome) => JSON.stringify(outcome) === JSON.stringify(HELD)).length);
      expect(seen.length).toBe(100);
      kept.clock.advance(3 * MINUTE);
    }
    expect(counts).toEqual([30, 60, 90, 100]);
    expect(paths(kept.service).filter((path) => path === LICENSES_PATH)).toHaveLength(100);
  });
});

describe('the file of the version before', () => {
  const budget = { calls: [1, 2], errors: [2], failures: 3 };

  it('still keeps the service from being asked during a pause, and then its answers are added', async () => {
    const until = Date.UTC(2026, 10, 24, 13) + 4 * MINUTE;
    await using kept = await keep({ licenses: held([A]) }, { ...budget, blockedUntil: until });
    expect(await kept.start().ask()).toEqual({ kind: 'postponed', until });
    kept.clock.advance(4 * MINUTE);
    for (let start = 0; start < 3; start += 1) expect(outcomes(await kept.start().ask())).toEqual([HELD]);
    expect(paths(kept.service)).toEqual([TOKEN_PATH, LICENSES_PATH]);
  });

  it('or of anybody counts as missing if it cannot be read', async () => {
    for (const content of ['text', [], { answers: 7, failures: -1 }, { answers: { [A]: { at: 'x' } } }]) {
      await using kept = await keep({ licenses: held([A]) }, content);
      expect(outcomes(await kept.start().ask())).toEqual([HELD]);
    }
  });
});

it('a process that ends during each query asks less and less often', async () => {
  await using kept = await keep({ licenses: held([A]) });
  kept.service.setFault({ kind: 'silent' });
  for (let start = 0; start < 100; start += 1) {
    const controller = new AbortController();
    const asked = kept.start({ context: { clock: kept.clock, signal: controller.signal } }).ask();
    let isOver = false;
    void asked.then(() => (isOver = true));
    const sent = kept.service.requests.length;
    while (!isOver && kept.service.requests.length === sent) await nextTurn();
    controller.abort(new Error('Killed'));
    await asked;
    kept.clock.advance(30_000);
  }
  // In 50 minutes, after pauses of 1, 2, 4, 8 and 16 minutes.
  expect(kept.service.requests).toHaveLength(6);
});
