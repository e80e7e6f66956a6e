import { visibleText } from '../core/visible-text.ts';
import { messageOf } from '../text/message-of.ts';
import { createDaemonClient } from './daemon-client.ts';
import { EXIT_UNKNOWN } from './exit-codes.ts';
import { storeOrExplain, type Invocation } from './terminal.ts';

/** Exit codes of `reload`; 3 when the daemon cannot be asked. */
const RELOAD_EXIT = { taken: 0, refused: 2 } as const;

const MAX_LINE = 1_000;

/** Has the daemon read its configuration again, and tells what it says. Returns the exit code. */
export async function reload(terminal: Invocation): Promise<number> {
  const { output, errors } = terminal;
  const storePath = await storeOrExplain(terminal);
  if (storePath === null) return EXIT_UNKNOWN;
  try {
    await using daemon = await createDaemonClient(storePath, terminal);
    const { status, text } = await daemon.ask('POST', '/-/reload');
    const said = text
      .trimEnd()
      .split('\n')
      .map((line) => `${visibleText(line, MAX_LINE)}\n`)
      .join('');
    (status === 200 ? output : errors).write(said);
    return status === 200 ? RELOAD_EXIT.taken : RELOAD_EXIT.refused;
  } catch (error) {
    errors.write(`${messageOf(error)}\n`);
    return EXIT_UNKNOWN;
  }
}
