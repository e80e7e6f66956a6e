import { dirname, resolve } from 'node:path';
import { parseYaml } from '../text/yaml-text.ts';
import { type Config, configFile } from './config.ts';
import { type ConfigIssue, fallbackMessage, formatPath, type SchemaIssue, schemaIssues } from './issues.ts';
import { type FileChecks, missingThings, withAbsoluteNames } from './named.ts';
import { fieldsOf } from './schema/rules.ts';
import { store } from './schema/store.ts';

/** Where no file is named, the first of these that exists: of a checkout, of the installed program. */
const DEFAULT_CONFIG_FILES = ['config/ftm-watch.yaml', '/etc/ftm-watch/ftm-watch.yaml'] as const;

/** Larger than any configuration that a person or a program writes. @internal */
export const MAX_CONFIG_BYTES: number = 1024 * 1024;

/** More would only hide the first ones. */
const MAX_SHOWN = 100;
/** More are only counted: finding the line of each would take long in a file that is wrong all over. */
const MAX_LOCATED = 1000;

/** The files of the machine, as far as loading needs them. */
export interface ConfigFiles extends FileChecks {
  /** At most `limit` bytes of the file, `missing` when there is none. Never rejects. */
  readonly read: (path: string, limit: number) => Promise<ReadResult>;
}

export type ReadResult =
  | { readonly kind: 'read'; readonly bytes: Uint8Array }
  | { readonly kind: 'missing' }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'failed'; readonly reason: string };

export interface LoadOptions {
  /** The file; undefined takes the first default file that exists, else the defaults of every key. */
  readonly path: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly hostname: string;
  readonly cwd: string;
  readonly files: ConfigFiles;
}

export type LoadResult =
  | {
      readonly kind: 'ok';
      readonly config: Config;
      /** Absolute name of the file that was read; null for the built-in defaults. */
      readonly source: string | null;
    }
  | InvalidConfig;

export interface InvalidConfig {
  readonly kind: 'invalid';
  /** In the order of the lines. */
  readonly issues: readonly ConfigIssue[];
  /** How many more there are. */
  readonly hidden: number;
}

/**
 * Loads and validates the configuration, at start and again at each reload. Never throws for what a file says: every
 * problem of it is told at once, in the order of the lines. Secrets are not read, but their files and variables must be
 * there.
 */
export async function loadConfig(options: LoadOptions): Promise<LoadResult> {
  const read = await readConfig(options);
  if (read.kind === 'invalid') return read;
  const { value, source } = read;
  const result = configFile.safeParse(value, { error: fallbackMessage });
  const missing = await missingThings(value, options);
  if (result.success && missing.length === 0)
    return { kind: 'ok', config: { ...result.data, site: result.data.site ?? options.hostname }, source };
  return invalid([...schemaIssues(result.error?.issues ?? []), ...missing], read.toIssue);
}

export type LocatedStore = { readonly kind: 'ok'; readonly path: string } | InvalidConfig;

/**
 * Where the store is. What else is wrong with the configuration, and what only the daemon may read, is in the way of
 * nothing: the daemon may run under the configuration of before.
 */
export async function locateStore(options: LoadOptions): Promise<LocatedStore> {
  const read = await readConfig(options);
  if (read.kind === 'invalid') return read;
  const result = store.safeParse(fieldsOf(read.value)['store'], { error: fallbackMessage });
  return result.success
    ? { kind: 'ok', path: result.data.path }
    : invalid(schemaIssues(result.error.issues, ['store']), read.toIssue);
}

interface ReadConfig {
  readonly kind: 'read';
  /** With absolute file names, and the default ones. */
  readonly value: unknown;
  readonly source: string | null;
  readonly toIssue: (problem: SchemaIssue) => ConfigIssue;
}

async function readConfig(options: LoadOptions): Promise<ReadConfig | InvalidConfig> {
  if (options.path !== undefined) return parsed(options.path, await readFrom(options.path, options), options);
  for (const file of DEFAULT_CONFIG_FILES) {
    const found = await readFrom(file, options);
    if (found.kind !== 'missing') return parsed(file, found, options);
  }
  return understood('', null, DEFAULT_CONFIG_FILES[0], options);
}

function readFrom(file: string, { cwd, files }: LoadOptions): Promise<ReadResult> {
  return files.read(resolve(cwd, file), MAX_CONFIG_BYTES);
}

function parsed(file: string, found: ReadResult, options: LoadOptions): ReadConfig | InvalidConfig {
  if (found.kind !== 'read') return unreadable(file, reasonOf(found));
  // Such a file asks for the defaults of every key: taken at its word, a reload would forget everything that is
  // watched.
  if (found.bytes.length === 0) return unreadable(file, 'it is empty, as a full disk or an unfinished copy leaves it');
  const text = decode(found.bytes);
  return text === null
    ? unreadable(file, 'expected UTF-8')
    : understood(text, resolve(options.cwd, file), file, options);
}

function understood(
  text: string,
  source: string | null,
  file: string,
  { cwd }: LoadOptions,
): ReadConfig | InvalidConfig {
  const yaml = parseYaml(text);
  if (yaml.kind === 'invalid')
    return invalid(yaml.problems, ({ message, ...position }) => ({ file, position, path: '', message }));
  return {
    kind: 'read',
    value: withAbsoluteNames(yaml.value ?? {}, source === null ? cwd : dirname(source), cwd),
    source,
    toIssue: ({ at, path, message }) => ({
      file,
      position: yaml.locate(at),
      path: formatPath(path),
      message: message(),
    }),
  };
}

function invalid<T>(found: readonly T[], toIssue: (problem: T) => ConfigIssue): InvalidConfig {
  const issues = found.slice(0, MAX_LOCATED).map(toIssue).toSorted(byPosition).slice(0, MAX_SHOWN);
  return { kind: 'invalid', issues, hidden: found.length - issues.length };
}

function byPosition({ position: a }: ConfigIssue, { position: b }: ConfigIssue): number {
  return (a?.line ?? 0) - (b?.line ?? 0) || (a?.column ?? 0) - (b?.column ?? 0);
}

function unreadable(file: string, reason: string): InvalidConfig {
  const message = `cannot read the configuration: ${reason}`;
  return { kind: 'invalid', issues: [{ file, position: null, path: '', message }], hidden: 0 };
}

function reasonOf(found: Exclude<ReadResult, { readonly kind: 'read' }>): string {
  switch (found.kind) {
    case 'missing':
      return 'no such file';
    case 'too-large':
      return `expected at most ${String(MAX_CONFIG_BYTES)} bytes`;
    case 'failed':
      return found.reason;
  }
}

/** null for what is not UTF-8, a byte order mark aside. */
function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
