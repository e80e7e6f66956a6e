import { dirname, isAbsolute, join, resolve } from 'node:path';
import { parseYaml, type Position, type YamlPath } from '../text/yaml-text.ts';
import { type ConfigIssue, formatPath, type SchemaIssue } from './issues.ts';
import { fieldsOf, isMapping, changeGivenTexts, changeTexts, type UsedText, usedTexts } from './schema/section.ts';
import { visibleText } from '../core/visible-text.ts';
import { configFile } from './config.ts';
import { secretVariable } from './schema/secret.ts';

/** Maximum size of a configuration file. Real configurations are much smaller. */
export const MAX_CONFIG_BYTES: number = 1024 * 1024;

export type ReadResult =
  | { readonly kind: 'read'; readonly bytes: Uint8Array }
  | { readonly kind: 'missing' }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'failed'; readonly reason: string };

/** Path of a file, and its name in messages. */
interface FileName {
  /** The path as it was specified. */
  readonly file: string;
  /** The absolute path. */
  readonly source: string;
}

/** One configuration file, before validation against the schema. */
export interface ConfigFile extends FileName {
  readonly kind: 'file';
  /** The value before file names are resolved. Undefined if the file has no value. */
  readonly written: unknown;
  /** The value with absolute file names. Relative names are resolved against the folder of this file. */
  readonly value: unknown;
  /**
   * Returns the position of the last part of the path. If that part is missing, returns the position where it would
   * have to be inserted.
   */
  readonly locate: (path: YamlPath) => Position;
}

export interface UnreadFile {
  readonly kind: 'unread';
  readonly issues: readonly ConfigIssue[];
}

export function understoodFile(name: FileName, found: ReadResult): ConfigFile | UnreadFile {
  if (found.kind !== 'read') return unread(name, reasonOf(found));
  // An empty file would set every key to its default, so a reload would stop all configured monitoring.
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
  return { kind: 'file', ...name, written, value: withGivenNamesAbsolute(written ?? {}, dirname(name.source)), locate };
}

function issueIn({ file, locate }: ConfigFile, path: YamlPath, message: string): ConfigIssue {
  return { file, position: locate(path), path: formatPath(path), message };
}

/** Resolves a file name relative to the file that contains it. */
function besides({ file, source }: FileName, named: string): FileName {
  return isAbsolute(named)
    ? { file: named, source: named }
    : { file: join(dirname(file), named), source: resolve(dirname(source), named) };
}

function unread({ file }: FileName, reason: string): UnreadFile {
  const message = `cannot read the configuration: ${reason}`;
  return { kind: 'unread', issues: [{ file, position: null, path: '', message }] };
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

/** Returns null if the bytes are not UTF-8. A byte order mark is allowed. */
function decoded(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Maximum number of files. More files are probably a mistake. */
const MOST = 50;

interface Included {
  /** The included files, in the order in which they are listed. */
  readonly files: readonly ConfigFile[];
  readonly issues: readonly ConfigIssue[];
}

const NONE: Included = { files: [], issues: [] };

/**
 * Returns the files that the main configuration file lists in `include`. If the value is not a list of names, the
 * schema reports this.
 */
export async function includedBy(first: ConfigFile, read: (name: FileName) => Promise<ReadResult>): Promise<Included> {
  const named = namesIn(first);
  if (named === null) return NONE;
  if (named.length > MOST)
    return { files: [], issues: [issueIn(first, ['include'], `expected at most ${String(MOST)} files`)] };
  const all = await Promise.all(named.map((name, index) => include(first, { name, index }, read)));
  return { files: all.flatMap(({ files }) => files), issues: all.flatMap(({ issues }) => issues) };
}

/** Returns the file's value without `include`, if that is a valid list. */
export function withoutInclude(file: ConfigFile): unknown {
  if (namesIn(file) === null) return file.value;
  const { include: _, ...rest } = fieldsOf(file.value);
  return rest;
}

function namesIn({ written }: ConfigFile): readonly string[] | null {
  const { include } = fieldsOf(written);
  return isListOfTexts(include) ? include : null;
}

function isListOfTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string' && item !== '');
}

async function include(
  first: ConfigFile,
  { name, index }: { readonly name: string; readonly index: number },
  read: (name: FileName) => Promise<ReadResult>,
): Promise<Included> {
  const where = besides(first, name);
  const found = await read(where);
  if (found.kind !== 'read')
    return {
      files: [],
      issues: [issueIn(first, ['include', index], `cannot read "${where.file}": ${reasonOf(found)}`)],
    };
  const file = understoodFile(where, found);
  if (file.kind === 'unread') return { files: [], issues: file.issues };
  const problem = problemOf(file);
  return problem === null ? { files: [file], issues: [] } : { files: [], issues: [problem] };
}

function problemOf(file: ConfigFile): ConfigIssue | null {
  if (!isMapping(file.value)) return issueIn(file, [], 'expected keys and values');
  return Object.hasOwn(file.value, 'include')
    ? issueIn(file, ['include'], 'only the main configuration file can include other files')
    : null;
}

/** Makes the file names in a file's values absolute, relative to its folder. */
function withGivenNamesAbsolute(value: unknown, folder: string): unknown {
  return changeGivenTexts(configFile, value, absoluteIn(folder));
}

/** Fills in default file names, which are relative to the working directory. */
export function withDefaultNames(value: unknown, workingDirectory: string): unknown {
  return changeTexts(configFile, value, absoluteIn(workingDirectory));
}

function absoluteIn(folder: string): (used: UsedText) => string {
  return ({ use, text }) => {
    const isFile = use !== 'secret-variable' && use !== 'secret-url';
    return isFile && text !== '' ? resolve(folder, text) : text;
  };
}

export interface FileChecks {
  /**
   * Returns the reason why a file cannot be read, for example "no such file", or null if it can be read. Never rejects.
   */
  readonly problem: (path: string) => Promise<string | null>;
  /**
   * Returns another file with the same content, which is read if this file cannot be read. Returns null if there is
   * none.
   */
  readonly substitute?: (path: string) => string | null;
}

/** Reports whether a command reads the file or variable of a key such as `appliances.api.keyFile`. */
export type Needs = (key: string) => boolean;

interface Machine {
  readonly env: NodeJS.ProcessEnv;
  readonly files: FileChecks;
  /** @default all keys */
  readonly needs?: Needs;
}

/** A file that is read instead of the configured file. */
export interface Substitute {
  readonly path: string;
  readonly substitute: string;
}

interface FoundReferences {
  /** An issue for each file that cannot be read and for each variable that is not set. */
  readonly missing: readonly SchemaIssue[];
  readonly substitutes: readonly Substitute[];
  /** The value, with substitutes for files that cannot be read. */
  readonly value: unknown;
}

/** Checks that the required files and variables exist. */
export async function findReferences(value: unknown, machine: Machine): Promise<FoundReferences> {
  const { needs = () => true } = machine;
  const needed = usedTexts(configFile, value).filter(({ path }) => needs(keyOf(path ?? [])));
  const found = await Promise.all(needed.map(async (used) => ({ used, ...(await find(used, machine)) })));
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

async function find({ use, text }: UsedText, { env, files }: Machine): Promise<Found> {
  switch (use) {
    case 'file-to-read':
    case 'authority-file':
    case 'secret-file':
      return text === '' ? FOUND : findFile(text, files);
    case 'secret-variable':
      // Text that is not a valid variable name could be the secret itself.
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
  const substitute = files.substitute?.(path) ?? null;
  const also = substitute === null ? null : await files.problem(substitute);
  if (substitute !== null && also === null) return { problem: null, substitute };
  const said = `cannot read file "${visibleText(path, 300)}": ${problem}`;
  return {
    problem:
      also === null
        ? said
        : `${said}; nor can "${visibleText(substitute ?? '', 300)}", from which it is created: ${also}`,
    substitute: null,
  };
}

/** Merges `over` into `under`. Sections are merged key by key, and all other values are replaced. */
export function merged(under: unknown, over: unknown): unknown {
  if (!isMapping(under) || !isMapping(over)) return over;
  const keys = Object.entries(over).map(([key, value]) => [
    key,
    Object.hasOwn(under, key) ? merged(under[key], value) : value,
  ]);
  return { ...under, ...Object.fromEntries(keys) };
}

/**
 * Returns the index of the layer that provides the value at a path, which is the topmost of the merged layers. If the
 * value is missing, returns the layer of its nearest existing parent.
 * @param layers at least one layer, starting with the lowest
 */
export function ownerOf(layers: readonly unknown[], path: YamlPath): number {
  let here = layers.map((value, index) => ({ value, index }));
  let owner = layers.length - 1;
  for (const part of path) {
    const below = here.flatMap(({ value, index }) => childOf(value, part, index));
    const top = below.at(-1);
    if (top === undefined) return owner;
    owner = top.index;
    // A value that is not a section hides all lower layers.
    here = isMapping(top.value) ? below.slice(below.findLastIndex(({ value }) => !isMapping(value)) + 1) : [top];
  }
  return owner;
}

function childOf(value: unknown, part: string | number, index: number): { value: unknown; index: number }[] {
  if (typeof part === 'number') return Array.isArray(value) && part in value ? [{ value: value[part], index }] : [];
  return isMapping(value) && Object.hasOwn(value, part) ? [{ value: value[part], index }] : [];
}
