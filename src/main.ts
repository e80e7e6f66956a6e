#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { createInterface, type Interface } from 'node:readline/promises';
import { dirname, extname } from 'node:path';
import { Writable } from 'node:stream';
import { isatty } from 'node:tty';

import { runProgram } from './cli/program.ts';
import { EXIT_UNKNOWN } from './cli/lazy-command.ts';
import type { Terminal } from './cli/terminal.ts';
import { systemClock } from './system/clock.ts';
import { compileLess, keepHeapSmall } from './system/v8-flags.ts';

// Captures can be larger than the available memory. Other commands exit before garbage collection matters.
if (['run', 'capture'].some((command) => process.argv.includes(command))) keepHeapSmall();
if (process.argv.includes('run')) compileLess();

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // A second signal exits immediately.
    if (stopping.signal.aborted) process.exit(130);
    stopping.abort(new Error(`Stopped by ${signal}`));
  });
}
process.stdout.on('error', exitWithoutOutput);

// glibc waits 5 s for the first name server before it tries the second. That is longer than a round waits for both
// servers together, and a lookup cannot be cancelled. With these options (resolv.conf(5)), glibc tries three times
// within 3 s, and accepts answers to earlier queries. The variable must be set before the first lookup.
process.env['RES_OPTIONS'] ??= 'timeout:1 attempts:3';

process.exitCode = await runProgram(process.argv.slice(2), terminal());
// Files are written synchronously, so if the disk is full, the error is known before its event.
if (process.stdout.errored !== null) exitWithoutOutput(process.stdout.errored);
// Exits explicitly, because aborted work may leave a socket or a name lookup open. The output is flushed first.
process.stdout.write('', () => process.exit());

function exitWithoutOutput(error: Error): never {
  // It is not an error if the program that reads the output has exited (`check | head`).
  if ('code' in error && error.code === 'EPIPE') process.exit(141);
  process.stderr.write(`Cannot write to standard output: ${error.message}\n`);
  process.exit(EXIT_UNKNOWN);
}

function terminal(): Terminal {
  const { stdin, stdout, stderr, env } = process;
  // Without a terminal, the number of columns is undefined, and a serial console often reports 0.
  const width = Math.min(stdout.columns || 100, 120);
  const color = stdout.isTTY && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
  return {
    version: packageVersion(),
    clock: systemClock,
    env,
    hostname: hostname(),
    account: account(),
    cwd: process.cwd(),
    // A built program consists of compiled files.
    checkout: extname(import.meta.filename) === '.ts' ? dirname(import.meta.dirname) : null,
    input: stdin,
    output: stdout,
    errors: stderr,
    style: { color, width },
    columns: stdout.isTTY ? width : null,
    progress: stderr.isTTY ? stderr : null,
    ask: stdin.isTTY && stdout.isTTY ? createDialogue({ hidden: false }) : null,
    askHidden: stdin.isTTY ? createDialogue({ hidden: true }) : null,
    signal: stopping.signal,
    onHangup: (listener) =>
      void process.on('SIGHUP', () => {
        // SIGHUP is also sent when a terminal closes. In that case, the output is no longer a terminal.
        if (stdout.isTTY && !isatty(stdout.fd)) stopping.abort(new Error('The terminal was closed'));
        else listener();
      }),
  };
}

/** Returns the user who called sudo. If the account has no name, as in a container, returns its number. */
function account(): string {
  const uid = process.getuid?.() ?? 0;
  const { SUDO_USER: person = '' } = process.env;
  if (uid === 0 && person !== '') return person;
  try {
    return userInfo().username;
  } catch {
    return `uid ${String(uid)}`;
  }
}

/**
 * Reads one line for each question, including lines that were typed ahead. With `hidden`, the answer is not echoed, and
 * the question is written to standard error, because standard output may be redirected to a file.
 */
function createDialogue({ hidden }: { readonly hidden: boolean }): (question: string) => Promise<string> {
  let dialogue: { readonly asked: Interface; readonly lines: AsyncIterator<string> } | null = null;
  return async (question) => {
    if (dialogue === null) {
      const output = hidden ? new Writable({ write: (_chunk, _encoding, done) => done() }) : process.stdout;
      // In this mode, readline, not the terminal, echoes the input.
      const asked = createInterface({ input: process.stdin, output, terminal: true, historySize: 0 });
      stopping.signal.addEventListener('abort', () => asked.close(), { once: true });
      dialogue = { asked, lines: asked[Symbol.asyncIterator]() };
    }
    if (hidden) process.stderr.write(question);
    dialogue.asked.setPrompt(hidden ? '' : question);
    dialogue.asked.prompt();
    const answer = await dialogue.lines.next();
    if (hidden) process.stderr.write('\n');
    // The user pressed Ctrl-C or Ctrl-D.
    if (answer.done === true) throw new Error('No answer was given');
    return answer.value;
  };
}

function packageVersion(): string {
  const parsed: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return typeof parsed === 'object' && parsed !== null && 'version' in parsed && typeof parsed.version === 'string'
    ? parsed.version
    : 'unknown';
}
