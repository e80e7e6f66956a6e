import { expect, test } from 'vitest';
import { unlessAborted } from '../../../src/network/context.ts';

const never = new Promise<string>(() => undefined);

test('gives what the promise gives, and fails as it fails', async () => {
  const { signal } = new AbortController();
  await expect(unlessAborted(Promise.resolve('a'), signal)).resolves.toBe('a');
  await expect(unlessAborted(Promise.reject(new Error('b')), signal)).rejects.toThrow('b');
});

// Listeners of network/context.ts: addEventListener abort
test('fails with the reason of the signal, before or after it was aborted', async () => {
  const calledOff = new AbortController();
  const waiting = unlessAborted(never, calledOff.signal);
  calledOff.abort(new Error('called off'));
  await expect(waiting).rejects.toThrow('called off');
  await expect(unlessAborted(never, calledOff.signal)).rejects.toThrow('called off');
});

test('hears of a failure that nobody waits for any more', async () => {
  const heard: unknown[] = [];
  const onUnheard = (error: unknown): void => {
    heard.push(error);
  };
  process.on('unhandledRejection', onUnheard);
  try {
    await expect(
      unlessAborted(Promise.reject(new Error('late')), AbortSignal.abort(new Error('called off'))),
    ).rejects.toThrow('called off');
    await new Promise(setImmediate);
  } finally {
    process.off('unhandledRejection', onUnheard);
  }
  expect(heard).toEqual([]);
});
