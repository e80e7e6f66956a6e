import { dirname, isAbsolute, join, resolve } from 'node:path';
import { parseYaml, type Position, type YamlPath } from '../text/yaml-text.ts';
import { type ConfigIssue, formatPath, type SchemaIssue } from './issues.ts';
import { fieldsOf, isMapping, changeGivenTexts, changeTexts, type UsedText, usedTexts } from './schema/section.ts';
import { visibleText } from '../core/visible-text.ts';
import { configFile } from './config.ts';
import { secretVariable } from './schema/secret.ts';

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
export interface ConfigFile extends FileName {
  readonly kind: 'file';
  /** File names as written. Undefined if the file contains no value. */
  readonly written: unknown;
  /** File names made absolute, relative to the configuration file's folder. */
  readonly value: unknown;
  /** Position of the value at the path, or the position at which it would have to be inserted. */
  readonly locate: (path: YamlPath) => Position;
}

export interface UnreadFile {
  readonly kind: 'unread';
  readonly issues: readonly ConfigIssue[];
}

export function understoodFile(name: FileName, found: ReadResult): ConfigFile | UnreadFile {
  if (found.kind !== 'read') return unread(name, reasonOf(found));
  // An empty file is rejected. It would reset every key to its default, so a reload would stop all configured
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
  return { kind: 'file', ...name, written, value: withGivenNamesAbsolute(written ?? {}, dirname(name.source)), locate };
}

function issueIn({ file, locate }: ConfigFile, path: YamlPath, message: string): ConfigIssue {
  return { file, position: locate(path), path: formatPath(path), message };
}

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

/** Null if the bytes are not valid UTF-8. A byte order mark is allowed. */
function decoded(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

const MOST = 50;

interface Included {
  readonly files: readonly ConfigFile[];
  readonly issues: readonly ConfigIssue[];
}

const NONE: Included = { files: [], issues: [] };

/** If `include` is not a list of names, no files are read, and validation reports the error. */
export async function includedBy(first: ConfigFile, read: (name: FileName) => Promise<ReadResult>): Promise<Included> {
  const named = namesIn(first);
  if (named === null) return NONE;
  if (named.length > MOST)
    return { files: [], issues: [issueIn(first, ['include'], `expected at most ${String(MOST)} files`)] };
  const all = await Promise.all(named.map((name, index) => include(first, { name, index }, read)));
  return { files: all.flatMap(({ files }) => files), issues: all.flatMap(({ issues }) => issues) };
}

/** An invalid `include` is kept, so that validation reports it. */
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

function withGivenNamesAbsolute(value: unknown, folder: string): unknown {
  return changeGivenTexts(configFile, value, absoluteIn(folder));
}

/** Default file names are relative to the working directory. */
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
  /** Reason why the file cannot be read, or null. Never rejects. */
  readonly problem: (path: string) => Promise<string | null>;
  /** A file with the same content, to be read if this file cannot be read. */
  readonly substitute?: (path: string) => string | null;
}

/** Whether a command needs the file or variable under a key such as `appliances.api.keyFile`. */
export type Needs = (key: string) => boolean;

interface Machine {
  readonly env: NodeJS.ProcessEnv;
  readonly files: FileChecks;
  /** @default all keys */
  readonly needs?: Needs;
}

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

/** Merges sections key by key. Any other value in `over` replaces the value in `under`. */
export function merged(under: unknown, over: unknown): unknown {
  if (!isMapping(under) || !isMapping(over)) return over;
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
    here = isMapping(top.value) ? below.slice(below.findLastIndex(({ value }) => !isMapping(value)) + 1) : [top];
  }
  return owner;
}

function childOf(value: unknown, part: string | number, index: number): { value: unknown; index: number }[] {
  if (typeof part === 'number') return Array.isArray(value) && part in value ? [{ value: value[part], index }] : [];
  return isMapping(value) && Object.hasOwn(value, part) ? [{ value: value[part], index }] : [];
}
