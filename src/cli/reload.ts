import type { Millis } from '../core/clock.ts';
import { visibleText } from '../core/visible-text.ts';
import { controlPlace, runtimeSocket } from '../runtime/store-places.ts';
import { createDaemonClient, type DaemonPlace } from './daemon-client.ts';
import { InvalidConfiguration, type Invocation, storePathOf } from './terminal.ts';

const RELOAD_EXIT = { taken: 0, refused: 2 } as const;

const MAX_LINE = 1_000;
/** A reload starts only after work in progress has finished. */
const RELOAD_LIMIT: Millis = 30_000;

export async function reload(terminal: Invocation): Promise<number> {
  const { output, errors } = terminal;
  try {
    const daemon = await createDaemonClient(await placeOf(terminal), terminal, RELOAD_LIMIT);
    const { status, text } = await daemon.ask('POST', '/-/reload');
    const message = text
      .trimEnd()
      .split('\n')
      .map((line) => `${visibleText(line, MAX_LINE)}\n`)
      .join('');
    (status === 200 ? output : errors).write(message);
    return status === 200 ? RELOAD_EXIT.taken : RELOAD_EXIT.refused;
  } catch (error) {
    if (!(error instanceof InvalidConfiguration)) throw error;
    errors.write(`${error.message}\n`);
    return RELOAD_EXIT.refused;
  }
}

/**
 * When systemd runs the command, the environment contains the socket's path, so the daemon is found even if the
 * configuration file is broken. The daemon then rejects the file and reports the error in its log and on its page.
 */
async function placeOf(terminal: Invocation): Promise<DaemonPlace> {
  const { env } = terminal;
  const socket = runtimeSocket(env);
  return socket === null ? controlPlace(await storePathOf(terminal), env) : { socket, storePath: null };
}
