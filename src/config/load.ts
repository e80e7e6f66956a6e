import { fieldsOf, isFields } from '../core/fields.ts';
import { constants } from 'node:fs';
import { access, open, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import type * as z from 'zod';
import { visibleText } from '../core/visible-text.ts';
import { parseYaml, type Position, type YamlPath } from '../text/yaml-text.ts';
import { type Config, configFile } from './config.ts';
import { type ConfigIssue, fallbackMessage, formatPath, type SchemaIssue, schemaIssues } from './issues.ts';
import { isUrl, secretVariable } from './schema/secret.ts';
import { changeGivenTexts, changeTexts, type UsedText, usedTexts } from './schema/section.ts';
import { store } from './schema/web.ts';

export const INSTALLED_FILE = '/etc/ftm-watch/ftm-watch.yaml';

/** The working directory is not searched, because the file there may have been created by somebody else. */
export function checkoutFile(checkout: string): string {
  return join(checkout, 'config', 'ftm-watch.yaml');
}

/** If the list were longer, the first issues would scroll out of view. */
const MAX_SHOWN = 100;
/** In a completely invalid file, finding the positions of all issues would take too long. */
const MAX_LOCATED = 1000;

export interface ConfigFiles extends FileChecks {
  /** Returns `missing` if the file does not exist. Never rejects. */
  readonly read: (path: string, limit: number) => Promise<ReadResult>;
  /** Returns why other users than root and the current user can change the file, or null. Never rejects. */
  readonly exposure: (path: string) => Promise<string | null>;
}

export interface LoadOptions {
  /**
   * If undefined, the file in the source checkout is used, otherwise the installed file. Without a file, all keys have
   * their default values.
   */
  readonly path: string | undefined;
  /** Null if the program does not run from a source checkout. */
  readonly checkout: string | null;
  /** Called if the file in the source checkout is used. */
  readonly onCheckoutFile: (path: string) => void;
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
      /** Returns the position of the first file or variable that a problem quotes, or null if there is none. */
      readonly locate: (problem: string) => ConfigIssue | null;
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
 * Returns all problems of an invalid configuration instead of throwing. Secrets are not read, but the files and
 * variables in `needs` must exist.
 */
export async function loadConfig(options: LoadOptions): Promise<LoadResult> {
  const read = await readConfig(options);
  if (read.kind === 'invalid') return read;
  const { value, sources } = read;
  const { missing, substitutes, value: readable } = await findReferences(value, options);
  const result = configFile.safeParse(readable, { error: fallbackMessage });
  if (result.success && missing.length === 0)
    return {
      kind: 'ok',
      config: configOf(result.data, { written: readable, sources }, options),
      sources,
      substitutes,
      locate: (problem) => located(problem, usedTexts(configFile, readable), read.toIssue),
    };
  return invalidBySchema([...schemaIssues(result.error?.issues ?? []), ...missing], read.toIssue);
}

function located(problem: string, used: readonly UsedText[], toIssue: ReadConfig['toIssue']): ConfigIssue | null {
  const quoted = used
    .map(({ text, path }) => ({ path, index: problem.indexOf(`"${text}`), length: text.length }))
    .filter(({ index, length }) => index >= 0 && length > 0);
  // One name can be the beginning of another.
  const [first] = quoted.toSorted((a, b) => a.index - b.index || b.length - a.length);
  const path = first?.path ?? null;
  return path === null ? null : toIssue({ at: path, path, message: () => problem });
}

function configOf(
  values: z.output<typeof configFile>,
  { written, sources: [file] }: { readonly written: unknown; readonly sources: readonly string[] },
  { hostname }: LoadOptions,
): Config {
  return { ...values, site: values.site ?? hostname, written, ...(file === undefined ? {} : { file }) };
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
  /** All files merged, with file names made absolute and default file names filled in. */
  readonly value: unknown;
  readonly sources: readonly string[];
  readonly toIssue: (problem: SchemaIssue) => ConfigIssue;
}

async function readConfig(options: LoadOptions): Promise<ReadConfig | InvalidConfig> {
  const first = await readFirst(options);
  if (first === null) return { kind: 'read', value: withDefaultNames({}, options.cwd), sources: [], toIssue: nowhere };
  if (first.kind === 'unread') return invalid(first.issues);
  const included = await includedBy(first, ({ source }) => options.files.read(source, MAX_CONFIG_BYTES));
  const issues = included.flatMap((file) => (file.kind === 'unread' ? file.issues : []));
  if (issues.length > 0) return invalid(issues);
  const files = included.filter((file) => file.kind === 'file');
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
  const own = path === undefined ? await readInCheckout(options) : null;
  if (own !== null) return own;
  const file = path ?? INSTALLED_FILE;
  const name = { file, source: resolve(cwd, file) };
  const found = await files.read(name.source, MAX_CONFIG_BYTES);
  return path === undefined && found.kind === 'missing' ? null : understoodFile(name, found);
}

async function readInCheckout(options: LoadOptions): Promise<ConfigFile | UnreadFile | null> {
  const { checkout, files, onCheckoutFile } = options;
  if (checkout === null) return null;
  const file = checkoutFile(checkout);
  const name = { file, source: file };
  const found = await files.read(file, MAX_CONFIG_BYTES);
  if (found.kind === 'missing') return null;
  const exposure = found.kind === 'read' ? await files.exposure(file) : null;
  if (exposure !== null) return unread(name, `${exposure}. If you trust the file, name it with "-c"`);
  onCheckoutFile(file);
  return understoodFile(name, found);
}

/** Never used in practice, because the default values are valid. */
function nowhere({ path, message }: SchemaIssue): ConfigIssue {
  return { file: INSTALLED_FILE, position: null, path: formatPath(path), message: message() };
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

export const MAX_CONFIG_BYTES: number = 1024 * 1024;

export type ReadResult =
  | { readonly kind: 'read'; readonly bytes: Uint8Array }
  | { readonly kind: 'missing' }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'failed'; readonly reason: string };

interface FileName {
  /** As the user typed it, for messages. */
  readonly file: string;
  /** Absolute path. */
  readonly source: string;
}

/** Parsed as YAML, but not validated yet. */
interface ConfigFile extends FileName {
  readonly kind: 'file';
  /** File names as written. Undefined if the file contains no value. */
  readonly written: unknown;
  /** File names made absolute, based on the configuration file's folder. */
  readonly value: unknown;
  /** Returns the position of the value at the path, or the position at which the value would have to be inserted. */
  readonly locate: (path: YamlPath) => Position;
}

interface UnreadFile {
  readonly kind: 'unread';
  readonly issues: readonly ConfigIssue[];
}

function understoodFile(name: FileName, found: ReadResult): ConfigFile | UnreadFile {
  if (found.kind !== 'read') return unread(name, whyUnread(found));
  // An empty file is rejected, because it would reset every key to its default, and a reload would stop all configured
  // monitoring.
  if (found.bytes.length === 0)
    return unread(name, 'the file is empty, which can be caused by a full disk or an unfinished copy');
  const text = decoded(found.bytes);
  if (text === null) return unread(name, 'expected UTF-8');
  const yaml = parseYaml(text);
  if (yaml.kind === 'invalid') {
    const issues = yaml.problems.map(({ message, line, column }) => ({
      file: name.file,
      position: { line, column },
      path: '',
      message,
    }));
    return { kind: 'unread', issues };
  }
  const { value: written, locate } = yaml;
  return {
    kind: 'file',
    ...name,
    written,
    value: changeGivenTexts(configFile, written ?? {}, absoluteIn(dirname(name.source))),
    locate,
  };
}

function issueIn({ file, locate }: ConfigFile, path: YamlPath, message: string): ConfigIssue {
  return { file, position: locate(path), path: formatPath(path), message };
}

function relativeTo({ file, source }: FileName, named: string): FileName {
  return isAbsolute(named)
    ? { file: named, source: named }
    : { file: join(dirname(file), named), source: resolve(dirname(source), named) };
}

function unread({ file }: FileName, reason: string): UnreadFile {
  return unusable({ file, position: null, path: '', message: `cannot read the configuration: ${reason}` });
}

function unusable(issue: ConfigIssue): UnreadFile {
  return { kind: 'unread', issues: [issue] };
}

function whyUnread(found: Exclude<ReadResult, { readonly kind: 'read' }>): string {
  switch (found.kind) {
    case 'missing':
      return 'no such file';
    case 'too-large':
      return `expected at most ${String(MAX_CONFIG_BYTES)} bytes`;
    case 'failed':
      return found.reason;
  }
}

/** Null if the bytes are not valid UTF-8. A byte order mark is allowed. */
function decoded(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

const MOST = 50;

/** If `include` is not a list of names, no files are read, and validation reports the error. */
async function includedBy(
  first: ConfigFile,
  read: (name: FileName) => Promise<ReadResult>,
): Promise<readonly (ConfigFile | UnreadFile)[]> {
  const named = namesIn(first) ?? [];
  if (named.length > MOST) return [unusable(issueIn(first, ['include'], `expected at most ${String(MOST)} files`))];
  return Promise.all(named.map((name, index) => include(first, { name, index }, read)));
}

/** An invalid `include` is kept, so that validation reports it. */
function withoutInclude(file: ConfigFile): unknown {
  if (namesIn(file) === null) return file.value;
  const { include: _, ...rest } = fieldsOf(file.value);
  return rest;
}

function namesIn({ written }: ConfigFile): readonly string[] | null {
  const { include } = fieldsOf(written);
  const isName = (item: unknown): item is string => typeof item === 'string' && item !== '';
  return Array.isArray(include) && include.every(isName) ? include : null;
}

async function include(
  first: ConfigFile,
  { name, index }: { readonly name: string; readonly index: number },
  read: (name: FileName) => Promise<ReadResult>,
): Promise<ConfigFile | UnreadFile> {
  const where = relativeTo(first, name);
  const found = await read(where);
  if (found.kind !== 'read')
    return unusable(issueIn(first, ['include', index], `cannot read "${where.file}": ${whyUnread(found)}`));
  const file = understoodFile(where, found);
  const problem = file.kind === 'unread' ? null : problemOf(file);
  return problem === null ? file : unusable(problem);
}

function problemOf(file: ConfigFile): ConfigIssue | null {
  if (!isFields(file.value)) return issueIn(file, [], 'expected keys and values');
  return Object.hasOwn(file.value, 'include')
    ? issueIn(file, ['include'], 'only the main configuration file can include other files')
    : null;
}

/** Default file names are relative to the working directory. */
function withDefaultNames(value: unknown, workingDirectory: string): unknown {
  return changeTexts(configFile, value, absoluteIn(workingDirectory));
}

function absoluteIn(folder: string): (used: UsedText) => string {
  return ({ use, text }) => {
    const isFile = use !== 'secret-variable' && use !== 'secret-url' && !(use === 'secret-file' && isUrl(text));
    return isFile && text !== '' ? resolve(folder, text) : text;
  };
}

interface FileChecks {
  /** Returns the reason why the file cannot be read, or null. Never rejects. */
  readonly problem: (path: string) => Promise<string | null>;
  /** Returns a file with the same content, to be read if the original cannot be read, and its problem. */
  readonly substitute?: (path: string) => Promise<{ readonly path: string; readonly problem: string | null } | null>;
}

/** Returns whether a command needs the file or variable under a key such as `appliances.api.keyFile`. */
export type Needs = (key: string) => boolean;

export interface Substitute {
  readonly path: string;
  readonly substitute: string;
}

interface FoundReferences {
  readonly missing: readonly SchemaIssue[];
  readonly substitutes: readonly Substitute[];
  /** Unreadable files are replaced with their substitutes. */
  readonly value: unknown;
}

async function findReferences(value: unknown, options: LoadOptions): Promise<FoundReferences> {
  const { needs = () => true } = options;
  const needed = usedTexts(configFile, value).filter(({ path }) => needs(keyOf(path ?? [])));
  const found: (Found & { readonly used: UsedText })[] = [];
  // One at a time, because `config check` changes the permissions of the whole process for each file.
  for (const used of needed) found.push({ used, ...(await find(used, options)) });
  const missing = found.flatMap(({ used: { path }, problem }): readonly SchemaIssue[] =>
    problem === null ? [] : [{ at: path ?? [], path: path ?? [], message: () => problem }],
  );
  const substitutes = new Map(
    found.flatMap(({ used, substitute }) => (substitute === null ? [] : [[used.text, substitute] as const])),
  );
  return {
    missing,
    substitutes: [...substitutes].map(([path, substitute]) => ({ path, substitute })),
    value:
      substitutes.size === 0 ? value : changeGivenTexts(configFile, value, ({ text }) => substitutes.get(text) ?? text),
  };
}

function keyOf(path: YamlPath): string {
  return path.filter((part) => typeof part === 'string').join('.');
}

interface Found {
  readonly problem: string | null;
  readonly substitute: string | null;
}

async function find({ use, text }: UsedText, { env, files }: LoadOptions): Promise<Found> {
  switch (use) {
    case 'file-to-read':
    case 'authority-file':
    case 'secret-file':
      return text === '' || (use === 'secret-file' && isUrl(text)) ? FOUND : findFile(text, files);
    case 'secret-variable':
      // Text that is not a valid variable name could be the secret itself, so it must not be quoted in a message.
      return env[text] || !secretVariable.safeParse(text).success
        ? FOUND
        : { problem: `environment variable "${text}" is not set`, substitute: null };
    case 'file-for-later':
    case 'secret-url':
      return FOUND;
  }
}

const FOUND: Found = { problem: null, substitute: null };

async function findFile(path: string, files: FileChecks): Promise<Found> {
  const problem = await files.problem(path);
  if (problem === null) return FOUND;
  const message = `cannot read file "${visibleText(path, 300)}": ${problem}`;
  const substitute = (await files.substitute?.(path)) ?? null;
  if (substitute === null) return { problem: message, substitute };
  if (substitute.problem === null) return { problem: null, substitute: substitute.path };
  const shown = visibleText(substitute.path, 300);
  return {
    problem: `${message}; its source "${shown}" cannot be read either: ${substitute.problem}`,
    substitute: null,
  };
}

/** Merges sections key by key. Any other value in `over` replaces the value in `under`. */
export function merged(under: unknown, over: unknown): unknown {
  if (!isFields(under) || !isFields(over)) return over;
  const keys = Object.entries(over).map(([key, value]) => [
    key,
    Object.hasOwn(under, key) ? merged(under[key], value) : value,
  ]);
  return { ...under, ...Object.fromEntries(keys) };
}

/** Returns the index of the uppermost layer that contains the value at the path, or its nearest existing parent. */
export function ownerOf(layers: readonly unknown[], path: YamlPath): number {
  let here = layers.map((value, index) => ({ value, index }));
  let owner = layers.length - 1;
  for (const part of path) {
    const below = here.flatMap(({ value, index }) => childOf(value, part, index));
    const top = below.at(-1);
    if (top === undefined) return owner;
    owner = top.index;
    // A value that is not a section hides the values in all lower layers.
    here = isFields(top.value) ? below.slice(below.findLastIndex(({ value }) => !isFields(value)) + 1) : [top];
  }
  return owner;
}

function childOf(value: unknown, part: string | number, index: number): { value: unknown; index: number }[] {
  if (typeof part === 'number') return Array.isArray(value) && part in value ? [{ value: value[part], index }] : [];
  return isFields(value) && Object.hasOwn(value, part) ? [{ value: value[part], index }] : [];
}

export const localFiles: ConfigFiles = { read: readBounded, exposure: exposureOf, problem: fileProblem };

/** Systemd credentials are available only while the daemon is running, so commands fall back to the original files. */
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

async function sourceOfCredential(path: string): ReturnType<NonNullable<ConfigFiles['substitute']>> {
  const name = CREDENTIAL.exec(path)?.groups?.['name'];
  if (name === undefined || name === '.' || name === '..') return null;
  const source = `${SECRETS}/${name}`;
  return { path: source, problem: await fileProblem(source) };
}

/**
 * Reads one byte more than the limit, to detect larger files. Devices and pipes have no size that could be checked
 * instead.
 */
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

/** Write permission for the group or for everybody. */
const OTHERS_WRITE = 0o022;

async function exposureOf(path: string): Promise<string | null> {
  try {
    for (const name of [path, dirname(path)]) {
      const { uid, mode } = await stat(name);
      const shown = `"${visibleText(name, 300)}"`;
      if (uid !== 0 && uid !== process.geteuid?.()) return `${shown} belongs to another user (uid ${String(uid)})`;
      if ((mode & OTHERS_WRITE) !== 0) return `other users can change ${shown}`;
    }
    return null;
  } catch (error) {
    return reasonOf(error);
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
