import { expect, test } from 'vitest';
import { createOccasionalWarning } from '../../../src/logs/tally.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { logRecorder } from '../../support/process/log-recorder.ts';

test('warns of the first, then of how many there were, every ten minutes at most', () => {
  const clock = handClock(0);
  const logger = logRecorder();
  const warn = createOccasionalWarning({ clock, logger }, 'many', 'too many');
  const told = (): readonly unknown[] => logger.lines.map(({ level, fields, message }) => [level, fields, message]);

  for (let index = 0; index < 400; index += 1) warn({ address: String(index) });
  expect(told()).toEqual([['warn', { address: '0', times: 1 }, 'too many']]);

  clock.advance(599_999);
  warn({ address: 'x' });
  expect(told()).toHaveLength(1);
  clock.advance(1);
  warn({ address: 'y' });
  expect(told().slice(1)).toEqual([['warn', { address: 'y', times: 401 }, 'too many']]);
});
