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
import { yamlErrorText } from './yaml-error-text.ts';

/** Line and column count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface YamlProblem extends Position {
  readonly message: string;
}

export type YamlPath = readonly (string | number)[];

export type YamlResult =
  | {
      readonly kind: 'ok';
      /** Plain values: mappings are objects without a prototype's keys; undefined for an empty file. */
      readonly value: unknown;
      /** Where the last part of the path stands; where it is missing, the nearest part that is there. */
      readonly locate: (path: YamlPath) => Position;
    }
  | { readonly kind: 'invalid'; readonly problems: readonly YamlProblem[] };

/** No configuration and no catalogue comes near; a few aliases of aliases would otherwise grow without end. */
const MAX_VALUES = 100_000;
const MAX_ALIASES = 100;
const MAX_DEPTH = 32;

/**
 * Reads YAML 1.2 without ever throwing, in time and memory in proportion to the text. The values are taken from the
 * syntax tree here and not by the library, whose own conversion does not end for a kilobyte of mappings as keys, and
 * needs minutes for a megabyte of many keys.
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

/**
 * Null for a text nested so deeply that the library, which goes into itself level by level, has no room on the stack.
 */
function syntaxTree(text: string, lineCounter: LineCounter): Document.Parsed | null {
  try {
    return parseDocument(text, { lineCounter, uniqueKeys: false, prettyErrors: false, logLevel: 'error' });
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** Takes one document apart; what it finds wrong is collected and reading goes on. */
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
    // Own keys only: "__proto__" becomes a key like any other, to be refused as unknown.
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
 * Where a person looks for them. A line that is indented too far continues the value of the line before, and the
 * library reports it twice: both begin at that value, and one of them ends in the line that is wrong.
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

/** What stands before it in its line. */
function before(text: string, offset: number, lines: LineCounter): string {
  return text.slice(Math.max(lineStart(lines, offset), offset - LOOK_BACK), offset);
}

function lineStart(lines: LineCounter, offset: number): number {
  return offset - lines.linePos(offset).col + 1;
}

/** The first character from there on that is neither blank nor a comment. */
function contentFrom(text: string, offset: number): number {
  BLANK.lastIndex = offset;
  BLANK.test(text);
  return BLANK.lastIndex < text.length ? BLANK.lastIndex : offset;
}

/** What follows on the same line is mostly a consequence. */
function firstOfEachLine(problems: readonly YamlProblem[]): readonly YamlProblem[] {
  const firsts = new Map(problems.toReversed().map((problem) => [problem.line, problem]));
  return [...firsts.values()].toReversed();
}

function keyOf(key: unknown): string | null {
  if (!isScalar(key)) return null;
  return typeof key.value === 'string' ? key.value : String(key.value);
}

/** The offset of the path's last part that is there: the key in a mapping, the item in a list. */
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
