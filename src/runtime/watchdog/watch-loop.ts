import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import type { Clock } from '../../core/clock.ts';
import { beat, IDLE_BEAT } from '../../system/clock.ts';

const PROGRAM = fileURLToPath(new URL('./watchdog.sh', import.meta.url));

/**
 * In seconds. After 45 s without a line, the loop has three more periods of 10 s to send one. At least two lines are
 * due by then.
 */
const [PATIENCE, CONFIRM] = ['45', '10'] as const;

interface WatchLoop {
  readonly clock: Clock;
  readonly env: NodeJS.ProcessEnv;
  readonly logger: Pick<Logger, 'error'>;
  readonly lastLine: LastLine;
}

/** Where the watchdog logs that it has ended this process. */
interface LastLine {
  /** A file descriptor of this process. */
  readonly fd: number;
  /** Text in front of a line whose level is `fatal`. */
  readonly prefix: string;
}

/**
 * Starts a process that ends this one if the event loop is blocked for a minute. systemd and container runtimes then
 * restart this process.
 */
export function watchLoop({ clock, env, logger, lastLine }: WatchLoop): Disposable {
  let isNeeded = true;
  function onEnd(error: unknown): void {
    if (!isNeeded) return;
    isNeeded = false;
    logger.error(
      { event: 'watchdog-missing', err: error },
      'Cannot monitor the event loop. If the process hangs, it will not be restarted automatically',
    );
  }
  const watchdog = startWatchdog(env, lastLine, onEnd);
  const cancel = beat(clock, IDLE_BEAT, () => void watchdog?.stdin?.write('\n'));

  return {
    [Symbol.dispose]: () => {
      isNeeded = false;
      cancel();
      watchdog?.stdin?.end();
    },
  };
}

/** Node throws some errors of `spawn` and reports others as events. */
function startWatchdog(
  env: NodeJS.ProcessEnv,
  { fd, prefix }: LastLine,
  onEnd: (error: unknown) => void,
): ChildProcess | null {
  try {
    const watchdog = spawn('bash', [PROGRAM, PATIENCE, CONFIRM, prefix], {
      // Only PATH is passed on, because the environment may contain secrets.
      env: { PATH: env['PATH'] },
      // The log is descriptor 3 of the child, because libuv makes a child's descriptors 0 to 2 blocking. This process
      // shares the open file, so a reader of the log that stops reading would block the event loop.
      stdio: ['pipe', 'ignore', 'ignore', fd],
      // The watchdog runs in a separate process group, so that it does not receive signals from the terminal.
      detached: true,
    });
    watchdog.on('error', onEnd);
    watchdog.once('exit', (code) => onEnd(new Error(`bash ended with code ${String(code)}`)));
    // If no file descriptor was free, there is no pipe. If the watchdog has ended, the exit event reports this.
    watchdog.stdin?.on('error', () => undefined);
    return watchdog;
  } catch (error) {
    onEnd(error);
    return null;
  }
}
