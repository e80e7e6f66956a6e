import { basename, dirname } from 'node:path';
import type { Config } from '../config/config.ts';
import { formatIssue } from '../config/issues.ts';
import {
  type ConfigFiles,
  type InvalidConfig,
  type LoadOptions,
  loadConfig,
  type LoadResult,
  locateStore,
  commandFiles,
  localFiles,
  type Needs,
  type Substitute,
} from '../config/load.ts';
import type { Clock } from '../core/clock.ts';
import { counted, visibleText } from '../core/visible-text.ts';
import type { RoundProgress } from '../round/round.ts';

export interface Streams {
  readonly output: { write(text: string): unknown };
  readonly errors: { write(text: string): unknown };
}

/** The environment in which a command runs, including its input and output streams. */
export interface Terminal extends Streams {
  readonly version: string;
  readonly clock: Clock;
  readonly env: NodeJS.ProcessEnv;
  readonly hostname: string;
  /** The name of the user's account on this machine. */
  readonly account: string;
  readonly cwd: string;
  readonly input: AsyncIterable<Buffer>;
  /** The standard output. Only the `report` command writes binary data to it. */
  readonly output: { write(text: string | Uint8Array): unknown };
  readonly style: { readonly color: boolean; readonly width: number };
  /** The progress line, or null if standard error is not a terminal. */
  readonly progress: ProgressOutput | null;
  /** Asks the user a yes-or-no question. Null if nobody can answer, for example in a script. */
  readonly confirm: ((question: string) => Promise<boolean>) | null;
  /**
   * Asks the user a question and returns the answer as one line. Null if nobody can answer, for example in a script.
   */
  readonly ask: ((question: string) => Promise<string>) | null;
  /** Works like `ask`, but does not echo the typed text. Null if standard input is not a terminal. */
  readonly askHidden: ((question: string) => Promise<string>) | null;
  /** The signal that SIGINT and SIGTERM abort. */
  readonly signal: AbortSignal;
  /** Registers a listener for the SIGHUP signal. */
  readonly onHangup: (listener: () => void) => void;
}

export interface Invocation extends Terminal {
  /** The path of the configuration file as typed. If undefined, the default paths are searched. */
  readonly path: string | undefined;
}

/** The properties that determine which configuration file is loaded. */
type Asked = Pick<Invocation, 'path' | 'env' | 'hostname' | 'cwd'>;

/**
 * Loads the configuration for a command.
 * @param needs selects the settings whose files and variables must exist; other files and variables are not checked
 */
export function load(invocation: Asked, needs: Needs): Promise<LoadResult> {
  return loadConfig({ ...loadOptions(invocation), needs });
}

/** Loads the configuration in the same way as the daemon, which never reads substitutes for secret files. */
export function loadForDaemon(invocation: Asked): Promise<LoadResult> {
  return loadWith(localFiles, invocation);
}

/** Loads the configuration from the given files and checks all files and variables that it refers to. */
export function loadWith(files: ConfigFiles, invocation: Asked): Promise<LoadResult> {
  return loadConfig({ ...loadOptions(invocation), files });
}

export const needsAll: Needs = () => true;
export const needsNothing: Needs = () => false;

/**
 * Returns the path of the store, which identifies the daemon. If the configuration is invalid, prints the problems and
 * returns null.
 */
export async function storeOrExplain(invocation: Invocation): Promise<string | null> {
  const located = await locateStore(loadOptions(invocation));
  if (located.kind === 'ok') return located.path;
  writeIssues(located, invocation.errors);
  return null;
}

function loadOptions({ path, env, hostname, cwd }: Asked): LoadOptions {
  return { path, env, hostname, cwd, files: commandFiles };
}

/**
 * Loads the configuration for a command that needs only the files and variables selected by `needs`. If the
 * configuration is invalid, prints the problems and returns null.
 */
export async function loadOrExplain(invocation: Invocation, needs: Needs): Promise<Config | null> {
  const loaded = await load(invocation, needs);
  if (loaded.kind === 'ok') {
    writeSubstitutes(loaded.substitutes, invocation.errors);
    return loaded.config;
  }
  writeIssues(loaded, invocation.errors);
  return null;
}

/** Prints each file that was read from a different path than the configured path. */
export function writeSubstitutes(substitutes: readonly Substitute[], errors: Streams['errors']): void {
  const [first] = substitutes;
  if (first === undefined) return;
  const names = substitutes.map(({ substitute }) => visibleText(basename(substitute), 100)).join(', ');
  errors.write(
    `These files were read from "${dirname(first.substitute)}": ${names}. ` +
      `systemd copies them to "${dirname(first.path)}" only when the ` +
      'service starts\n',
  );
}

/** Prints each configuration problem on a separate line, for commands that need a valid configuration. */
export function writeIssues({ issues, hidden }: InvalidConfig, errors: Streams['errors']): void {
  errors.write(issues.map((issue) => `${formatIssue(issue)}\n`).join(''));
  const others = hidden === 0 ? '' : ` (the first ${String(issues.length)} are listed above)`;
  errors.write(`The configuration is not valid: ${counted(issues.length + hidden, 'problem')}${others}\n`);
}

/** A terminal that can overwrite its current line. */
interface ProgressOutput {
  /** The terminal's width, or 0 if the terminal does not report its width. */
  readonly columns: number;
  write(text: string): unknown;
}

/** A terminal line that lists the pending checks. The line is removed when the command ends. */
export interface ProgressLine {
  /** Must be called at the start of each round. */
  look(): void;
  show(progress: RoundProgress): void;
  /** Returns the checks that have not finished yet. */
  waitingFor(): readonly string[];
  clear(): void;
}

const ERASE_LINE = '\r\u001B[2K';
const USUAL_COLUMNS = 80;

export function createProgressLine(output: ProgressOutput | null): ProgressLine {
  const waiting = new Set<string>();
  let looks = 0;
  return {
    look: () => {
      looks += 1;
    },
    show: ({ subject, kind }) => {
      if (kind === 'started') waiting.add(subject);
      else waiting.delete(subject);
      const text = waiting.size === 0 ? '' : `${introOf(looks)} ${[...waiting].join(', ')}`;
      output?.write(`${ERASE_LINE}${text.slice(0, (output.columns || USUAL_COLUMNS) - 1)}`);
    },
    waitingFor: () => [...waiting],
    clear: () => output?.write(ERASE_LINE),
  };
}

/** Returns the text that precedes the list of pending checks. The text explains why another round is running. */
function introOf(looks: number): string {
  return looks <= 1 ? 'Waiting for' : `Checking again (round ${String(looks)}). Waiting for`;
}
