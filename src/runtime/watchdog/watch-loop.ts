import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import type { Clock } from '../../core/clock.ts';
import { beat, IDLE_BEAT } from '../../system/clock.ts';

const PROGRAM = fileURLToPath(new URL('./watchdog.sh', import.meta.url));

/** In seconds: after a minute without a beat, the loop has 15 more seconds to prove that it runs. */
const [PATIENCE, CONFIRM] = ['60', '5'] as const;

/**
 * Starts a process that ends this one if the event loop, which would have to notice any other problem, does not run for
 * a minute. systemd and containers then restart this process. Stops when disposed.
 */
export function watchLoop(clock: Clock, env: NodeJS.ProcessEnv, logger: Pick<Logger, 'error'>): Disposable {
  const watchdog = spawn('bash', [PROGRAM, PATIENCE, CONFIRM], {
    // The environment may contain secrets.
    env: { PATH: env['PATH'] },
    stdio: ['pipe', 'inherit', 'ignore'],
    // Not in the group of the terminal, whose signals are for this process.
    detached: true,
  });
  let isNeeded = true;
  function onEnd(error: unknown): void {
    if (!isNeeded) return;
    isNeeded = false;
    logger.error(
      { err: error },
      'Cannot monitor the event loop. If the process hangs, it will not be restarted automatically',
    );
  }
  watchdog.on('error', onEnd);
  watchdog.once('exit', (code) => onEnd(new Error(`bash ended with code ${String(code)}`)));
  // Without file descriptors, there is no pipe. If the process has ended, that is reported above.
  watchdog.stdin?.on('error', () => undefined);
  const cancel = beat(clock, IDLE_BEAT, () => void watchdog.stdin?.write('\n'));

  return {
    [Symbol.dispose]: () => {
      isNeeded = false;
      cancel();
      watchdog.stdin?.end();
    },
  };
}
