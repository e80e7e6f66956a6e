import { setImmediate } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { type BudgetStore, createMeteredCall, type CallResult } from '../../../src/connectors/metered-call.ts';
import { handClock, type HandClock } from '../../support/time/hand-clock.ts';

type Call = Parameters<Awaited<ReturnType<typeof createMeteredCall>>>[0];

const LIMITS = { callsPerMinute: 100, callsPerHour: 1_000, errorsPerHour: 10 };

let clock: HandClock;
let abort: AbortController;
let sent: number;
let isDown: boolean;

beforeEach(() => {
  clock = handClock(Date.UTC(2026, 10, 24, 13));
  abort = new AbortController();
  sent = 0;
  isDown = false;
});

const CALL: Call = {
  what: 'Looking up a licence',
  send: () => {
    sent += 1;
    return isDown
      ? Promise.reject(Object.assign(new Error('down'), { code: 'ECONNRESET' }))
      : Promise.resolve({ kind: 'json', value: {}, serverTime: null });
  },
  problemOf: () => null,
  refusalBacksOff: false,
};

/** Makes this many calls one after the other. Time advances by a minute while a call waits. */
async function calls(count: number, patience?: number): Promise<readonly CallResult['kind'][]> {
  const store: BudgetStore = {
    load: () => Promise.resolve(null),
    save: () => Promise.resolve(),
    limits: LIMITS,
    ...(patience === undefined ? {} : { patience }),
  };
  const call = await createMeteredCall(store, {
    clock,
    signal: abort.signal,
    env: {},
    ownTurn: () => Promise.resolve(),
  });
  const results: CallResult['kind'][] = [];
  for (let index = 0; index < count; index += 1) {
    const result = call(CALL);
    await setImmediate();
    if (clock.timers() > 0 && !abort.signal.aborted) clock.advance(60_001);
    results.push((await result).kind);
  }
  return results;
}

const times = (kind: CallResult['kind'], results: readonly CallResult['kind'][]): number =>
  results.filter((each) => each === kind).length;

describe('createMeteredCall()', () => {
  test('postpones what is too much for a minute, when it has no patience', async () => {
    const results = await calls(250);
    expect([times('json', results), times('postponed', results), sent]).toEqual([100, 150, 100]);
  });

  test('asks for hundreds in the minutes that it takes, when it has', async () => {
    expect(times('json', await calls(250, 61_000))).toBe(250);
    expect(clock.elapsed()).toBeGreaterThan(120_000);
  });

  test('does not wait for the next hour', async () => {
    const results = await calls(1_010, 61_000);
    expect([times('json', results), times('postponed', results)]).toEqual([1_000, 10]);
  });

  test('does not wait for a service that fails', async () => {
    isDown = true;
    expect(await calls(2, 61_000)).toEqual(['failed', 'postponed']);
    expect(sent).toBe(1);
  });

  test('ends its wait when it is called off', async () => {
    const waiting = calls(101, 61_000);
    abort.abort(new Error('Stopping'));
    expect((await waiting).at(-1)).toBe('postponed');
  });
});
