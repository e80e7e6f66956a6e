import { extname } from 'node:path';
import { readText } from './json-file.ts';
import { visibleText } from '../core/visible-text.ts';
import { parseYaml, type YamlPath } from '../text/yaml-text.ts';

/** Not validated. */
export interface CatalogueFile {
  readonly value: unknown;
  /** Returns the line of the last part of the path that exists. */
  readonly lineOf: (path: YamlPath) => number;
}

const MAX_PROBLEM = 2_000;

/**
 * The file may come from a third party, so it is untrusted.
 * @throws {Error} with the name of the file and, if it is not valid YAML, the positions @internal
 */
export function parseCatalogue(content: string, what: string, file: string): CatalogueFile {
  const yaml = parseYaml(content);
  if (yaml.kind === 'ok') return { value: yaml.value, lineOf: (path) => yaml.locate(path).line };
  const problems = yaml.problems.map(
    ({ line, column, message }) => `line ${String(line)}, column ${String(column)}: ${message}`,
  );
  throw catalogueError(`Cannot parse the ${what} in "${file}"`, problems.join('; '));
}

interface Catalogue<T> {
  /** The word for the entries that is used in messages, for example `products`. */
  readonly what: string;
  readonly files: readonly string[];
  /** The path to a file in YAML format, or in JSON format if the build has converted the file. */
  readonly shipped: string;
  readonly parse: (content: CatalogueFile, file: string) => readonly T[];
}

/**
 * The administrator's entries come first and replace shipped entries with the same ID.
 * @throws {Error} with the file, the position and the expected value
 */
export async function loadCatalogue<T extends { readonly id: string }>(catalogue: Catalogue<T>): Promise<readonly T[]> {
  const { what, files, shipped, parse } = catalogue;
  const read = (file: string): Promise<string> => readText(file, `the ${what} in`);
  const own: T[] = [];
  for (const file of files) own.push(...parse(parseCatalogue(await read(file), what, file), file));
  const ids = new Set(own.map(({ id }) => id));
  const content = await read(shipped);
  const ours = extname(shipped) === '.json' ? parseBuilt(content) : parseCatalogue(content, what, shipped);
  return [...own, ...parse(ours, shipped).filter(({ id }) => !ids.has(id))];
}

/** Line numbers are not needed, because the build has validated the file. */
function parseBuilt(content: string): CatalogueFile {
  const value: unknown = JSON.parse(content);
  return { value, lineOf: () => 1 };
}

/** @throws {Error} if an ID occurs twice, because one of the entries would never be used */
export function assertUnique(entries: readonly { readonly id: string }[], attempt: string): void {
  const ids = entries.map(({ id }) => id);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) throw catalogueError(attempt, `the ID "${twice}" occurs twice, expected unique IDs`);
}

/** The message is limited in length, even if the problem quotes the file. */
export function catalogueError(attempt: string, problem: string): Error {
  return new Error(`${attempt}: ${visibleText(problem, MAX_PROBLEM)}`);
}
