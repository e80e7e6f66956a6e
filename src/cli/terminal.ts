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

/** The process as the commands see it. */
export interface Terminal extends Streams {
  readonly version: string;
  readonly clock: Clock;
  readonly env: NodeJS.ProcessEnv;
  readonly hostname: string;
  /** Who asks: the account on this machine. */
  readonly account: string;
  readonly cwd: string;
  readonly input: AsyncIterable<Buffer>;
  /** Bytes are written by `report` only. */
  readonly output: { write(text: string | Uint8Array): unknown };
  readonly style: { readonly color: boolean; readonly width: number };
  /** null: standard error is no terminal. */
  readonly progress: ProgressOutput | null;
  /** Asks the person a question that is answered with yes or no; null: nobody is there. */
  readonly confirm: ((question: string) => Promise<boolean>) | null;
  /** Asks the person a question that is answered with a line; null: nobody is there. */
  readonly ask: ((question: string) => Promise<string>) | null;
  /** The same without showing what is typed; null: standard input is not a terminal. */
  readonly askHidden: ((question: string) => Promise<string>) | null;
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  /** Calls back on SIGHUP. */
  readonly onHangup: (listener: () => void) => void;
}

/** One call of a command. */
export interface Invocation extends Terminal {
  /** Of the configuration, as typed; undefined: it is looked for. */
  readonly path: string | undefined;
}

/** What tells which configuration is meant. */
type Asked = Pick<Invocation, 'path' | 'env' | 'hostname' | 'cwd'>;

/** @param needs which files and variables must be there: nothing else is looked for */
export function load(invocation: Asked, needs: Needs): Promise<LoadResult> {
  return loadConfig({ ...loadOptions(invocation), needs });
}

/** As the daemon loads it: nothing is read in place of what the configuration names. */
export function loadForDaemon(invocation: Asked): Promise<LoadResult> {
  return loadWith(localFiles, invocation);
}

/** Everything, from these files. */
export function loadWith(files: ConfigFiles, invocation: Asked): Promise<LoadResult> {
  return loadConfig({ ...loadOptions(invocation), files });
}

export const needsAll: Needs = () => true;
export const needsNothing: Needs = () => false;

/** Where the store is, which tells the daemon; null after the mistakes of the configuration were printed. */
export async function storeOrExplain(invocation: Invocation): Promise<string | null> {
  const located = await locateStore(loadOptions(invocation));
  if (located.kind === 'ok') return located.path;
  writeIssues(located, invocation.errors);
  return null;
}

function loadOptions({ path, env, hostname, cwd }: Asked): LoadOptions {
  return { path, env, hostname, cwd, files: commandFiles };
}

/** The configuration for a command that reads what `needs` says; null after its mistakes were printed. */
export async function loadOrExplain(invocation: Invocation, needs: Needs): Promise<Config | null> {
  const loaded = await load(invocation, needs);
  if (loaded.kind === 'ok') {
    writeSubstitutes(loaded.substitutes, invocation.errors);
    return loaded.config;
  }
  writeIssues(loaded, invocation.errors);
  return null;
}

/** Says which files are read in place of others. */
export function writeSubstitutes(substitutes: readonly Substitute[], errors: Streams['errors']): void {
  const [first] = substitutes;
  if (first === undefined) return;
  const names = substitutes.map(({ substitute }) => visibleText(basename(substitute), 100)).join(', ');
  errors.write(
    `Read from "${dirname(first.substitute)}": ${names}. Systemd copies them to "${dirname(first.path)}" only when the ` +
      'service starts\n',
  );
}

/** Prints each problem of a configuration on a line of its own; for every command that cannot go on without one. */
export function writeIssues({ issues, hidden }: InvalidConfig, errors: Streams['errors']): void {
  errors.write(issues.map((issue) => `${formatIssue(issue)}\n`).join(''));
  const others = hidden === 0 ? '' : `; these are the first ${String(issues.length)}`;
  errors.write(`The configuration is not valid: ${counted(issues.length + hidden, 'problem')}${others}\n`);
}

/** A terminal that a line can be rewritten on. */
interface ProgressOutput {
  /** 0: a console that does not know. */
  readonly columns: number;
  write(text: string): unknown;
}

/** One line that says what is still being waited for; it is gone in the end. */
export interface ProgressLine {
  /** Another look at everything begins. */
  look(): void;
  show(progress: RoundProgress): void;
  /** What is waited for now. */
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

/** That it takes longer has a reason. */
function introOf(looks: number): string {
  return looks <= 1 ? 'Waiting for' : `Looking once more to be sure (${String(looks)}). Waiting for`;
}
