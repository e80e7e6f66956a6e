import { visibleText } from '../core/visible-text.ts';
import { messageOf } from '../text/message-of.ts';
import { controlPlace, runtimeSocket } from '../runtime/control-place.ts';
import { createDaemonClient } from './daemon-client.ts';
import { EXIT_UNKNOWN } from './exit-codes.ts';
import { storeOrExplain, type Invocation } from './terminal.ts';

/** The exit codes of `reload`. The exit code is 3 if the daemon cannot be reached. */
const RELOAD_EXIT = { taken: 0, refused: 2 } as const;

const MAX_LINE = 1_000;

/** Reloads the daemon's configuration, prints the daemon's answer, and returns the exit code. */
export async function reload(terminal: Invocation): Promise<number> {
  const { output, errors } = terminal;
  const socket = await socketOrExplain(terminal);
  if (socket === null) return RELOAD_EXIT.refused;
  try {
    await using daemon = await createDaemonClient({ socket }, terminal);
    const { status, text } = await daemon.ask('POST', '/-/reload');
    const message = text
      .trimEnd()
      .split('\n')
      .map((line) => `${visibleText(line, MAX_LINE)}\n`)
      .join('');
    (status === 200 ? output : errors).write(message);
    return status === 200 ? RELOAD_EXIT.taken : RELOAD_EXIT.refused;
  } catch (error) {
    errors.write(`${messageOf(error)}\n`);
    return EXIT_UNKNOWN;
  }
}

/**
 * Returns the daemon's socket. If the configuration is so invalid that the store cannot be located, prints the problems
 * and returns null. A command that the systemd unit runs finds the daemon without the file. The daemon then rejects the
 * file and reports this in its log and on its page.
 */
async function socketOrExplain(terminal: Invocation): Promise<string | null> {
  const { env } = terminal;
  const given = runtimeSocket(env);
  if (given !== null) return given;
  const storePath = await storeOrExplain(terminal);
  return storePath === null ? null : controlPlace(storePath, env).socket;
}
