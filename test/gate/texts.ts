import { parseSync, Visitor } from 'rolldown/utils';

type Visitors = ConstructorParameters<typeof Visitor>[0];
type NodeOf<Type extends keyof Visitors> = Parameters<NonNullable<Visitors[Type]>>[0];
type Expression = NodeOf<'BinaryExpression'>['right'];
type Call = NodeOf<'CallExpression'>;

/** A text in a source file: a string, a template, or several of them joined with `+`. */
export interface Text {
  readonly at: number;
  /** Its fixed parts, in order. The values between them are known only while the program runs. */
  readonly parts: readonly string[];
}

/** Functions whose text arguments are titles of tests, and errors, which tests throw only if something is wrong. */
const TITLED: ReadonlySet<string> = new Set(['describe', 'test', 'it', 'describeWhere', 'testWhere', 'Error']);

/** Returns every text of a source file, in source order. The titles and errors of tests are left out. */
export function textsIn(path: string, source: string): readonly Text[] {
  const { program } = parseSync(path, source);
  const seen = new Set<Expression>();
  const texts: Text[] = [];
  const add = (node: Expression): void => {
    if (seen.has(node)) return;
    const parts = partsOf(node, seen);
    if (parts.some((part) => part !== '')) texts.push({ at: node.start, parts });
  };
  const leaveOut = ({ callee, arguments: args }: Call | NodeOf<'NewExpression'>): void => {
    if (isTitled(callee)) for (const argument of args) if (isText(argument)) seen.add(argument);
  };
  const ofTest = path.startsWith('test/');
  new Visitor({
    CallExpression: (call) => {
      if (ofTest) leaveOut(call);
    },
    NewExpression: (made) => {
      if (ofTest) leaveOut(made);
    },
    ImportDeclaration: ({ source: from }) => void seen.add(from),
    // A parent is visited before its children, so the whole of a joined text is seen before its parts.
    BinaryExpression: (node) => {
      if (node.operator === '+') add(node);
    },
    Literal: (node) => {
      if (typeof node.value === 'string') add(node);
      else if ('regex' in node) texts.push({ at: node.start, parts: [literalsOf(node.regex.pattern)] });
    },
    TemplateLiteral: add,
  }).visit(program);
  return texts.toSorted((one, other) => one.at - other.at);
}

function isTitled(callee: Call['callee']): boolean {
  if (callee.type === 'Identifier') return TITLED.has(callee.name);
  if (callee.type === 'MemberExpression') return isTitled(callee.object);
  // test.each(rows)(title, …)
  return callee.type === 'CallExpression' && isTitled(callee.callee);
}

function isText(node: Call['arguments'][number]): node is NodeOf<'TemplateLiteral'> | NodeOf<'Literal'> {
  return node.type === 'TemplateLiteral' || (node.type === 'Literal' && typeof node.value === 'string');
}

function partsOf(node: Expression, seen: Set<Expression>): readonly string[] {
  seen.add(node);
  if (node.type === 'Literal' && typeof node.value === 'string') return [node.value];
  if (node.type === 'TemplateLiteral') return node.quasis.map(({ value }) => value.cooked ?? value.raw);
  if (node.type === 'BinaryExpression' && node.operator === '+') {
    const [left, [first = '', ...others]] = [partsOf(node.left, seen), partsOf(node.right, seen)];
    return [...left.slice(0, -1), `${left.at(-1) ?? ''}${first}`, ...others];
  }
  // Visited separately.
  seen.delete(node);
  return ['', ''];
}

/** Returns what matches itself in a regular expression, with separators for the rest. */
function literalsOf(pattern: string): string {
  return pattern.replaceAll(/\\([^\w])|\\\w|[()[\]{}|*+?^$]/gu, (_, literal?: string) => literal ?? SEPARATOR);
}

/** Between the parts of a text that values, markup, placeholders or line breaks separate. */
const SEPARATOR = '\n';

/** Returns the phrases of a text: runs of words that nothing separates, in lower case. */
export function phrasesOf({ parts }: Pick<Text, 'parts'>): readonly (readonly string[])[] {
  return parts
    .map((part, index) => {
      // A value may continue a word.
      const begun = index === 0 ? part : part.replace(/^[\p{L}\p{N}]+/u, SEPARATOR);
      return index === parts.length - 1 ? begun : begun.replace(/[\p{L}\p{N}]+$/u, SEPARATOR);
    })
    .flatMap((part) => part.replaceAll(/<[^<>]*>|^[^<>]*>|<[^<>]*$|\{\w+\}/gu, SEPARATOR).split(SEPARATOR))
    .map(wordsOf)
    .filter((words) => words.length > 1);
}

/** Returns the words of a text. A name such as `127.0.0.1` or `tls-blocked` is one word. */
function wordsOf(text: string): readonly string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}](?:\S*[\p{L}\p{N}])?/gu) ?? [];
}

/** Returns every run of `length` words in a phrase. */
export function runsOf(words: readonly string[], length: number): readonly string[] {
  return words.slice(length - 1).map((_, index) => words.slice(index, index + length).join(' '));
}
