import { describe, expect, test } from 'vitest';
import { createLogOutput } from '../../../src/cli/run.ts';
import { handClock } from '../../support/time/hand-clock.ts';

const START = Date.UTC(2026, 10, 24, 13);
const LOSS =
  /^\{"level":"warn","time":"2026-11-24T13:\d\d:\d\d\.\d{3}Z","event":"log-lines-dropped","lines":(\d+),"msg":"[^"]+"\}$/u;

/** Returns a destination with room for this many bytes. */
function place(room: number): { room: number; text: string; readonly writeSome: (bytes: Uint8Array) => number } {
  const here = {
    room,
    text: '',
    writeSome: (bytes: Uint8Array): number => {
      const taken = Math.min(here.room, bytes.length);
      if (taken === 0) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
      here.room -= taken;
      here.text += Buffer.from(bytes.subarray(0, taken)).toString();
      return taken;
    },
  };
  return here;
}

describe('createLogOutput()', () => {
  test('writes each line at once', () => {
    const here = place(1_000);
    const output = createLogOutput({ clock: handClock(START), form: (line) => line, writeSome: here.writeSome });
    output.write('one\n');
    output.write('two\n');
    expect(here.text).toBe('one\ntwo\n');
  });

  test('keeps what finds no room, in order and without a gap, until there is some', () => {
    const clock = handClock(START);
    const here = place(6);
    const output = createLogOutput({ clock, form: (line) => line, writeSome: here.writeSome });
    for (const line of ['one\n', 'two\n', 'three\n']) output.write(line);
    expect(here.text).toBe('one\ntw');
    here.room = 1_000;
    clock.advance(1_000);
    expect(here.text).toBe('one\ntwo\nthree\n');
    expect(clock.timers()).toBe(0);
  });

  test('bounds what waits, and says how many lines were lost', () => {
    const clock = handClock(START);
    const here = place(0);
    const output = createLogOutput({ clock, form: (line) => line, writeSome: here.writeSome });
    const line = `${'x'.repeat(1_023)}\n`;
    for (let index = 0; index < 300; index += 1) output.write(line);
    here.room = Number.POSITIVE_INFINITY;
    clock.advance(1_000);
    output.write('after\n');
    const lines = here.text.trim().split('\n');
    expect(lines.slice(0, -2)).toHaveLength(256);
    expect(LOSS.exec(lines.at(-2) ?? '')?.[1]).toBe('44');
    expect(lines.at(-1)).toBe('after');
  });
});
