import {
  type Alias,
  type Document,
  type ErrorCode,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type YAMLError,
  type YAMLMap,
} from 'yaml';
import { showValue } from './show.ts';

/** Counted from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

interface YamlProblem extends Position {
  readonly message: string;
}

export type YamlPath = readonly (string | number)[];

type YamlResult =
  | {
      readonly kind: 'ok';
      /** Mappings become plain objects. Undefined for an empty file. */
      readonly value: unknown;
      /**
       * Returns the position of the value at a path or, if the value does not exist, the position of its nearest
       * existing parent.
       */
      readonly locate: (path: YamlPath) => Position;
    }
  | { readonly kind: 'invalid'; readonly problems: readonly YamlProblem[] };

/** Without a limit, a few nested aliases could expand to any number of values. */
const MAX_VALUES = 100_000;
const MAX_ALIASES = 100;
const MAX_DEPTH = 32;

/**
 * Never throws. Time and memory are proportional to the length of the text. The values are created from the syntax
 * tree, because the library's own conversion is too slow for hostile input: with mappings as keys, it does not finish
 * for a kilobyte, and with many keys, it takes minutes for a megabyte.
 */
export function parseYaml(text: string): YamlResult {
  const lines = new LineCounter();
  const document = syntaxTree(text, lines);
  if (document === null)
    return { kind: 'invalid', problems: [{ line: 1, column: 1, message: yamlErrorText('RESOURCE_EXHAUSTION') }] };
  const syntax = [...document.errors, ...document.warnings];
  if (syntax.length > 0) {
    const placed = withoutConsequences(placedErrors(syntax, text, lines), text, lines);
    const problems = placed.map(({ at, code }) => ({
      ...positionAt(lines, at),
      message: yamlErrorText(code),
    }));
    return { kind: 'invalid', problems: firstOfEachLine(problems) };
  }
  const reader = new TreeReader(document, lines);
  const value = document.contents === null ? undefined : reader.read(document.contents, 0);
  if (reader.problems.length > 0) return { kind: 'invalid', problems: reader.problems };
  return { kind: 'ok', value, locate: (path) => positionAt(lines, offsetOf(document, path)) };
}

/** Returns null if the text is nested so deeply that the library's recursion overflows the stack. */
function syntaxTree(text: string, lineCounter: LineCounter): Document.Parsed | null {
  try {
    return parseDocument(text, { lineCounter, uniqueKeys: false, prettyErrors: false, logLevel: 'error' });
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** Records problems and continues. */
class TreeReader {
  readonly problems: YamlProblem[] = [];
  readonly #document: Document.Parsed;
  readonly #lines: LineCounter;
  #values = 0;
  #aliases = 0;

  constructor(document: Document.Parsed, lines: LineCounter) {
    this.#document = document;
    this.#lines = lines;
  }

  read(node: unknown, depth: number): unknown {
    this.#values += 1;
    if (this.#values === MAX_VALUES)
      this.#tell(node, `expected at most ${String(MAX_VALUES)} values, including values repeated by aliases`);
    if (depth === MAX_DEPTH) this.#tell(node, `expected at most ${String(MAX_DEPTH)} levels`);
    if (this.#values >= MAX_VALUES || depth >= MAX_DEPTH) return null;
    if (isScalar(node)) return node.value;
    if (isSeq(node)) return node.items.map((item) => this.read(item, depth + 1));
    if (isMap(node)) return this.#mapping(node, depth);
    return isAlias(node) ? this.#aliased(node, depth) : null;
  }

  #mapping(node: YAMLMap, depth: number): unknown {
    const entries = new Map<string, unknown>();
    for (const pair of node.items) {
      const key = keyOf(pair.key);
      if (key === null) this.#tell(pair.key ?? node, 'expected text as the key');
      else if (entries.has(key)) this.#tell(pair.key, `key ${showValue(key)} occurs twice in this section`);
      else entries.set(key, this.read(pair.value, depth + 1));
    }
    // Object.fromEntries creates "__proto__" as an ordinary key, which validation then rejects as unknown.
    return Object.fromEntries(entries);
  }

  #aliased(node: Alias, depth: number): unknown {
    this.#aliases += 1;
    if (this.#aliases === MAX_ALIASES + 1) this.#tell(node, `expected at most ${String(MAX_ALIASES)} aliases`);
    if (this.#aliases > MAX_ALIASES) return null;
    const target = node.resolve(this.#document);
    if (target !== undefined) return this.read(target, depth + 1);
    this.#tell(node, 'this alias (*) refers to an anchor (&) that is not defined before it');
    return null;
  }

  #tell(node: unknown, message: string): void {
    this.problems.push({ ...positionAt(this.#lines, startOf(node, 0)), message });
  }
}

const BLANK = /(?:\s|#.*)*/uy;
/** Large enough for an indentation, or for the space between a key and its value. */
const LOOK_BACK = 200;

/**
 * Places errors where users expect them. A line that is indented too far continues the previous line's value, and the
 * library reports two errors. Both errors start at that value, and one of them ends on the line with the wrong
 * indentation.
 */
function placedErrors(errors: readonly YAMLError[], text: string, lines: LineCounter): readonly Placed[] {
  const continued = new Set(errors.filter((error) => isContinued(error, text, lines)).map(({ pos }) => pos[0]));
  return errors.flatMap((error): readonly Placed[] => {
    if (isContinued(error, text, lines))
      return [{ at: contentFrom(text, lineStart(lines, error.pos[1])), code: 'BAD_INDENT' }];
    if (error.code === 'BLOCK_AS_IMPLICIT_KEY' && continued.has(error.pos[0])) return [];
    return [placed(error, text, lines)];
  });
}

interface Placed {
  /** Offset in the text. */
  readonly at: number;
  readonly code: ErrorCode;
}

/** If a line is indented too far, the lines that are indented as far are not reported separately. */
function withoutConsequences(errors: readonly Placed[], text: string, lines: LineCounter): readonly Placed[] {
  let end = 0;
  return errors
    .toSorted((a, b) => a.at - b.at)
    .filter(({ at, code }) => {
      if (at < end) return false;
      const margin = before(text, at, lines);
      if (code === 'BAD_INDENT' && /^ +$/u.test(margin)) end = endOfBlock(text, at, margin.length);
      return true;
    });
}

/** Offset of the next line that is indented less, except for comments. */
function endOfBlock(text: string, offset: number, indent: number): number {
  const shallower = new RegExp(`\\n {0,${String(indent - 1)}}[^\\s#]`, 'gu');
  shallower.lastIndex = offset;
  return shallower.exec(text)?.index ?? text.length;
}

function isContinued({ code, pos: [from, to] }: YAMLError, text: string, lines: LineCounter): boolean {
  const isValue = /: *$/u.test(before(text, from, lines));
  return code === 'MULTILINE_IMPLICIT_KEY' && isValue && lineStart(lines, to) > from;
}

function placed({ code, pos: [from] }: YAMLError, text: string, lines: LineCounter): Placed {
  const content = contentFrom(text, from);
  const isMargin = /^ *$/u.test(before(text, from, lines));
  const isIndent = isMargin && (code === 'BLOCK_AS_IMPLICIT_KEY' || (code === 'MISSING_CHAR' && content > from));
  return code === 'BAD_INDENT' || isIndent ? { at: content, code: 'BAD_INDENT' } : { at: from, code };
}

/** The part of the line before the offset. */
function before(text: string, offset: number, lines: LineCounter): string {
  return text.slice(Math.max(lineStart(lines, offset), offset - LOOK_BACK), offset);
}

function lineStart(lines: LineCounter, offset: number): number {
  return offset - lines.linePos(offset).col + 1;
}

/** Offset of the next character that is neither white space nor part of a comment. */
function contentFrom(text: string, offset: number): number {
  BLANK.lastIndex = offset;
  BLANK.test(text);
  return BLANK.lastIndex < text.length ? BLANK.lastIndex : offset;
}

/** The other errors are usually consequences of the first. */
function firstOfEachLine(problems: readonly YamlProblem[]): readonly YamlProblem[] {
  const firsts = new Map(problems.toReversed().map((problem) => [problem.line, problem]));
  return [...firsts.values()].toReversed();
}

function keyOf(key: unknown): string | null {
  if (!isScalar(key)) return null;
  return typeof key.value === 'string' ? key.value : String(key.value);
}

/** Offset of the last part of the path that exists. */
function offsetOf(document: Document.Parsed, path: YamlPath): number {
  let node: unknown = document.contents;
  let offset = startOf(node, 0);
  for (const part of path) {
    const target = isAlias(node) ? node.resolve(document) : node;
    if (isMap(target)) {
      const pair = target.items.find(({ key }) => keyOf(key) === String(part));
      if (pair === undefined) return offset;
      offset = startOf(pair.key, offset);
      node = pair.value;
    } else if (isSeq(target)) {
      node = target.items[Number(part)];
      offset = startOf(node, offset);
    } else {
      return offset;
    }
  }
  return offset;
}

function startOf(node: unknown, fallback: number): number {
  return isNode(node) ? (node.range?.[0] ?? fallback) : fallback;
}

function positionAt(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

/**
 * The library's own messages are not used, because they quote the file, and the file may contain a misplaced secret.
 */
function yamlErrorText(code: ErrorCode): string {
  return `not valid YAML: ${TEXTS[code]}`;
}

const TEXTS: Readonly<Record<ErrorCode, string>> = {
  ALIAS_PROPS: 'an alias (*) cannot have an anchor or a tag',
  BAD_ALIAS: 'an anchor or alias (& or *) needs a name',
  BAD_COLLECTION_TYPE: 'the tag (!) does not match the value',
  BAD_DIRECTIVE: 'a line that begins with % is not a known YAML directive',
  BAD_DQ_ESCAPE: 'unknown escape after \\ in double quotes; use single quotes, or write \\\\',
  BAD_INDENT: 'wrong indentation, or a bracket or brace is not closed',
  BAD_PROP_ORDER: 'anchors and tags (& and !) must be immediately before their value',
  BAD_SCALAR_START: 'text that begins with a special character must be in quotes',
  BLOCK_AS_IMPLICIT_KEY:
    'two keys on one line, or a line that is indented too far; text that contains ": " must be in quotes',
  BLOCK_IN_FLOW: 'an indented list or section is not allowed inside brackets or braces',
  DUPLICATE_KEY: 'a key occurs twice in this section',
  IMPOSSIBLE: 'this cannot be read',
  KEY_OVER_1024_CHARS: 'a key is longer than 1024 characters',
  MISSING_CHAR: 'a closing quote, bracket or brace, a comma, a colon, or the space after a comma or colon is missing',
  MULTILINE_IMPLICIT_KEY: 'a key must be on one line; check whether a colon is missing after it',
  MULTIPLE_ANCHORS: 'a value can have only one anchor (&)',
  MULTIPLE_DOCS: 'expected one document; remove the "---" lines after the first document',
  MULTIPLE_TAGS: 'a value can have only one tag (!)',
  NON_STRING_KEY: 'expected text as the key',
  RESOURCE_EXHAUSTION: 'nested too deeply',
  TAB_AS_INDENT: 'indentation with a tab; use spaces',
  TAG_RESOLVE_FAILED: 'unknown YAML tag (!); remove it, or put the text in quotes',
  UNEXPECTED_TOKEN: 'unexpected character; text with special characters must be in quotes',
};
