import { describe, expect, test } from 'vitest';
import type { FramedLine } from '../../../src/logs/framing.ts';
import { createUnknownSenderLog, createUnrecognisedLog } from '../../../src/logs/senders.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { logRecorder } from '../../support/process/log-recorder.ts';

const HOUR = 3_600_000;
const TEXT = '<14>Aug 14 22:32:52 fac01 db[16987]: x';
const LINE: FramedLine = { bytes: Buffer.from(TEXT), text: TEXT, start: 0, end: TEXT.length, cut: false };

describe('the notice about lines that no signature knows', () => {
  test('is logged once for each sender, of 50 within an hour, and has a turn for the next one after that', () => {
    const clock = handClock(0);
    const logger = logRecorder();
    const log = createUnrecognisedLog({ clock, logger });
    for (let index = 0; index < 1_000; index += 1) log(`10.0.0.${String(index)}`, 'FTM: unheard of');
    expect(logger.lines).toHaveLength(50);

    log('10.9.9.9', 'FTM: unheard of');
    clock.advance(HOUR);
    log('10.9.9.9', 'FTM: unheard of');
    log('10.9.9.9', 'FTM: unheard of');
    expect(logger.lines.slice(50).map(({ fields }) => fields)).toMatchObject([{ sender: '10.9.9.9' }]);
  });
});

describe('the notice about strangers', () => {
  test('tells of each once, and of 50 within an hour', () => {
    const logger = logRecorder();
    const log = createUnknownSenderLog({ clock: handClock(0), logger });

    for (const times of [1, 2])
      for (let index = 0; index < 100; index += 1) log.note(`10.0.${String(times)}.${String(index % 60)}`, LINE);

    expect(logger.lines).toHaveLength(50);
    expect(logger.lines[0]?.fields).toEqual({ sender: '10.0.1.0', hostInLine: 'fac01' });
    expect(log.senders()).toHaveLength(50);
  });

  test('does not end after that: the next one has its turn', () => {
    const clock = handClock(0);
    const logger = logRecorder();
    const log = createUnknownSenderLog({ clock, logger });
    for (let index = 0; index < 1000; index += 1) log.note(`10.0.0.${String(index)}`, LINE);

    clock.advance(HOUR);
    log.note('10.9.9.9', LINE);

    expect(logger.lines.at(-1)?.fields).toMatchObject({ sender: '10.9.9.9' });
    expect(log.senders()).toHaveLength(50);
    expect(log.senders().at(-1)).toBe('10.9.9.9');
  });
});
