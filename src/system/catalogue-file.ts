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
 * @throws {Error} naming the file and, where it is no YAML, the places
 */
export function parseCatalogue(content: string, what: string, file: string): CatalogueFile {
  const yaml = parseYaml(content);
  if (yaml.kind === 'ok') return { value: yaml.value, lineOf: (path) => yaml.locate(path).line };
  const problems = yaml.problems.map(
    ({ line, column, message }) => `line ${String(line)}, column ${String(column)}: ${message}`,
  );
  throw catalogueError(`Cannot parse the ${what} of "${file}"`, problems.join('; '));
}

/** An error of one line, bounded, whatever of the file is quoted in it. */
export function catalogueError(attempt: string, problem: string): Error {
  return new Error(`${attempt}: ${visibleText(problem, MAX_PROBLEM)}`);
}
