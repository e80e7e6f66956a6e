import { createColors } from 'picocolors';
import { wordsOf, isCauseId } from '../checks/registry.ts';
import type { RepairAnswer, RepairVerdict } from '../checks/repair-verdict.ts';
import { type TextStyle, told } from '../document/terminal.ts';

const WORDS: Readonly<Record<RepairAnswer, string>> = {
  'in-force': 'in force',
  'not-in-force': 'not in force',
  'not-visible': 'not visible from here',
};

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
    ...told(`Incident ${incident}: ${title} (${subject})`, width).map(colors.bold),
    `The repair is ${paint(WORDS[answer])}`,
    ...below.flatMap((text) => told(text, width, '  ')),
    '',
  ].join('\n');
}
