import picocolors from 'picocolors';

import { visibleText } from '../core/visible-text.ts';

/** How a line of the log is written, from the JSON that pino makes of it. */
export type LogForm = (line: string) => string;

/** For programs. */
export const jsonForm: LogForm = (line) => line;

/** sd-daemon(3): the journal takes the priority from the beginning of the line. */
export const journalForm: LogForm = (line) => `<${PRIORITIES.get(levelOf(line)) ?? '6'}>${line}`;

const PRIORITIES: ReadonlyMap<string, string> = new Map([
  ['fatal', '2'],
  ['error', '3'],
  ['warn', '4'],
  ['info', '6'],
  ['debug', '7'],
  ['trace', '7'],
]);

function levelOf(line: string): string {
  return /^\{"level":"(?<level>[a-z]+)"/u.exec(line)?.groups?.['level'] ?? '';
}

const MAX_LINE = 4_000;

/** For people at a terminal: what else belongs to a line stands behind it, and below it where it is a list. */
export function readableForm(color: boolean): LogForm {
  const colors = picocolors.createColors(color);
  const painted: ReadonlyMap<unknown, (text: string) => string> = new Map([
    ['fatal', colors.red],
    ['error', colors.red],
    ['warn', colors.yellow],
    ['debug', colors.dim],
    ['trace', colors.dim],
  ]);
  return (line) => {
    const { level, time, msg, ...fields }: Readonly<Record<string, unknown>> = recordOf(line);
    const paint = painted.get(level) ?? String;
    const at = new Date(String(time)).toTimeString().slice(0, 8);
    const word = level === 'info' ? '' : `${String(level)}: `;
    const entries = Object.entries(fields);
    const behind = entries
      .filter(([, value]) => !Array.isArray(value))
      .map(([key, value]) => `  ${key}=${shown(value)}`);
    const below = entries.flatMap(([, value]) =>
      Array.isArray(value) ? value.map((item) => `  - ${shown(item)}`) : [],
    );
    const first = `${paint(visibleText(`${word}${String(msg)}`, MAX_LINE))}${visibleText(behind.join(''), MAX_LINE)}`;
    return [`${colors.dim(at)} ${first}`, ...below.map((item) => visibleText(item, MAX_LINE)), ''].join('\n');
  };
}

function recordOf(line: string): Readonly<Record<string, unknown>> {
  const parsed: unknown = JSON.parse(line);
  return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {};
}

function shown(value: unknown): string {
  if (typeof value === 'string') return value;
  // What pino makes of an error.
  if (typeof value === 'object' && value !== null && 'stack' in value && 'message' in value)
    return String(value.message);
  return JSON.stringify(value);
}
