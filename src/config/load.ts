import { resolve } from 'node:path';
import { constants } from 'node:fs';
import { access, open, stat } from 'node:fs/promises';
import type * as z from 'zod';
import { type Config, configFile } from './config.ts';
import {
  type ConfigFile,
  MAX_CONFIG_BYTES,
  type ReadResult,
  type UnreadFile,
  understoodFile,
  includedBy,
  withoutInclude,
  merged,
  ownerOf,
  type FileChecks,
  findNamedThings,
  type Needs,
  type Substitute,
  withDefaultNames,
} from './config-file.ts';
import { type ConfigIssue, fallbackMessage, formatPath, type SchemaIssue, schemaIssues } from './issues.ts';
import { fieldsOf } from './schema/section.ts';
import { store } from './schema/web.ts';

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

type LocatedStore = { readonly kind: 'ok'; readonly path: string } | InvalidConfig;

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

/** The files of this machine, as the daemon reads them. */
export const localFiles: ConfigFiles = { read: readBounded, problem: fileProblem };

/** The same for other commands: they can read what systemd hands to the daemon also while that is stopped. */
export const commandFiles: ConfigFiles = { ...localFiles, substitute: sourceOfCredential };

/**
 * `LoadCredential=secrets:/etc/ftm-watch/secrets` of the unit: a file NAME there is `secrets_NAME` here, as long as the
 * service runs (systemd.exec(5)). A credential that somebody adds to the unit by its own name keeps that name.
 */
const CREDENTIAL = /^\/run\/credentials\/ftm-watch\.service\/(?:secrets_)?(?<name>[^/]+)$/u;
const SECRETS = '/etc/ftm-watch/secrets';

/** Whether systemd makes this file for the service alone. */
export function isCredential(path: string): boolean {
  return CREDENTIAL.test(path);
}

function sourceOfCredential(path: string): string | null {
  const name = CREDENTIAL.exec(path)?.groups?.['name'];
  return name === undefined || name === '.' || name === '..' ? null : `${SECRETS}/${name}`;
}

/** Reads one byte more than allowed instead of trusting the size: a device or a pipe has none. */
async function readBounded(path: string, limit: number): Promise<ReadResult> {
  try {
    if (!(await stat(path)).isFile()) return { kind: 'failed', reason: 'it is not a regular file' };
    await using file = await open(path);
    const buffer = Buffer.alloc(limit + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length);
      length += bytesRead;
      if (length > limit) return { kind: 'too-large' };
      if (bytesRead === 0) return { kind: 'read', bytes: buffer.subarray(0, length) };
    }
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? { kind: 'missing' } : { kind: 'failed', reason: reasonOf(error) };
  }
}

async function fileProblem(path: string): Promise<string | null> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) return 'it is a directory';
    // access(2) answers for the real user, who may be another one than the effective user. A pipe that was opened and
    // closed would be lost.
    if (found.isFile()) await (await open(path)).close();
    else await access(path, constants.R_OK);
    return null;
  } catch (error) {
    return reasonOf(error);
  }
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'no such file'],
  ['EACCES', 'permission denied'],
  ['EPERM', 'permission denied'],
  ['EISDIR', 'it is a directory'],
  ['ENOTDIR', 'a part of its path is no directory'],
  ['ENAMETOOLONG', 'its name is too long'],
  ['ELOOP', 'too many symbolic links'],
  ['ERR_INVALID_ARG_VALUE', 'its name holds a zero byte'],
]);

function reasonOf(error: unknown): string {
  const code = codeOf(error);
  return REASONS.get(code) ?? `error ${code}`;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
}
