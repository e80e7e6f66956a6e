import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/system/clock.ts';
import {
  createCronTimer,
  type CronListener,
  type CronTimer,
  createSpreadTimer,
  offsetOf,
} from '../../../src/system/cron-timer.ts';
import { Runner } from '../../../src/system/runner.ts';

const EACH_SECOND = '* * * * * *';

/** Starts a timer and returns its first calls. */
async function firstCalls(count: number, create: (listener: CronListener) => CronTimer): Promise<readonly Call[]> {
  const calls: Call[] = [];
  let timer: CronTimer | null = null;
  await new Promise<void>((resolve) => {
    timer = create({
      onTime: (slot) => {
        calls.push({ slot, at: systemClock.now() });
        if (calls.length === count) resolve();
      },
      onMissed: () => calls.push({ slot: Number.NaN, at: systemClock.now() }),
    });
    timer.start();
  }).finally(() => timer?.stop());
  return calls;
}

interface Call {
  readonly slot: number;
  readonly at: number;
}

describe('the real node-cron', () => {
  test.concurrent.each(['UTC', 'Europe/Berlin'])(
    'calls at each second in %s, with the second that was meant',
    async (timezone) => {
      const calls = await firstCalls(3, (listener) => createCronTimer(EACH_SECOND, timezone, listener));
      const [first = Number.NaN] = calls.map(({ slot }) => slot);
      expect(first % 1_000).toBe(0);
      expect(calls.map(({ slot }) => slot - first)).toEqual([0, 1_000, 2_000]);
      for (const { slot, at } of calls) expect(at).toBeGreaterThanOrEqual(slot);
    },
  );

  test.concurrent('calls no more once it was stopped, and is told when it would', async () => {
    let calls = 0;
    const timer = createCronTimer(EACH_SECOND, 'UTC', { onTime: () => (calls += 1), onMissed: () => undefined });
    timer.start();
    const next = timer.nextRun() ?? Number.NaN;
    expect(next).toBeGreaterThan(systemClock.now() - 1_000);
    expect(next).toBeLessThanOrEqual(systemClock.now() + 1_000);
    timer.stop();
    await firstCalls(2, (listener) => createCronTimer(EACH_SECOND, 'UTC', listener));
    expect(calls).toBe(0);
  });

  test.concurrent('calls after being started again', async () => {
    const calls = await firstCalls(2, (listener) => {
      const timer = createCronTimer(EACH_SECOND, 'UTC', listener);
      return { ...timer, start: () => (timer.start(), timer.restart()) };
    });
    expect((calls[1]?.slot ?? 0) - (calls[0]?.slot ?? 0)).toBe(1_000);
  });

  test.concurrent('is followed at a distance of its own by each site', async () => {
    const calls = await firstCalls(2, (listener) =>
      createSpreadTimer({ expression: EACH_SECOND, timezone: 'UTC', seed: 'hq' }, systemClock, listener),
    );
    const offset = offsetOf(`hq ${EACH_SECOND}`, 1_000);
    expect(offset).toBeGreaterThan(0);
    expect(calls.map(({ slot }) => slot % 1_000)).toEqual([offset, offset]);
  });

  test.concurrent('and the guard together run once each second, none missed', async () => {
    const starts: number[] = [];
    let missed = 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    const runner = new Runner({
      clock: systemClock,
      timer: (listener) =>
        createSpreadTimer({ expression: EACH_SECOND, timezone: 'UTC', seed: 'hq' }, systemClock, listener),
      triggerGap: 0,
      onError: () => undefined,
      onLag: () => undefined,
      onMissed: () => (missed += 1),
      run: () => {
        starts.push(systemClock.now());
        if (starts.length === 6) resolve();
        return Promise.resolve();
      },
    });
    runner.start();
    await promise;
    await runner.stop();
    const gaps = starts.slice(2).map((at, index) => Math.round((at - (starts[index + 1] ?? 0)) / 1_000));
    expect(gaps).toEqual([1, 1, 1, 1]);
    expect(missed).toBe(0);
  });
});

describe('an expression', () => {
  test.each(['61 * * * * *', 'now', ''])('"%s" is refused', (expression) => {
    expect(() => createCronTimer(expression, 'UTC', { onTime: () => undefined, onMissed: () => undefined })).toThrow(
      `Cannot schedule "${expression}"`,
    );
  });

  test.each([
    ['0 30 2 * * 1', 'Europe/Berlin'],
    ['*/30 30 2 * * 1', 'Europe/Berlin'],
    ['30 0 6 * * *', 'Asia/Kathmandu'],
  ])('"%s" in %s is known days ahead', (expression, timezone) => {
    const timer = createCronTimer(expression, timezone, { onTime: () => undefined, onMissed: () => undefined });
    const [, minute, hour] = expression.split(' ');
    const next = new Date(timer.nextRun() ?? Number.NaN);
    timer.stop();
    expect(next.toLocaleTimeString('en-GB', { timeZone: timezone, hour: 'numeric', minute: 'numeric' })).toBe(
      `${(hour ?? '').padStart(2, '0')}:${(minute ?? '').padStart(2, '0')}`,
    );
    expect(next.getSeconds()).toBe(expression.startsWith('30') ? 30 : 0);
  });
});
