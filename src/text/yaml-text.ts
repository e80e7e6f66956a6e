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

/** Line and column start at 1. */
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
      /** Plain values. Mappings are objects without keys from a prototype. Undefined for an empty file. */
      readonly value: unknown;
      /** Returns the position of the last part of the path, or of its nearest existing parent. */
      readonly locate: (path: YamlPath) => Position;
    }
  | { readonly kind: 'invalid'; readonly problems: readonly YamlProblem[] };

/** Far above any real configuration or catalogue. Without a limit, a few aliases of aliases would grow endlessly. */
const MAX_VALUES = 100_000;
const MAX_ALIASES = 100;
const MAX_DEPTH = 32;

/**
 * Parses YAML 1.2. Never throws, and takes time and memory in proportion to the text. The values are built here from
 * the syntax tree instead of by the library, whose conversion does not end for a kilobyte of mappings as keys, and
 * takes minutes for a megabyte of many keys.
 */
export function parseYaml(text: string): YamlResult {
  const lines = new LineCounter();
  const document = syntaxTree(text, lines);
  if (document === null)
    return { kind: 'invalid', problems: [{ line: 1, column: 1, message: yamlErrorText('RESOURCE_EXHAUSTION') }] };
  const syntax = [...document.errors, ...document.warnings];
  if (syntax.length > 0) {
    const problems = placedErrors(syntax, text, lines).map(({ at, code }) => ({
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

/** Returns null if the text is nested so deeply that the library, which is recursive, overflows the stack. */
function syntaxTree(text: string, lineCounter: LineCounter): Document.Parsed | null {
  try {
    return parseDocument(text, { lineCounter, uniqueKeys: false, prettyErrors: false, logLevel: 'error' });
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** Reads one document. Problems are collected, and reading continues. */
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
      this.#tell(node, `expected at most ${String(MAX_VALUES)} values, those that aliases repeat included`);
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
      if (key === null) this.#tell(pair.key ?? node, 'expected a text as key');
      else if (entries.has(key)) this.#tell(pair.key, `key ${showValue(key)} stands in this section twice`);
      else entries.set(key, this.read(pair.value, depth + 1));
    }
    // Creates own keys only: "__proto__" becomes an ordinary key and is rejected as unknown.
    return Object.fromEntries(entries);
  }

  #aliased(node: Alias, depth: number): unknown {
    this.#aliases += 1;
    if (this.#aliases === MAX_ALIASES + 1) this.#tell(node, `expected at most ${String(MAX_ALIASES)} aliases`);
    if (this.#aliases > MAX_ALIASES) return null;
    const target = node.resolve(this.#document);
    if (target !== undefined) return this.read(target, depth + 1);
    this.#tell(node, 'this alias (*) names an anchor (&) that does not stand before it');
    return null;
  }

  #tell(node: unknown, message: string): void {
    this.problems.push({ ...positionAt(this.#lines, startOf(node, 0)), message });
  }
}

const BLANK = /(?:\s|#.*)*/uy;
/** Enough for an indentation, and for the space between a key and its value. */
const LOOK_BACK = 200;

/**
 * Positions errors where a person looks for them. A line that is indented too far continues the previous line's value,
 * and the library reports it twice: both errors start at that value, and one of them ends in the wrong line.
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
  /** Offset. */
  readonly at: number;
  readonly code: ErrorCode;
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

/** Returns the text before the offset in its line. */
function before(text: string, offset: number, lines: LineCounter): string {
  return text.slice(Math.max(lineStart(lines, offset), offset - LOOK_BACK), offset);
}

function lineStart(lines: LineCounter, offset: number): number {
  return offset - lines.linePos(offset).col + 1;
}

/** Returns the offset of the next character that is neither blank nor part of a comment. */
function contentFrom(text: string, offset: number): number {
  BLANK.lastIndex = offset;
  BLANK.test(text);
  return BLANK.lastIndex < text.length ? BLANK.lastIndex : offset;
}

/** Further errors on the same line are mostly consequences of the first. */
function firstOfEachLine(problems: readonly YamlProblem[]): readonly YamlProblem[] {
  const firsts = new Map(problems.toReversed().map((problem) => [problem.line, problem]));
  return [...firsts.values()].toReversed();
}

function keyOf(key: unknown): string | null {
  if (!isScalar(key)) return null;
  return typeof key.value === 'string' ? key.value : String(key.value);
}

/** Returns the offset of the last existing part of the path: the key in a mapping, the item in a list. */
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
 * Describes a syntax error. The library's own messages quote parts of the file, which may contain a misplaced secret.
 */
function yamlErrorText(code: ErrorCode): string {
  return `not valid YAML: ${TEXTS[code]}`;
}

const TEXTS: Readonly<Record<ErrorCode, string>> = {
  ALIAS_PROPS: 'an alias (*) takes no anchor and no tag',
  BAD_ALIAS: 'an anchor or alias (& or *) needs a name',
  BAD_COLLECTION_TYPE: 'the tag (!) does not fit the value',
  BAD_DIRECTIVE: 'a line that begins with % is no directive that YAML knows',
  BAD_DQ_ESCAPE: 'unknown escape after \\ in double quotes: use single quotes, or write \\\\',
  BAD_INDENT: 'wrong indentation, or a bracket or brace that is not closed',
  BAD_PROP_ORDER: 'anchors and tags (& and !) stand right before their value',
  BAD_SCALAR_START: 'a text that begins with a special character needs quotes',
  BLOCK_AS_IMPLICIT_KEY:
    'two keys on one line, or a line that is indented too far: a text with ": " in it needs quotes',
  BLOCK_IN_FLOW: 'a list or section by indentation cannot stand inside brackets or braces',
  DUPLICATE_KEY: 'a key stands in this section twice',
  IMPOSSIBLE: 'this cannot be read',
  KEY_OVER_1024_CHARS: 'a key of more than 1024 characters',
  MISSING_CHAR:
    'something is missing here: a closing quote, bracket or brace, a comma, a colon, or the space after one',
  MULTILINE_IMPLICIT_KEY: 'a key must stand on one line: is a colon missing after it?',
  MULTIPLE_ANCHORS: 'a value takes one anchor (&)',
  MULTIPLE_DOCS: 'expected one document: remove the lines "---" after the first',
  MULTIPLE_TAGS: 'a value takes one tag (!)',
  NON_STRING_KEY: 'expected a text as key',
  RESOURCE_EXHAUSTION: 'nested too deeply',
  TAB_AS_INDENT: 'indentation with a tab: use spaces',
  TAG_RESOLVE_FAILED: 'a tag (!) that YAML does not know: remove it, or put the text in quotes',
  UNEXPECTED_TOKEN: 'unexpected character: a text with special characters needs quotes',
};
