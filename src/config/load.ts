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
  findReferences,
  type Needs,
  type Substitute,
  withDefaultNames,
} from './config-file.ts';
import { type ConfigIssue, fallbackMessage, formatPath, type SchemaIssue, schemaIssues } from './issues.ts';
import { fieldsOf } from './schema/section.ts';
import { store } from './schema/web.ts';

/** For a source checkout and for an installed program. The first existing file is used. */
export const DEFAULT_CONFIG_FILES = ['config/ftm-watch.yaml', '/etc/ftm-watch/ftm-watch.yaml'] as const;

/** In a longer list, the first issues would scroll out of view. */
const MAX_SHOWN = 100;
/** In a completely invalid file, finding the positions of all issues would take too long. */
const MAX_LOCATED = 1000;

export interface ConfigFiles extends FileChecks {
  /** Returns `missing` if the file does not exist. Never rejects. */
  readonly read: (path: string, limit: number) => Promise<ReadResult>;
}

export interface LoadOptions {
  /** If undefined, the first existing default file is used. Without a file, all keys have their default values. */
  readonly path: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly hostname: string;
  readonly cwd: string;
  readonly files: ConfigFiles;
  /** @default all keys */
  readonly needs?: Needs;
}

export type LoadResult =
  | {
      readonly kind: 'ok';
      readonly config: Config;
      /** Absolute paths, starting with the main file. Empty if no file was read. */
      readonly sources: readonly string[];
      readonly substitutes: readonly Substitute[];
    }
  | InvalidConfig;

export interface InvalidConfig {
  readonly kind: 'invalid';
  /** Grouped by file and sorted by line. */
  readonly issues: readonly ConfigIssue[];
  /** Number of further issues that are not in the list. */
  readonly hidden: number;
}

/**
 * Returns all problems of an invalid configuration instead of throwing. Secrets are not read, but the required files
 * and variables must exist.
 */
export async function loadConfig(options: LoadOptions): Promise<LoadResult> {
  const read = await readConfig(options);
  if (read.kind === 'invalid') return read;
  const { value, sources } = read;
  const { missing, substitutes, value: readable } = await findReferences(value, options);
  const result = configFile.safeParse(readable, { error: fallbackMessage });
  if (result.success && missing.length === 0)
    return { kind: 'ok', config: configOf(result.data, sources, options), sources, substitutes };
  return invalidBySchema([...schemaIssues(result.error?.issues ?? []), ...missing], read.toIssue);
}

function configOf(file: z.output<typeof configFile>, [first]: readonly string[], { hostname }: LoadOptions): Config {
  return { ...file, site: file.site ?? hostname, ...(first === undefined ? {} : { file: first }) };
}

type LocatedStore = { readonly kind: 'ok'; readonly path: string } | InvalidConfig;

/** Other configuration problems are ignored, because the daemon can still run with an earlier configuration. */
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
  /** All files merged, with absolute file names and default file names. */
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

/** Returns null if no path was specified and no default file exists. */
async function readFirst(options: LoadOptions): Promise<ConfigFile | UnreadFile | null> {
  const { path, cwd, files } = options;
  for (const file of path === undefined ? DEFAULT_CONFIG_FILES : [path]) {
    const name = { file, source: resolve(cwd, file) };
    const found = await files.read(name.source, MAX_CONFIG_BYTES);
    if (found.kind !== 'missing' || path !== undefined) return understoodFile(name, found);
  }
  return null;
}

/** Never needed in practice, because the default values are valid. */
function nowhere({ path, message }: SchemaIssue): ConfigIssue {
  return { file: DEFAULT_CONFIG_FILES[0], position: null, path: formatPath(path), message: message() };
}

function invalid(found: readonly ConfigIssue[], more = 0): InvalidConfig {
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

export const localFiles: ConfigFiles = { read: readBounded, problem: fileProblem };

/** Systemd credentials are available only while the daemon is running, so commands read the original files. */
export const commandFiles: ConfigFiles = { ...localFiles, substitute: sourceOfCredential };

/**
 * The path of a systemd credential. The unit contains `LoadCredential=secrets:/etc/ftm-watch/secrets`, so systemd
 * provides the file NAME in that folder as `secrets_NAME` while the service is running (systemd.exec(5)). Credentials
 * that are added under other names keep those names.
 */
const CREDENTIAL = /^\/run\/credentials\/ftm-watch\.service\/(?:secrets_)?(?<name>[^/]+)$/u;
const SECRETS = '/etc/ftm-watch/secrets';

export function isCredential(path: string): boolean {
  return CREDENTIAL.test(path);
}

function sourceOfCredential(path: string): string | null {
  const name = CREDENTIAL.exec(path)?.groups?.['name'];
  return name === undefined || name === '.' || name === '..' ? null : `${SECRETS}/${name}`;
}

/** One more byte is read to detect larger files. Devices and pipes have no size that could be checked instead. */
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
    // The file is opened, because access(2) checks the real user, who can differ from the effective user. Other file
    // types are not opened, because opening and closing a pipe would discard its content.
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
  ['ENOTDIR', 'part of its path is not a directory'],
  ['ENAMETOOLONG', 'its name is too long'],
  ['ELOOP', 'there are too many symbolic links'],
  ['ERR_INVALID_ARG_VALUE', 'its name contains a zero byte'],
]);

function reasonOf(error: unknown): string {
  const code = codeOf(error);
  return REASONS.get(code) ?? `error ${code}`;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
}
