import type { Config } from '../config/config.ts';
import { formatIssue } from '../config/issues.ts';
import {
  type InvalidConfig,
  type LoadOptions,
  loadConfig,
  type LoadResult,
  locateStore,
  localFiles,
} from '../config/load.ts';
import type { Clock } from '../core/clock.ts';
import { counted } from '../core/phrases.ts';
import type { RoundProgress } from '../runtime/round/observe-round.ts';

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

export function load(invocation: Asked): Promise<LoadResult> {
  return loadConfig(loadOptions(invocation));
}

/** Where the store is, which tells the daemon; null after the mistakes of the configuration were printed. */
export async function storeOrExplain(invocation: Invocation): Promise<string | null> {
  const located = await locateStore(loadOptions(invocation));
  if (located.kind === 'ok') return located.path;
  writeIssues(located, invocation.errors);
  return null;
}

function loadOptions({ path, env, hostname, cwd }: Asked): LoadOptions {
  return { path, env, hostname, cwd, files: localFiles };
}

/** The configuration; null after its mistakes were printed. */
export async function loadOrExplain(invocation: Invocation): Promise<Config | null> {
  const loaded = await load(invocation);
  if (loaded.kind === 'ok') return loaded.config;
  writeIssues(loaded, invocation.errors);
  return null;
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
