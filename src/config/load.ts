import { resolve } from 'node:path';
import type * as z from 'zod';
import { type Config, configFile } from './config.ts';
import { type ConfigFile, MAX_CONFIG_BYTES, type ReadResult, type UnreadFile, understoodFile } from './config-file.ts';
import { type ConfigIssue, fallbackMessage, formatPath, type SchemaIssue, schemaIssues } from './issues.ts';
import { includedBy, withoutInclude } from './included.ts';
import { merged, ownerOf } from './layers.ts';
import { type FileChecks, findNamedThings, type Needs, type Substitute, withDefaultNames } from './named.ts';
import { fieldsOf } from './schema/rules.ts';
import { store } from './schema/store.ts';

/** Where no file is named, the first of these that exists: of a checkout, of the installed program. */
export const DEFAULT_CONFIG_FILES = ['config/ftm-watch.yaml', '/etc/ftm-watch/ftm-watch.yaml'] as const;

/** More would only hide the first ones. */
const MAX_SHOWN = 100;
/** More are only counted: finding the line of each would take long in a file that is wrong all over. */
const MAX_LOCATED = 1000;

/** The files of the machine, as far as loading needs them. */
export interface ConfigFiles extends FileChecks {
  /** At most `limit` bytes of the file, `missing` when there is none. Never rejects. */
  readonly read: (path: string, limit: number) => Promise<ReadResult>;
}

export interface LoadOptions {
  /** The file; undefined takes the first default file that exists, else the defaults of every key. */
  readonly path: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly hostname: string;
  readonly cwd: string;
  readonly files: ConfigFiles;
  /** Which files and variables must be there. @default all of them */
  readonly needs?: Needs;
}

export type LoadResult =
  | {
      readonly kind: 'ok';
      readonly config: Config;
      /** Absolute names of the files that were read, the one that names the others first; none: built-in defaults. */
      readonly sources: readonly string[];
      /** Files that the configuration has in place of those that it names, which cannot be read. */
      readonly substitutes: readonly Substitute[];
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
 * problem of it is told at once, in the order of the lines. Secrets are not read, but the files and variables that are
 * needed must be there.
 */
export async function loadConfig(options: LoadOptions): Promise<LoadResult> {
  const read = await readConfig(options);
  if (read.kind === 'invalid') return read;
  const { value, sources } = read;
  const { missing, substitutes, value: readable } = await findNamedThings(value, options);
  const result = configFile.safeParse(readable, { error: fallbackMessage });
  if (result.success && missing.length === 0)
    return { kind: 'ok', config: configOf(result.data, sources, options), sources, substitutes };
  return invalidBySchema([...schemaIssues(result.error?.issues ?? []), ...missing], read.toIssue);
}

function configOf(file: z.output<typeof configFile>, [first]: readonly string[], { hostname }: LoadOptions): Config {
  return { ...file, site: file.site ?? hostname, ...(first === undefined ? {} : { file: first }) };
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
    : invalidBySchema(schemaIssues(result.error.issues, ['store']), read.toIssue);
}

interface ReadConfig {
  readonly kind: 'read';
  /** Of all files, with absolute names of files, and the default ones. */
  readonly value: unknown;
  readonly sources: readonly string[];
  readonly toIssue: (problem: SchemaIssue) => ConfigIssue;
}

async function readConfig(options: LoadOptions): Promise<ReadConfig | InvalidConfig> {
  const first = await readFirst(options);
  if (first === null) return { kind: 'read', value: withDefaultNames({}, options.cwd), sources: [], toIssue: nowhere };
  if (first.kind === 'unread') return invalid(first.issues);
  const { files, issues } = await includedBy(first, ({ source }) => options.files.read(source, MAX_CONFIG_BYTES));
  if (issues.length > 0) return invalid(issues);
  const layers = [...files, { ...first, value: withoutInclude(first) }];
  const values = layers.map(({ value }) => value);
  return {
    kind: 'read',
    value: withDefaultNames(values.reduce(merged), options.cwd),
    sources: [first, ...files].map(({ source }) => source),
    toIssue: ({ at, path, message }) => {
      const { file, locate } = layers[ownerOf(values, at)] ?? first;
      return { file, position: locate(at), path: formatPath(path), message: message() };
    },
  };
}

/** null: there is no file. */
async function readFirst(options: LoadOptions): Promise<ConfigFile | UnreadFile | null> {
  const { path, cwd, files } = options;
  for (const file of path === undefined ? DEFAULT_CONFIG_FILES : [path]) {
    const name = { file, source: resolve(cwd, file) };
    const found = await files.read(name.source, MAX_CONFIG_BYTES);
    if (found.kind !== 'missing' || path !== undefined) return understoodFile(name, found);
  }
  return null;
}

/** The defaults have no problems. */
function nowhere({ path, message }: SchemaIssue): ConfigIssue {
  return { file: DEFAULT_CONFIG_FILES[0], position: null, path: formatPath(path), message: message() };
}

function invalid(found: readonly ConfigIssue[], more = 0): InvalidConfig {
  // File by file, in the order of the lines.
  const issues = Object.values(Object.groupBy(found, ({ file }) => file))
    .flatMap((ofFile = []) => ofFile.toSorted(byPosition))
    .slice(0, MAX_SHOWN);
  return { kind: 'invalid', issues, hidden: found.length - issues.length + more };
}

function invalidBySchema(found: readonly SchemaIssue[], toIssue: ReadConfig['toIssue']): InvalidConfig {
  return invalid(found.slice(0, MAX_LOCATED).map(toIssue), Math.max(0, found.length - MAX_LOCATED));
}

function byPosition({ position: a }: ConfigIssue, { position: b }: ConfigIssue): number {
  return (a?.line ?? 0) - (b?.line ?? 0) || (a?.column ?? 0) - (b?.column ?? 0);
}
