import type { Document } from 'yaml';
import { LineCounter } from 'yaml';
import { visibleText } from './core/visible-text.ts';
import { parseYamlDocument } from './yaml-document.ts';

/** A parsed catalogue, unchecked. */
export interface CatalogueFile {
  readonly document: Document;
  readonly lines: LineCounter;
  readonly value: unknown;
}

/** A file full of mistakes is told by its first ones. */
const MAX_PROBLEM = 2_000;

/**
 * Parses a catalogue of the administrator (signatures, inspection products), which may come from somebody else.
 * @throws {Error} naming the file and, where it is no YAML, the place
 */
export function parseCatalogue(content: string, what: string, file: string): CatalogueFile {
  const lines = new LineCounter();
  const document = parseYamlDocument(content, lines);
  if (document === null) throw catalogueError(`Cannot parse the ${what} of "${file}"`, 'it is nested too deeply');
  const syntax = document.errors[0];
  if (syntax !== undefined) {
    const { line, col } = lines.linePos(syntax.pos[0]);
    const place = `line ${String(line)}, column ${String(col)}`;
    throw catalogueError(`Cannot parse the ${what} of "${file}"`, `${syntax.message} at ${place}`, syntax);
  }
  try {
    // Aliases can stand for gigabytes, or for themselves.
    const value: unknown = document.toJS({ maxAliasCount: 0 });
    return { document, lines, value };
  } catch (error) {
    throw catalogueError(`Cannot parse the ${what} of "${file}"`, error instanceof Error ? error.message : String(error), error);
  }
}

/** An error of one line, bounded, whatever of the file is quoted in it. */
export function catalogueError(attempt: string, problem: string, cause?: unknown): Error {
  return new Error(`${attempt}: ${visibleText(problem, MAX_PROBLEM)}`, { cause });
}
