import { dirname, isAbsolute, join, resolve } from 'node:path';
import { parseYaml, type Position, type YamlPath } from '../text/yaml-text.ts';
import { type ConfigIssue, formatPath, type SchemaIssue } from './issues.ts';
import { fieldsOf, isMapping, changeGivenTexts, changeTexts, type UsedText, usedTexts } from './schema/section.ts';
import { visibleText } from '../core/visible-text.ts';
import { configFile } from './config.ts';
import { secretVariable } from './schema/secret.ts';

/** Larger than any real configuration. */
export const MAX_CONFIG_BYTES: number = 1024 * 1024;

export type ReadResult =
  | { readonly kind: 'read'; readonly bytes: Uint8Array }
  | { readonly kind: 'missing' }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'failed'; readonly reason: string };

/** Path of a file, and its name in messages. */
interface FileName {
  /** As given. */
  readonly file: string;
  /** Absolute. */
  readonly source: string;
}

/** One configuration file, before validation against the schema. */
export interface ConfigFile extends FileName {
  readonly kind: 'file';
  /** As written. Undefined for a file without a value. */
  readonly written: unknown;
  /** With absolute file names. Relative names are resolved against the folder of this file. */
  readonly value: unknown;
  /** Returns the position of the last part of the path, or where it would be. */
  readonly locate: (path: YamlPath) => Position;
}

export interface UnreadFile {
  readonly kind: 'unread';
  readonly issues: readonly ConfigIssue[];
}

export function understoodFile(name: FileName, found: ReadResult): ConfigFile | UnreadFile {
  if (found.kind !== 'read') return unread(name, reasonOf(found));
  // An empty file would mean the defaults for every key, so a reload would drop everything that is monitored.
  if (found.bytes.length === 0) return unread(name, 'it is empty, as a full disk or an unfinished copy leaves it');
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

/** Resolves a file name against the file that contains it. */
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

/** More files are a mistake, not a large installation. */
const MOST = 50;

interface Included {
  /** In the order in which they are listed. */
  readonly files: readonly ConfigFile[];
  readonly issues: readonly ConfigIssue[];
}

const NONE: Included = { files: [], issues: [] };

/**
 * Returns the files that the first configuration file lists in `include`. If the value is not a list of names, the
 * schema reports it.
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
    ? issueIn(file, ['include'], 'only the first file of a configuration names others')
    : null;
}

/** Makes the file names in a file's values absolute, relative to its folder. */
function withGivenNamesAbsolute(value: unknown, folder: string): unknown {
  return changeGivenTexts(configFile, value, absoluteIn(folder));
}

/** Fills in default file names, relative to the working directory. */
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
  /** Returns why the file cannot be read ("no such file"), or null if it can. Never rejects. */
  readonly problem: (path: string) => Promise<string | null>;
  /** Returns another file with the same content, to be read if this one cannot be, or null. */
  readonly substitute?: (path: string) => string | null;
}

/** Reports whether a command reads the file or variable at this key: `appliances.api.keyFile`. */
export type Needs = (key: string) => boolean;

interface Machine {
  readonly env: NodeJS.ProcessEnv;
  readonly files: FileChecks;
  /** @default everything */
  readonly needs?: Needs;
}

/** A file that is read in place of the configured one. */
export interface Substitute {
  readonly path: string;
  readonly substitute: string;
}

interface NamedThings {
  /** One issue for each file that cannot be read and each variable that is not set. */
  readonly missing: readonly SchemaIssue[];
  readonly substitutes: readonly Substitute[];
  /** With substitutes in place of files that cannot be read. */
  readonly value: unknown;
}

/** Checks that the required files and variables exist. */
export async function findNamedThings(value: unknown, machine: Machine): Promise<NamedThings> {
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
      // If the text is not a valid variable name, it could be the secret itself.
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
      also === null ? said : `${said}; nor "${visibleText(substitute ?? '', 300)}", which it is made from: ${also}`,
    substitute: null,
  };
}

/** Merges `over` into `under`: sections key by key; everything else is replaced. */
export function merged(under: unknown, over: unknown): unknown {
  if (!isMapping(under) || !isMapping(over)) return over;
  const keys = Object.entries(over).map(([key, value]) => [
    key,
    Object.hasOwn(under, key) ? merged(under[key], value) : value,
  ]);
  return { ...under, ...Object.fromEntries(keys) };
}

/**
 * Returns the index of the layer that provides the value at a path: the topmost of the layers that are merged there. If
 * the value is missing, returns the layer of its nearest existing parent.
 * @param layers the lowest first, at least one
 */
export function ownerOf(layers: readonly unknown[], path: YamlPath): number {
  let here = layers.map((value, index) => ({ value, index }));
  let owner = layers.length - 1;
  for (const part of path) {
    const below = here.flatMap(({ value, index }) => childOf(value, part, index));
    const top = below.at(-1);
    if (top === undefined) return owner;
    owner = top.index;
    // A value that is not a section hides everything below it.
    here = isMapping(top.value) ? below.slice(below.findLastIndex(({ value }) => !isMapping(value)) + 1) : [top];
  }
  return owner;
}

function childOf(value: unknown, part: string | number, index: number): { value: unknown; index: number }[] {
  if (typeof part === 'number') return Array.isArray(value) && part in value ? [{ value: value[part], index }] : [];
  return isMapping(value) && Object.hasOwn(value, part) ? [{ value: value[part], index }] : [];
}
