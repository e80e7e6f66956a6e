import { createColors } from 'picocolors';
import { wordsOf, isCauseId } from '../checks/registry.ts';
import type { RepairAnswer, RepairVerdict } from '../checks/repair-verdict.ts';
import { visibleText } from '../core/visible-text.ts';
import { wrap } from '../text/wrap.ts';
import type { TextStyle } from './report-text.ts';

const WORDS: Readonly<Record<RepairAnswer, string>> = {
  'in-force': 'in force',
  'not-in-force': 'not in force',
  'not-visible': 'not visible from here',
};

/** Columns before the text under the answer. */
const INDENT = 2;
/** A single text longer than this is somebody's attempt to flood the terminal. */
const TEXT_LIMIT = 1_000;

/** Whether a repair is in force, for a person at a terminal. Ends with a line break. */
export function renderRepair(verdict: RepairVerdict, { color, width }: TextStyle): string {
  const colors = createColors(color);
  const { incident, cause, subject, answer, why, next, policy } = verdict;
  const title = isCauseId(cause) ? wordsOf(cause).title : cause;
  const paint = { 'in-force': colors.green, 'not-in-force': colors.red, 'not-visible': colors.yellow }[answer];
  const below = [
    why,
    ...(policy === null
      ? []
      : [
          `Policy before: ${policy.before ?? 'the evidence of the incident names none'}`,
          `Policy now: ${policy.now ?? 'not known'}`,
        ]),
    ...(next === null ? [] : [`→ ${next}`]),
  ];
  return [
    ...lines(`Incident ${incident}: ${title} (${subject})`, width).map((line) => colors.bold(line)),
    `The repair is ${paint(WORDS[answer])}`,
    ...below.flatMap((text) => lines(text, width - INDENT)).map((line) => `${' '.repeat(INDENT)}${line}`),
    '',
  ].join('\n');
}

function lines(text: string, width: number): readonly string[] {
  return wrap(visibleText(text, TEXT_LIMIT), width);
}
