import { parseSync, Visitor } from 'rolldown/utils';

type CallExpression = Parameters<NonNullable<ConstructorParameters<typeof Visitor>[0]['CallExpression']>>[0];
type Argument = CallExpression['arguments'][number];

/** Methods that add a listener. */
const LISTENING: ReadonlySet<string> = new Set(['on', 'once', 'addListener', 'prependListener', 'addEventListener']);

/** Methods of Node, of libraries and of the clock that take a callback. */
const METHODS: ReadonlySet<string> = new Set([
  'after',
  'bind',
  'close',
  'connect',
  'end',
  'get',
  'listen',
  'lookup',
  'send',
  'watch',
  'write',
]);
const FUNCTIONS: ReadonlySet<string> = new Set([
  'beat',
  'connect',
  'execFile',
  'lookupWithCallback',
  'setImmediate',
  'setInterval',
  'setTimeout',
  'watch',
]);

/** Parameters that are callbacks of the caller. */
const HANDED_ON: ReadonlySet<string> = new Set(['callback', 'done', 'reject', 'resolve']);

/**
 * Returns every event listener and callback of a source file, in source order: `on error`, `once secureConnect`,
 * `callback of send`.
 */
export function listenersIn(path: string, text: string): readonly string[] {
  const { program } = parseSync(path, text);
  const functions = new Set(HANDED_ON);
  const found: { readonly at: number; readonly name: string }[] = [];
  const isFunction = (argument: Argument): boolean =>
    argument.type === 'ArrowFunctionExpression' ||
    argument.type === 'FunctionExpression' ||
    (argument.type === 'CallExpression' && argument.arguments.some(isFunction)) ||
    (argument.type === 'Identifier' && functions.has(argument.name));
  new Visitor({
    FunctionDeclaration: ({ id }) => void (id === null ? undefined : functions.add(id.name)),
    VariableDeclarator: ({ id, init }) => {
      // Excludes results of methods, such as an item found by find().
      const isMethod = init?.type === 'CallExpression' && init.callee.type === 'MemberExpression';
      if (id.type === 'Identifier' && init !== null && !isMethod && isFunction(init)) functions.add(id.name);
    },
  }).visit(program);
  new Visitor({
    CallExpression: ({ callee, arguments: args }) => {
      const method = nameOf(callee);
      if (method === null) return;
      const event = args[callee.type === 'Identifier' ? 1 : 0];
      if (LISTENING.has(method.name) && args.length > 1 && event !== undefined)
        found.push({ at: method.at, name: `${method.name} ${textOf(event, text)}` });
      else if ((callee.type === 'Identifier' ? FUNCTIONS : METHODS).has(method.name) && args.some(isFunction))
        found.push({ at: method.at, name: `callback of ${method.name}` });
    },
  }).visit(program);
  return found.toSorted((one, other) => one.at - other.at).map(({ name }) => name);
}

function nameOf(callee: CallExpression['callee']): { readonly name: string; readonly at: number } | null {
  if (callee.type === 'Identifier') return { name: callee.name, at: callee.start };
  if (callee.type !== 'MemberExpression' || callee.property.type !== 'Identifier') return null;
  return { name: callee.property.name, at: callee.property.start };
}

function textOf(event: Argument, text: string): string {
  return event.type === 'Literal' ? String(event.value) : text.slice(event.start, event.end);
}
