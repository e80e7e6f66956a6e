import { createColors } from 'picocolors';
import type { StepAnswer } from '../checks/activation-steps.ts';
import { visibleText } from '../core/visible-text.ts';
import type { TextStyle } from '../report/report-text.ts';
import { wrap } from '../text/wrap.ts';
import type { Change, Migration, UnitState } from './compare.ts';
import { counted, nameList } from '../core/phrases.ts';
import { sameSerial } from '../core/license/appliance.ts';
import { type Diagnosis, type PreconditionStatus, isFault } from '../engine/model.ts';

type Colors = ReturnType<typeof createColors>;

const INDENT = 4;
/** A single text longer than this is somebody's attempt to flood the terminal. */
const TEXT_LIMIT = 1_000;

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
export function planText(plan: MigrationPlan, style: TextStyle): string {
  const colors = createColors(style.color);
  return [
    ...part('What will be lost', plan.losses.length === 0 ? ['Nothing.'] : plan.losses, style, colors),
    ...(plan.notes.length === 0 ? [] : part('Good to know', plan.notes, style, colors)),
    colors.bold('What must be true first'),
    ...plan.requirements.flatMap((one) => requirementLines(one, style, colors)),
    '',
    ...(plan.ticket === null ? [] : [colors.bold('The ticket for Fortinet Customer Service'), '', plan.ticket, '']),
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

/** What a migration takes and loses. */
export interface MigrationPlan {
  /** What will be lost; empty: nothing is. */
  readonly losses: readonly string[];
  /** What nothing has to be done for, and what changes by itself. */
  readonly notes: readonly string[];
  readonly requirements: readonly Requirement[];
  /** The text of the ticket for Fortinet Customer Service; null: none is needed. */
  readonly ticket: string | null;
}

/** What must be true before. */
interface Requirement {
  readonly title: string;
  readonly answer: StepAnswer;
  readonly why: string;
}

/** Fortinet tips 193723, 205363, 193793; docs:fortitoken/8.0.0/comprehensive-guide/616236. */
const NOT_TRANSFERABLE =
  'Licences shipped on or after 2025-08-04 are not transferable, except by RMA: ask Customer Service before you begin.';

/** The licences that change their unit, and what that means. */
export function planMigration(migration: Migration, unit: UnitState, diagnosis: Diagnosis): MigrationPlan {
  const move = moveOf(migration, unit);
  return {
    losses: lossesOf(move, unit),
    notes: [...serialNotes(move, unit), ...addressNotes(migration), ...firmwareNotes(migration, unit)],
    requirements: requirementsOf(migration, move, { unit, diagnosis }),
    ticket: move.kind === 'moves' && move.licenses.length > 0 ? ticketOf(move, unit) : null,
  };
}

/** What becomes of the licences. */
type Move =
  /** The serial number stays, and all that hangs on it. */
  | { readonly kind: 'stays' }
  /** To the other member of the pair: the tokens are known on both. */
  | { readonly kind: 'within-pair'; readonly to: string }
  /** A load balancer has no licence of its own. */
  | { readonly kind: 'has-none' }
  | { readonly kind: 'moves'; readonly to: string; readonly licenses: readonly string[] };

function moveOf({ serial, licenses }: Migration, unit: UnitState): Move {
  if (serial === null || (unit.serial !== null && sameSerial(unit.serial, serial))) return { kind: 'stays' };
  if (unit.peers.some((peer) => sameSerial(peer, serial))) return { kind: 'within-pair', to: serial };
  if (unit.mode === 'load-balancer') return { kind: 'has-none' };
  if (licenses.length > 0) return { kind: 'moves', to: serial, licenses };
  const own = unit.licenses.filter(({ holder }) => holder === null || !unit.peers.some((p) => sameSerial(p, holder)));
  return { kind: 'moves', to: serial, licenses: own.map(({ license }) => license) };
}

function lossesOf(move: Move, { serial, tokens, licenses }: UnitState): readonly string[] {
  if (move.kind !== 'moves') return [];
  const names = move.licenses.length === 0 ? 'Its licences' : nameList(move.licenses);
  const users =
    tokens === null
      ? 'how many users that concerns is not known'
      : `${counted(tokens.assigned, 'assigned token')} of ${String(tokens.total)} on the unit`;
  const isPart = move.licenses.length > 0 && move.licenses.length < licenses.length;
  return [
    `${names}: registered to ${serial ?? 'the present unit'}, not to ${move.to}. ${NOT_TRANSFERABLE}`,
    `Tokens of ${isPart ? 'these licences' : 'the unit'}: they follow the serial number. Delete them, make them ` +
      `again from the licence and assign them to their users again (${users}).`,
    'The two trial tokens of the unit cannot be moved.',
  ];
}

function serialNotes(move: Move, { mode, serial }: UnitState): readonly string[] {
  switch (move.kind) {
    case 'stays':
      return [
        serial === null
          ? 'No new serial number is given: as long as it stays, licences and tokens stay.'
          : `The serial number stays ${serial}: licences and tokens stay, nothing to do. So it is from one virtual ` +
            'machine to another with the same serial number.',
      ];
    case 'within-pair':
      return [
        `${move.to} is the other member of the pair: both know the tokens, and users notice nothing. New tokens are ` +
          'provisioned on the member that the licence is registered to.',
      ];
    case 'has-none':
      return ['A load balancer takes its tokens from its primary: it has no licence to lose.'];
    case 'moves':
      return mode === 'cluster' ? ['The other member of the pair keeps the licences that are registered to it.'] : [];
  }
}

function addressNotes({ address, unit }: Migration): readonly string[] {
  if (address === null) return [];
  return [
    `Change with the address, for ftm-watch: "appliances[].api.url" and "logSources" of ${unit}, and ` +
      `"firewall[].source" to ${address}.`,
  ];
}

function firmwareNotes({ firmware }: Migration, { firmware: present }: UnitState): readonly string[] {
  if (firmware === null) return [];
  return [
    `Firmware ${present ?? 'of today'} to ${firmware}: an upgrade leaves the serial number, licences and tokens as ` +
      'they are. From 6.6.1 on users can activate offline.',
  ];
}

interface Seen {
  readonly unit: UnitState;
  readonly diagnosis: Diagnosis;
}

function requirementsOf(migration: Migration, move: Move, { unit, diagnosis }: Seen): readonly Requirement[] {
  const of = (id: string, title: string): Requirement => requirementOf(title, statusOf(diagnosis, id));
  const from = migration.address === null ? 'the unit' : `the new address ${migration.address}`;
  return [
    of('name-resolution', 'The licence server has an address'),
    of('reachability', 'TCP opens to the licence server'),
    of('tls-genuine', 'Nothing on the way inspects'),
    policyRequirement(from, statusOf(diagnosis, 'firewall-policy')),
    serialRequirement(migration, unit),
    roleRequirement(unit),
    ...(move.kind === 'has-none' ? [] : [of('license-assignment', 'Each licence is where it is thought to be')]),
  ];
}

function statusOf({ preconditions }: Diagnosis, id: string): PreconditionStatus | undefined {
  return preconditions.find((status) => status.id === id);
}

function requirementOf(title: string, status: PreconditionStatus | undefined): Requirement {
  if (status === undefined) return { title, answer: 'not-visible', why: 'Not looked at' };
  return { title, answer: answerOf(status), why: status.summary };
}

/** The firewall is asked for the new address, whatever the path of this machine shows now. */
function policyRequirement(from: string, status: PreconditionStatus | undefined): Requirement {
  const title = `A firewall policy lets ${from} through without inspection`;
  const fault = status?.findings.find(isFault);
  return fault === undefined ? requirementOf(title, status) : { title, answer: 'fails', why: fault.claim };
}

function answerOf({ state }: PreconditionStatus): StepAnswer {
  switch (state) {
    case 'ok':
    case 'warning':
      return 'passes';
    case 'broken':
      return 'fails';
    case 'blocked':
    case 'unknown':
    case 'not-configured':
      return 'not-visible';
  }
}

function serialRequirement({ serial }: Migration, unit: UnitState): Requirement {
  const title = 'Both serial numbers are known';
  if (unit.serial === null)
    return { title, answer: 'not-visible', why: 'The unit does not tell its own, and "appliances[].serial" is empty' };
  return serial === null
    ? { title, answer: 'passes', why: `${unit.serial}, which stays` }
    : { title, answer: 'passes', why: `${unit.serial} now, ${serial} then` };
}

function roleRequirement({ mode, peers }: UnitState): Requirement {
  const title = 'The role of the unit is known';
  switch (mode) {
    case 'unknown':
      return { title, answer: 'not-visible', why: 'Neither the REST API nor SNMP tells it: see "appliances[].snmp"' };
    case 'cluster':
      return { title, answer: 'passes', why: `A member of a pair with ${nameList(peers) || 'an unnamed unit'}` };
    case 'standalone':
      return { title, answer: 'passes', why: 'It runs alone' };
    case 'load-balancer':
      return { title, answer: 'passes', why: 'It is a load balancer' };
  }
}

function ticketOf({ to, licenses }: Extract<Move, { readonly kind: 'moves' }>, { serial }: UnitState): string {
  return [
    'Subject: Transfer of FortiToken Mobile licences to another FortiAuthenticator',
    '',
    'Please move these FortiToken Mobile licences:',
    ...licenses.map((license) => `- ${license}`),
    `From the FortiAuthenticator with the serial number ${serial ?? '(fill in: serial number of the present unit)'}`,
    `To the FortiAuthenticator with the serial number ${to}`,
    '',
    'Please say for each whether it can be transferred (licences shipped on or after 2025-08-04: by RMA alone).',
  ].join('\n');
}
