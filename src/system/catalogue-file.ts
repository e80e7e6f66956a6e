import { extname } from 'node:path';
import { readText } from './json-file.ts';
import { visibleText } from '../core/visible-text.ts';
import { parseYaml, type YamlPath } from '../text/yaml-text.ts';

/** A parsed catalogue, unchecked. */
export interface CatalogueFile {
  readonly value: unknown;
  /** The line of the last part of the path that is there. */
  readonly lineOf: (path: YamlPath) => number;
}

/** A file full of mistakes is told by its first ones. */
const MAX_PROBLEM = 2_000;

/**
 * Parses a catalogue of the administrator (signatures, inspection products), which may come from somebody else.
 * @throws {Error} naming the file and, where it is no YAML, the places @internal
 */
export function parseCatalogue(content: string, what: string, file: string): CatalogueFile {
  const yaml = parseYaml(content);
  if (yaml.kind === 'ok') return { value: yaml.value, lineOf: (path) => yaml.locate(path).line };
  const problems = yaml.problems.map(
    ({ line, column, message }) => `line ${String(line)}, column ${String(column)}: ${message}`,
  );
  throw catalogueError(`Cannot parse the ${what} of "${file}"`, problems.join('; '));
}

interface Catalogue<T> {
  /** In messages: `products`. */
  readonly what: string;
  /** Of the administrator. */
  readonly files: readonly string[];
  /** YAML, or JSON where the build has made that of it. */
  readonly shipped: string;
  readonly parse: (content: CatalogueFile, file: string) => readonly T[];
}

/**
 * Reads the shipped catalogue and the files of the administrator. Theirs stand first, so they win; an entry of theirs
 * with the id of a shipped one replaces it.
 * @throws {Error} naming the file, the place in it and what was expected
 */
export async function loadCatalogue<T extends { readonly id: string }>(catalogue: Catalogue<T>): Promise<readonly T[]> {
  const { what, files, shipped, parse } = catalogue;
  const read = (file: string): Promise<string> => readText(file, `the ${what} of`);
  const own: T[] = [];
  for (const file of files) own.push(...parse(parseCatalogue(await read(file), what, file), file));
  const ids = new Set(own.map(({ id }) => id));
  const content = await read(shipped);
  const ours = extname(shipped) === '.json' ? parseBuilt(content) : parseCatalogue(content, what, shipped);
  return [...own, ...parse(ours, shipped).filter(({ id }) => !ids.has(id))];
}

/** Has no mistakes, and so no lines. */
function parseBuilt(content: string): CatalogueFile {
  const value: unknown = JSON.parse(content);
  return { value, lineOf: () => 1 };
}

/** @throws {Error} when an id stands twice: one of the two would never be seen */
export function assertUnique(entries: readonly { readonly id: string }[], attempt: string): void {
  const ids = entries.map(({ id }) => id);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) throw catalogueError(attempt, `the id "${twice}" is given twice, expected unique ids`);
}

/** An error of one line, bounded, whatever of the file is quoted in it. */
export function catalogueError(attempt: string, problem: string): Error {
  return new Error(`${attempt}: ${visibleText(problem, MAX_PROBLEM)}`);
}
