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
} from '../config/load.ts';
import type { Needs, Substitute } from '../config/config-file.ts';
import type { Clock } from '../core/clock.ts';
import { counted } from '../core/phrases.ts';
import { visibleText } from '../core/visible-text.ts';
import type { RoundProgress } from '../round/round.ts';

export interface Streams {
  readonly output: { write(text: string): unknown };
  readonly errors: { write(text: string): unknown };
}

/** The process environment of the commands. */
export interface Terminal extends Streams {
  readonly version: string;
  readonly clock: Clock;
  readonly env: NodeJS.ProcessEnv;
  readonly hostname: string;
  /** The user's account on this machine. */
  readonly account: string;
  readonly cwd: string;
  readonly input: AsyncIterable<Buffer>;
  /** Only `report` writes binary output. */
  readonly output: { write(text: string | Uint8Array): unknown };
  readonly style: { readonly color: boolean; readonly width: number };
  /** Null if standard error is not a terminal. */
  readonly progress: ProgressOutput | null;
  /** Asks the user a yes-or-no question. Null if the process is not interactive. */
  readonly confirm: ((question: string) => Promise<boolean>) | null;
  /** Asks the user a question and returns the answer, which is one line. Null if the process is not interactive. */
  readonly ask: ((question: string) => Promise<string>) | null;
  /** Like `ask`, but without echoing the input. Null if standard input is not a terminal. */
  readonly askHidden: ((question: string) => Promise<string>) | null;
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  /** Registers a listener for SIGHUP. */
  readonly onHangup: (listener: () => void) => void;
}

export interface Invocation extends Terminal {
  /** The path of the configuration file as typed. If undefined, the default locations are searched. */
  readonly path: string | undefined;
}

/** The properties that determine which configuration is loaded. */
type Asked = Pick<Invocation, 'path' | 'env' | 'hostname' | 'cwd'>;

/** @param needs the files and variables that must exist; others are not checked */
export function load(invocation: Asked, needs: Needs): Promise<LoadResult> {
  return loadConfig({ ...loadOptions(invocation), needs });
}

/** Loads the configuration as the daemon does, without substitutes. */
export function loadForDaemon(invocation: Asked): Promise<LoadResult> {
  return loadWith(localFiles, invocation);
}

/** Loads the configuration through these files and checks everything that it refers to. */
export function loadWith(files: ConfigFiles, invocation: Asked): Promise<LoadResult> {
  return loadConfig({ ...loadOptions(invocation), files });
}

export const needsAll: Needs = () => true;
export const needsNothing: Needs = () => false;

/**
 * Returns the path of the store, which identifies the daemon. If the configuration is invalid, prints its problems and
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
 * Loads the configuration for a command that needs the files and variables in `needs`. If the configuration is invalid,
 * prints its problems and returns null.
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

/** Prints which files were read from another place than the configured one. */
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

/** Prints each problem of a configuration on a separate line, for commands that need a valid configuration. */
export function writeIssues({ issues, hidden }: InvalidConfig, errors: Streams['errors']): void {
  errors.write(issues.map((issue) => `${formatIssue(issue)}\n`).join(''));
  const others = hidden === 0 ? '' : ` (the first ${String(issues.length)} are listed above)`;
  errors.write(`The configuration is not valid: ${counted(issues.length + hidden, 'problem')}${others}\n`);
}

/** A terminal on which a line can be rewritten. */
interface ProgressOutput {
  /** 0 if the console does not report its width. */
  readonly columns: number;
  write(text: string): unknown;
}

/** A line at the terminal that shows which checks are still pending. The line is removed at the end. */
export interface ProgressLine {
  /** Called at the start of each round. */
  look(): void;
  show(progress: RoundProgress): void;
  /** Returns the checks that are still pending. */
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

/** Returns the text before the list of pending checks, which explains why further rounds are needed. */
function introOf(looks: number): string {
  return looks <= 1 ? 'Waiting for' : `Checking again (round ${String(looks)}). Waiting for`;
}
