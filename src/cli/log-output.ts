import { fstatSync, writeSync } from 'node:fs';

import type { Clock, Millis } from '../core/clock.ts';
import { journalForm, jsonForm, type LogForm, readableForm } from './log-form.ts';
import type { Terminal } from './terminal.ts';

/** Where a logger writes its lines; pino takes it for a destination. */
export interface LogOutput {
  write(line: string): void;
}

export interface LogOutputOptions {
  readonly clock: Clock;
  readonly form: LogForm;
  /** Writes as much as there is room for and gives the number of bytes. @throws what Node does when there is none */
  readonly writeSome: (bytes: Uint8Array) => number;
}

/** Waits for room; beyond it new lines are given up. */
const MAX_WAITING_BYTES = 256 * 1024;
const RETRY_AFTER: Millis = 1_000;

/**
 * The log of a program that must go on whatever becomes of its log: a full disk, a reader that does not read or is gone
 * cost log lines, and how many is said as soon as there is room again. Nothing here throws, and nothing waits: pino's
 * own destination tries again for ever, on the only thread there is, when a disk is full.
 * @internal
 */
export function createLogOutput({ clock, form, writeSome }: LogOutputOptions): LogOutput {
  let waiting: Buffer = Buffer.alloc(0);
  let lost = 0;
  let cancelRetry: (() => void) | null = null;

  function flush(): void {
    try {
      while (waiting.length > 0) waiting = waiting.subarray(writeSome(waiting));
    } catch {
      // There is no place left to say so.
    }
  }

  function drain(): void {
    flush();
    if (waiting.length === 0 && lost > 0) {
      waiting = Buffer.from(form(lossLine(lost, clock)));
      lost = 0;
      flush();
    }
    if (waiting.length > 0)
      cancelRetry ??= clock.after(RETRY_AFTER, () => {
        cancelRetry = null;
        drain();
      });
  }

  return {
    write: (line) => {
      const bytes = Buffer.from(form(line));
      // After a loss the order is kept: what comes next waits until the loss has been told.
      if (waiting.length + bytes.length > MAX_WAITING_BYTES || (lost > 0 && waiting.length > 0)) lost += 1;
      else waiting = waiting.length === 0 ? bytes : Buffer.concat([waiting, bytes]);
      drain();
    },
  };
}

/**
 * On standard output. Node has made that non-blocking where it is a pipe or a socket, so that a reader that sleeps
 * holds nothing up.
 */
export function standardOutput({ clock, env, style }: Pick<Terminal, 'clock' | 'env' | 'style'>): LogOutput {
  const { fd, isTTY } = process.stdout;
  const form = isTTY ? readableForm(style.color) : isJournal(fd, env) ? journalForm : jsonForm;
  return createLogOutput({ clock, form, writeSome: (bytes) => writeSync(fd, bytes) });
}

/** systemd.exec(5): whether it is the very stream that systemd has connected with the journal. */
function isJournal(fd: number, { JOURNAL_STREAM: stream }: NodeJS.ProcessEnv): boolean {
  if (stream === undefined) return false;
  const { dev, ino } = fstatSync(fd);
  return stream === `${String(dev)}:${String(ino)}`;
}

/** In the form of pino's lines, as a warning. */
function lossLine(lines: number, clock: Clock): string {
  const msg = 'Log lines were lost: they could not be written';
  return `${JSON.stringify({ level: 'warn', time: new Date(clock.now()).toISOString(), lines, msg })}\n`;
}
