import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { createLimiter } from '../../../src/network/limiter.ts';

const NEVER = new AbortController().signal;

describe('createLimiter', () => {
  test('lets so many run at once, in the order in which they came', async () => {
    const limiter = createLimiter(2);
    const started: number[] = [];
    const gates = [0, 1, 2, 3].map(() => Promise.withResolvers<undefined>());
    const tasks = gates.map((gate, index) =>
      limiter.run(async () => {
        started.push(index);
        await gate.promise;
        return index;
      }, NEVER),
    );
    expect(limiter.waiting).toBe(2);
    gates[1]?.resolve(undefined);
    expect(await tasks[1]).toBe(1);
    await Promise.resolve();
    expect(started).toEqual([0, 1, 2]);
    expect(limiter.waiting).toBe(1);
    for (const gate of gates) gate.resolve(undefined);
    expect(await Promise.all(tasks)).toEqual([0, 1, 2, 3]);
    expect(limiter.waiting).toBe(0);
  });

  test('frees the place of a task that failed', async () => {
    const limiter = createLimiter(1);
    await expect(limiter.run(() => Promise.reject(new Error('no')), NEVER)).rejects.toThrow('no');
    expect(await limiter.run(() => Promise.resolve('yes'), NEVER)).toBe('yes');
  });

  // Listeners of network/limiter.ts: addEventListener abort
  test('lets a waiting task go with its signal, and keeps no listener', async () => {
    const limiter = createLimiter(1);
    const gate = Promise.withResolvers<undefined>();
    const round = new AbortController();
    const first = limiter.run(() => gate.promise, round.signal);
    const second = limiter.run(() => Promise.reject(new Error('must not run')), round.signal);
    const third = limiter.run(() => Promise.resolve('third'), NEVER);
    round.abort(new Error('over'));
    await expect(second).rejects.toThrow('over');
    await expect(limiter.run(() => Promise.resolve(), round.signal)).rejects.toThrow('over');
    gate.resolve(undefined);
    await first;
    expect(await third).toBe('third');
    expect(limiter.waiting).toBe(0);
    expect(getEventListeners(round.signal, 'abort')).toEqual([]);
  });
});
