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
  type Needs,
  type Substitute,
} from '../config/load.ts';
import type { Clock } from '../core/clock.ts';
import { counted, visibleText } from '../core/visible-text.ts';
import { wrap } from '../text/wrap.ts';
import type { RoundProgress } from '../round/round.ts';

export interface Streams {
  readonly output: { write(text: string): unknown };
  readonly errors: { write(text: string): unknown };
}

export interface Terminal extends Streams {
  readonly version: string;
  readonly clock: Clock;
  readonly env: NodeJS.ProcessEnv;
  readonly hostname: string;
  readonly account: string;
  readonly cwd: string;
  /** Folder of the source checkout from which the program runs. Null for a built program. */
  readonly checkout: string | null;
  readonly input: AsyncIterable<Buffer>;
  /** `report` and `preflight` can write a file to it. */
  readonly output: { write(text: string | Uint8Array): unknown };
  readonly style: { readonly color: boolean; readonly width: number };
  /** Width at which long lines are wrapped. Null if standard output is not a terminal. */
  readonly columns: number | null;
  /** Null if standard error is not a terminal. */
  readonly progress: ProgressOutput | null;
  /** Null if nobody can answer questions, for example in a script. */
  readonly ask: ((question: string) => Promise<string>) | null;
  /** Does not echo the typed text. Null if standard input is not a terminal. */
  readonly askHidden: ((question: string) => Promise<string>) | null;
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  readonly onHangup: (listener: () => void) => void;
}

export interface Invocation extends Terminal {
  /** If undefined, the default paths are searched. */
  readonly path: string | undefined;
}

type Asked = Pick<Invocation, 'path' | 'env' | 'hostname' | 'cwd' | 'checkout' | 'errors'>;

/** `needs` selects the settings whose files and variables must exist. */
export function load(invocation: Asked, needs: Needs): Promise<LoadResult> {
  return loadConfig({ ...loadOptions(invocation), needs });
}

/** Checks all files and variables that the configuration refers to. */
export function loadWith(files: ConfigFiles, invocation: Asked): Promise<LoadResult> {
  return loadConfig({ ...loadOptions(invocation), files });
}

const INDENT = /^ *(?:\d+\. )?/u;
const COMMAND = /(?<=\brun: ).*$/iu;

/**
 * Wraps each line below its first word. Commands are not broken, so that they can be copied. Without a terminal, lines
 * are not changed, so that other programs can read them.
 */
export function wrapped(text: string, columns: number | null): string {
  if (columns === null) return text;
  return text
    .split('\n')
    .flatMap((line) => {
      const [first] = INDENT.exec(line) ?? [''];
      const words = line.slice(first.length).replace(COMMAND, (command) => command.replaceAll(' ', '\0'));
      return wrap(words, columns, ' '.repeat(first.length || 2), first);
    })
    .join('\n')
    .replaceAll('\0', ' ');
}

export const needsNothing: Needs = () => false;

/** @throws {InvalidConfiguration} */
export async function storePathOf(invocation: Invocation): Promise<string> {
  const located = await locateStore(loadOptions(invocation));
  if (located.kind === 'ok') return located.path;
  throw new InvalidConfiguration(located);
}

function loadOptions({ path, env, hostname, cwd, checkout, errors }: Asked): LoadOptions {
  const onCheckoutFile = (file: string): unknown =>
    errors.write(`Using the configuration "${visibleText(file, 300)}"\n`);
  return { path, env, hostname, cwd, checkout, onCheckoutFile, files: commandFiles };
}

/** @throws {InvalidConfiguration} */
export async function configOf(invocation: Invocation, needs: Needs): Promise<Config> {
  const loaded = await load(invocation, needs);
  if (loaded.kind === 'invalid') throw new InvalidConfiguration(loaded);
  writeSubstitutes(loaded.substitutes, invocation.errors);
  return loaded.config;
}

/** The message lists the problems, one per line. */
export class InvalidConfiguration extends Error {
  constructor({ issues, hidden }: InvalidConfig) {
    const others = hidden === 0 ? '' : ` (the first ${String(issues.length)} are listed above)`;
    const summary = `The configuration is not valid: ${counted(issues.length + hidden, 'problem')}${others}`;
    super([...issues.map(formatIssue), summary].join('\n'));
    this.name = 'InvalidConfiguration';
  }
}

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

interface ProgressOutput {
  /** 0 if the terminal does not report its width. */
  readonly columns: number;
  write(text: string): unknown;
}

export interface ProgressLine {
  /** Call this function at the start of each round. */
  startRound(): void;
  show(progress: RoundProgress): void;
  showText(text: string): void;
  waitingFor(): readonly string[];
  clear(): void;
}

const ERASE_LINE = '\r\u001B[2K';
const USUAL_COLUMNS = 80;

export function createProgressLine(output: ProgressOutput | null): ProgressLine {
  const waiting = new Set<string>();
  let rounds = 0;
  const showText = (text: string): unknown =>
    output?.write(`${ERASE_LINE}${text.slice(0, (output.columns || USUAL_COLUMNS) - 1)}`);
  return {
    startRound: () => {
      rounds += 1;
    },
    show: ({ subject, kind }) => {
      if (kind === 'started') waiting.add(subject);
      else waiting.delete(subject);
      const text = waiting.size === 0 ? '' : `${introOf(rounds)} ${[...waiting].join(', ')}`;
      showText(text);
    },
    showText,
    waitingFor: () => [...waiting],
    clear: () => output?.write(ERASE_LINE),
  };
}

function introOf(rounds: number): string {
  return rounds <= 1 ? 'Waiting for' : `Checking again (check ${String(rounds)}). Waiting for`;
}
