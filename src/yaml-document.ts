import { type Document, type DocumentOptions, type LineCounter, parseDocument, type ParseOptions, type SchemaOptions } from 'yaml';

/**
 * Parses a text of anybody. Mistakes are in the document's `errors`.
 * @returns null for a text that is nested so deeply that the library, which goes into itself level by level, has no room on the stack
 */
export function parseYamlDocument(
  text: string,
  lineCounter: LineCounter,
  options: ParseOptions & DocumentOptions & SchemaOptions = {},
): Document.Parsed | null {
  try {
    return parseDocument(text, { ...options, lineCounter, prettyErrors: false, logLevel: 'error' });
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
