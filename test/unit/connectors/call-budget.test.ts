import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type BudgetStore,
  type CallResult,
  createMeteredCall,
  parseBudget,
} from '../../../src/connectors/metered-call.ts';
import { handClock, type HandClock } from '../../support/time/hand-clock.ts';
import { HOUR, MINUTE, SECOND } from '../../support/time/units.ts';

type Reply = 'answers' | 'has an error' | 'fails' | { readonly retryAfter: number };
type MeteredCall = Awaited<ReturnType<typeof createMeteredCall>>;

const NOW = 1_800_000_000_000;

type Context = Parameters<typeof createMeteredCall>[1];

interface Bench {
  readonly clock: HandClock;
  /** Makes a call. Returns null, or the time until which it is postponed, counted from now. */
  readonly call: (reply?: Reply) => Promise<number | null>;
  /** Makes this many calls one after the other, and returns how they ended. A minute passes while one waits. */
  readonly calls: (count: number, reply?: Reply) => Promise<Readonly<Partial<Record<CallResult['kind'], number>>>>;
  /** Starts again with the budget that was stored. */
  readonly restart: () => Promise<void>;
  readonly abort: AbortController;
}

async function bench(more: Pick<BudgetStore, 'limits' | 'patience'> = {}): Promise<Bench> {
  const [clock, abort] = [handClock(NOW), new AbortController()];
  let json = 'null';
  const store: BudgetStore = {
    load: () => Promise.resolve(JSON.parse(json) as unknown),
    save: (budget) => {
      json = JSON.stringify(budget);
      return Promise.resolve();
    },
    ...more,
  };
  const context: Context = { clock, signal: abort.signal, env: {}, ownTurn: () => Promise.resolve() };
  let metered = await createMeteredCall(store, context);
  return {
    clock,
    abort,
    call: async (reply = 'answers') => {
      const result = await metered(callWith(reply));
      return result.kind === 'postponed' ? result.until - clock.now() : null;
    },
    calls: async (count, reply = 'answers') => {
      const results: CallResult['kind'][] = [];
      for (let index = 0; index < count; index += 1) {
        const result = metered(callWith(reply));
        await setImmediate();
        if (clock.timers() > 0 && !abort.signal.aborted) clock.advance(MINUTE + 1);
        results.push((await result).kind);
      }
      return Object.fromEntries([...Map.groupBy(results, (kind) => kind)].map(([kind, all]) => [kind, all.length]));
    },
    restart: async () => {
      metered = await createMeteredCall(store, context);
    },
  };
}

function callWith(reply: Reply): Parameters<MeteredCall>[0] {
  return {
    what: 'Looking up a licence',
    send: () => {
      if (reply === 'fails') return Promise.reject(Object.assign(new Error('down'), { code: 'ECONNRESET' }));
      return typeof reply === 'string'
        ? Promise.resolve({ kind: 'json', value: {}, serverTime: null })
        : Promise.resolve({ kind: 'status', status: 503, retryAfter: reply.retryAfter, serverTime: null });
    },
    problemOf: () => (reply === 'has an error' ? 'no such licence' : null),
    refusalBacksOff: false,
  };
}

/** Makes calls until one is postponed, and returns how many were made. */
async function most({ call }: Bench, reply?: Reply): Promise<number> {
  for (let made = 0; made < 2_000; made += 1) if ((await call(reply)) !== null) return made;
  throw new Error('Expected a limit');
}

describe("createMeteredCall() within FortiCloud's limits", () => {
  it('makes 100 calls a minute, and the next when the first is a minute old', async () => {
    const metered = await bench();
    expect(await most(metered)).toBe(100);
    metered.clock.advance(MINUTE - 1);
    expect(await metered.call()).toBe(1);
    metered.clock.advance(1);
    expect(await metered.call()).toBeNull();
  });

  it('makes 1000 calls an hour', async () => {
    const metered = await bench();
    let made = 0;
    for (let minute = 0; minute < 12; minute += 1) {
      made += await most(metered);
      metered.clock.advance(MINUTE);
    }
    expect(made).toBe(1000);
    expect(await metered.call()).toBe(HOUR - 12 * MINUTE);
  });

  it('makes no more than 10 calls with errors an hour', async () => {
    const metered = await bench();
    expect(await most(metered, 'has an error')).toBe(10);
    expect(await metered.call()).toBe(HOUR);
    metered.clock.advance(HOUR);
    expect(await metered.call()).toBeNull();
  });

  it('backs off longer with every failure, up to an hour, and starts over after a success', async () => {
    const { clock, call } = await bench();
    const pauseAfter = async (reply: Reply): Promise<number> => {
      clock.advance(2 * HOUR);
      expect(await call(reply)).toBeNull();
      return ((await call()) ?? 0) / MINUTE;
    };
    const pauses: number[] = [];
    for (let failure = 0; failure < 8; failure += 1) pauses.push(await pauseAfter('fails'));
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
    expect(await pauseAfter('answers')).toBe(0);
    expect(await pauseAfter('fails')).toBe(1);
  });

  it.each([
    { retryAfter: 5 * MINUTE, pause: 5 * MINUTE },
    { retryAfter: 100 * HOUR, pause: HOUR },
    { retryAfter: 1, pause: MINUTE },
  ])('obeys Retry-After, no longer than an hour: $retryAfter', async ({ retryAfter, pause }) => {
    const { call } = await bench();
    expect([await call({ retryAfter }), await call()]).toEqual([null, pause]);
  });

  it('goes on as before after a restart', async () => {
    const { call, restart } = await bench();
    await call();
    await call('fails');
    await restart();
    expect(await call()).toBe(MINUTE);
  });

  it('does not lock for days when the wall clock was set back', async () => {
    const { clock, call } = await bench();
    clock.step(1000 * HOUR);
    await call('fails');
    clock.step(-1000 * HOUR);
    expect(await call()).toBe(HOUR);
  });

  it('never exceeds a limit, whenever calls and errors happen', async () => {
    const step = fc.record({ after: fc.integer({ min: 0, max: 120_000 }), fails: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 300 }), async (steps) => {
        const { clock, call } = await bench({ limits: { callsPerMinute: 5, callsPerHour: 20, errorsPerHour: 3 } });
        const made: number[] = [];
        const errors: number[] = [];
        for (const { after, fails } of steps) {
          clock.advance(after);
          if ((await call(fails ? 'has an error' : 'answers')) !== null) continue;
          made.push(clock.now());
          if (fails) errors.push(clock.now());
        }
        expect(mostWithin(made, MINUTE)).toBeLessThanOrEqual(5);
        expect(mostWithin(made, HOUR)).toBeLessThanOrEqual(20);
        expect(mostWithin(errors, HOUR)).toBeLessThanOrEqual(3);
      }),
    );
  });
});

function mostWithin(instants: readonly number[], span: number): number {
  return Math.max(
    0,
    ...instants.map((end) => instants.filter((instant) => instant <= end && instant > end - span).length),
  );
}

describe('createMeteredCall() with patience', () => {
  const PATIENT = { patience: MINUTE + SECOND };

  it('makes hundreds of calls in the minutes that it takes', async () => {
    const { calls, clock } = await bench(PATIENT);
    expect(await calls(250)).toEqual({ json: 250 });
    expect(clock.elapsed()).toBeGreaterThan(2 * MINUTE);
  });

  it('does not wait for the next hour', async () => {
    expect(await (await bench(PATIENT)).calls(1_010)).toEqual({ json: 1_000, postponed: 10 });
  });

  it('does not wait for a service that fails', async () => {
    expect(await (await bench(PATIENT)).calls(2, 'fails')).toEqual({ failed: 1, postponed: 1 });
  });

  it('ends its wait when it is called off', async () => {
    const { calls, abort } = await bench(PATIENT);
    const waiting = calls(101);
    abort.abort(new Error('Stopping'));
    expect(await waiting).toEqual({ json: 100, postponed: 1 });
  });
});

describe('parseBudget()', () => {
  it.each([
    null,
    undefined,
    'text',
    7,
    [],
    {},
    { calls: 'x', errors: [null, 'y', Number.NaN], failures: -1, blockedUntil: '3' },
  ])('reads %j as empty', (value) => {
    expect(parseBudget(value)).toEqual({ calls: [], errors: [], failures: 0, blockedUntil: 0 });
  });
});
