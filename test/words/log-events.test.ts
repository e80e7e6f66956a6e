import { globSync, readFileSync } from 'node:fs';
import { parseSync, Visitor } from 'rolldown/utils';
import { expect, test } from 'vitest';
import { textsIn } from '../gate/texts.ts';
import { expectRecorded } from './recorded.ts';

const LEVELS: ReadonlySet<string> = new Set(['debug', 'info', 'warn', 'error']);

interface LogCall {
  readonly level: string;
  /** Null if it is not written at the call. */
  readonly event: string | null;
  readonly message: string;
}

/** Returns every call of a logger in a source file. */
function logCallsIn(path: string): readonly LogCall[] {
  const source = readFileSync(path, 'utf8');
  const written = (node: { readonly start: number; readonly end: number } | undefined): string =>
    node === undefined ? '' : source.slice(node.start, node.end);
  const calls: LogCall[] = [];
  new Visitor({
    CallExpression: ({ callee, arguments: [fields, message] }) => {
      const [, level = ''] = /logger\.(\w+)$/iu.exec(written(callee)) ?? [];
      if (!LEVELS.has(level)) return;
      const [, event = null] = /\bevent: '([\w-]+)'/u.exec(written(fields)) ?? [];
      const [text] = textsIn(path, `(${written(message)})`);
      calls.push({ level, event, message: text?.parts.join('…') ?? '…' });
    },
  }).visit(parseSync(path, source).program);
  return calls;
}

test('every line of the log has an event, and is recorded', async () => {
  const calls = globSync('src/**/*.ts').toSorted().flatMap(logCallsIn);
  // The event of occasional warnings is an argument.
  expect(calls.filter(({ event }) => event === null).length).toBeLessThanOrEqual(1);
  expect(calls.length).toBeGreaterThan(60);
  const byEvent = Object.groupBy(calls, ({ event }) => event ?? 'an event that the caller names');
  const told = Object.keys(byEvent)
    .toSorted()
    .map(
      (event) =>
        [event, (byEvent[event] ?? []).map(({ level, message }) => `${level}: ${message}`).join('\n')] as const,
    );
  await expectRecorded('log-events', Object.fromEntries(told));
});
