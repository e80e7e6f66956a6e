import { createColors } from 'picocolors';
import type { StepAnswer } from '../checks/activation-steps.ts';
import { visibleText } from '../core/visible-text.ts';
import type { TextStyle } from '../report/report-text.ts';
import type { TokenUsers } from '../sources/appliances/token-users.ts';
import { wrap } from '../text/wrap.ts';
import type { Change } from './change.ts';
import type { CloudMigration, MigrationPlan, Requirement } from './plan.ts';
import type { UnitState } from './unit-state.ts';

type Colors = ReturnType<typeof createColors>;

const INDENT = 4;
/** A single text longer than this is somebody's attempt to flood the terminal. */
const TEXT_LIMIT = 1_000;
/** FortiAuthenticator allows 253 characters (docs:fortiauthenticator/6.1.0/rest-api-solution-guide/829822). */
const NAME_LIMIT = 253;

const ANSWERS: Readonly<Record<StepAnswer, string>> = {
  passes: 'holds',
  fails: 'does not hold',
  'not-visible': 'not visible from here',
};

const KINDS: Readonly<Record<Change['kind'], string>> = {
  'as-planned': 'as planned',
  'to-do': 'to do',
  broken: 'broken',
  'not-visible': 'not visible',
};

/** The plan for a person at a terminal. Ends with a line break. */
export function planText(unit: UnitState, plan: MigrationPlan, style: TextStyle): string {
  const colors = createColors(style.color);
  const { name, serial, firmware } = unit;
  return [
    `${name}: serial number ${serial ?? 'not seen'}, firmware ${firmware ?? 'not seen'}`,
    '',
    ...part('What will be lost', plan.losses.length === 0 ? ['Nothing.'] : plan.losses, style, colors),
    ...(plan.steps.length === 0 ? [] : part('What to do', plan.steps, style, colors)),
    ...(plan.notes.length === 0 ? [] : part('Good to know', plan.notes, style, colors)),
    colors.bold('What must be true first'),
    ...plan.requirements.flatMap((one) => requirementLines(one, style, colors)),
    '',
    ...(plan.ticket === null ? [] : [colors.bold('The ticket for Fortinet Customer Service'), '', plan.ticket, '']),
    ...(plan.cloud === null ? [] : cloudLines(plan.cloud, style, colors)),
  ].join('\n');
}

/** What changed, for a person at a terminal. Ends with a line break. */
export function changesText(changes: readonly Change[], style: TextStyle): string {
  if (changes.length === 0) return 'Nothing changed since the snapshot.\n';
  const colors = createColors(style.color);
  const lines = changes.flatMap(({ kind, what, means }) => [
    `  ${painterOf(kind, colors)(KINDS[kind])}: ${visibleText(what, TEXT_LIMIT)}`,
    ...indented(means, style).map((line) => colors.dim(line)),
  ]);
  return [colors.bold('Since the snapshot'), ...lines, ''].join('\n');
}

function part(title: string, texts: readonly string[], style: TextStyle, colors: Colors): readonly string[] {
  return [colors.bold(title), ...texts.flatMap((text) => indented(text, style)), ''];
}

/** Who needs a new token, for a person at a terminal. Ends with a line break. */
export function usersText({ users, unread }: TokenUsers, style: TextStyle): string {
  const colors = createColors(style.color);
  const missing = unread.map(
    (resource) =>
      `The account may not read "${resource}", or the firmware does not have it: users from there are missing. Give ` +
      'its admin profile the permission to view these users.',
  );
  return [
    '',
    colors.bold(`Who needs a new token (${String(users.length)})`),
    ...missing.flatMap((text) => indented(text, style)),
    ...users.map(({ name, kind, token }) => `    ${visibleText(name, NAME_LIMIT)}  (${kind}, ${token})`),
    '',
  ].join('\n');
}

function cloudLines({ why, ticket, commands }: CloudMigration, style: TextStyle, colors: Colors): readonly string[] {
  return [...part('If a licence cannot be transferred', [why], style, colors), ticket, '', ...commands, ''];
}

function requirementLines({ title, answer, why }: Requirement, style: TextStyle, colors: Colors): readonly string[] {
  return [
    `  ${title}: ${painterOf(answer, colors)(ANSWERS[answer])}`,
    ...indented(why, style).map((line) => colors.dim(line)),
  ];
}

function indented(text: string, { width }: TextStyle): readonly string[] {
  return wrap(visibleText(text, TEXT_LIMIT), width - INDENT).map((line) => `${' '.repeat(INDENT)}${line}`);
}

function painterOf(kind: StepAnswer | Change['kind'], colors: Colors): (text: string) => string {
  switch (kind) {
    case 'passes':
    case 'as-planned':
      return colors.green;
    case 'fails':
    case 'broken':
      return colors.red;
    case 'to-do':
    case 'not-visible':
      return colors.yellow;
  }
}
