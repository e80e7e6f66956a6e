import { createColors } from 'picocolors';
import type { StepAnswer } from '../checks/activation-steps.ts';
import { visibleText } from '../core/visible-text.ts';
import { type Colors, type TextStyle, textLines } from '../document/terminal.ts';
import type { TokenUsers } from '../connectors/token-users.ts';
import type { Change, UnitState, Migration, HeldLicense } from './compare.ts';
import { counted, nameList } from '../core/phrases.ts';
import { firmwareVersion, isAtLeast, type Version, sameSerial } from '../core/license/appliance.ts';
import { type Diagnosis, type PreconditionStatus, isFault } from '../engine/model.ts';

/** Longer texts are an attempt to flood the terminal. */
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

/** Formats the plan for the terminal, with a line break at the end. */
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

/** Formats the changes for the terminal, with a line break at the end. */
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

/** Lists the users who need a new token for the terminal, with a line break at the end. */
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
  return textLines(text, width, '    ');
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

/** What a migration transfers and loses. */
export interface MigrationPlan {
  /** What will be lost. Empty if nothing. */
  readonly losses: readonly string[];
  /** What to do before and during the change, in this order. */
  readonly steps: readonly string[];
  /** Things that need no action, and automatic changes. */
  readonly notes: readonly string[];
  readonly requirements: readonly Requirement[];
  /** Text of the ticket for Fortinet Customer Service. Null if none is needed. */
  readonly ticket: string | null;
  /** Whose tokens must be reissued: those of the licences with these numbers, all, or none. */
  readonly reissued: readonly string[] | 'all' | 'none';
  /** The alternative for licences that cannot be transferred. Null if none moves. */
  readonly cloud: CloudMigration | null;
}

/** Migration of licences to FortiIdentity Cloud (docs:fortitoken-cloud/admin-guide/502961). */
interface CloudMigration {
  readonly why: string;
  /** Text of the ticket for Customer Service, which must first set the tag for the migration. */
  readonly ticket: string;
  /** FortiAuthenticator CLI commands, one per licence, for use after Customer Service has set the tag. */
  readonly commands: readonly string[];
}

/** A condition that must be met before. */
interface Requirement {
  readonly title: string;
  readonly answer: StepAnswer;
  readonly why: string;
}

/** Fortinet tips 193723, 205363, 193793; docs:fortitoken/8.0.0/comprehensive-guide/616236. */
const NOT_TRANSFERABLE =
  'Licences shipped on or after 2025-08-04 are not transferable, except by RMA: ask Customer Service before you begin.';

/** Plans which licences move to another unit, and what that means. */
export function planMigration(migration: Migration, unit: UnitState, diagnosis: Diagnosis): MigrationPlan {
  const move = moveOf(migration, unit);
  return {
    losses: [...lossesOf(move, unit), ...downgradeLosses(migration, unit)],
    steps: [...addressSteps(migration, unit), ...firmwareSteps(migration, unit)],
    notes: [...serialNotes(migration, move, unit), ...firmwareNotes(migration, unit)],
    requirements: requirementsOf(migration, move, { unit, diagnosis }),
    ticket: move.kind === 'moves' && move.licenses.length > 0 ? ticketOf(move, unit) : null,
    reissued: reissuedBy(move),
    cloud: move.kind === 'moves' && move.licenses.length > 0 ? cloudMigrationOf(move, unit) : null,
  };
}

/** What happens to the licences. */
type Move =
  /** The serial number stays, and everything that depends on it. */
  | { readonly kind: 'stays' }
  /** To the other member of the pair. The tokens are known on both. */
  | { readonly kind: 'within-pair'; readonly to: string }
  /** A load balancer does not have a licence. */
  | { readonly kind: 'has-none' }
  | {
      readonly kind: 'moves';
      readonly to: string;
      /** Licences that still have to be transferred. */
      readonly licenses: readonly HeldLicense[];
      /** Licences that Fortinet has already transferred. */
      readonly moved: readonly string[];
      /** The unit has, or may have, other licences that stay. */
      readonly isPart: boolean;
    };

type Moving = Extract<Move, { readonly kind: 'moves' }>;

function moveOf({ serial, licenses }: Migration, unit: UnitState): Move {
  if (serial === null || (unit.serial !== null && sameSerial(unit.serial, serial))) return { kind: 'stays' };
  if (unit.peers.some((peer) => sameSerial(peer, serial))) return { kind: 'within-pair', to: serial };
  if (unit.mode === 'load-balancer') return { kind: 'has-none' };
  const held =
    licenses.length > 0
      ? licenses.map((license) => ({ license, holder: holderOf(license, unit) }))
      : unit.licenses.filter(({ holder }) => holder === null || !unit.peers.some((peer) => sameSerial(peer, holder)));
  const isThere = ({ holder }: HeldLicense): boolean => holder !== null && sameSerial(holder, serial);
  return {
    kind: 'moves',
    to: serial,
    licenses: held.filter((one) => !isThere(one)),
    moved: held.filter(isThere).map(({ license }) => license),
    isPart: licenses.length > 0 ? hasOthers(licenses, unit) : held.length < unit.licenses.length,
  };
}

function hasOthers(licenses: readonly string[], unit: UnitState): boolean {
  if (unit.licenses.length === 0) return true;
  return unit.licenses.some(({ license }) => !licenses.some((one) => sameSerial(one, license)));
}

function holderOf(license: string, { licenses }: UnitState): string | null {
  return licenses.find((held) => sameSerial(held.license, license))?.holder ?? null;
}

function lossesOf(move: Move, unit: UnitState): readonly string[] {
  if (move.kind !== 'moves') return [];
  const concerned = move.licenses.length + move.moved.length;
  return [
    ...holdersText(move),
    ...(move.licenses.length === 0 && concerned > 0 ? [] : [NOT_TRANSFERABLE]),
    `Tokens of ${move.isPart ? 'these licences' : 'the unit'}: they follow the serial number. Delete them, make them ` +
      `again from the licence and assign them to their users again (${reissuedText(unit.tokens, move.isPart)}).`,
    'The two trial tokens of the unit cannot be moved.',
  ];
}

function reissuedBy(move: Move): MigrationPlan['reissued'] {
  if (move.kind !== 'moves') return 'none';
  return move.isPart ? [...move.licenses.map(({ license }) => license), ...move.moved] : 'all';
}

/** Describes who holds the licences, based only on observations. */
function holdersText({ to, licenses, moved }: Moving): readonly string[] {
  if (licenses.length === 0 && moved.length === 0)
    return [
      'Which licences the unit has was not seen: list them in "appliances[].licenses", or see support.fortinet.com.',
    ];
  const holders = [...new Set(licenses.map(({ holder }) => holder))];
  return holders.map((holder) => {
    const names = nameList(licenses.filter((one) => one.holder === holder).map(({ license }) => license));
    return holder === null
      ? `${names}: which unit holds them was not seen ("registration" reads it). What is not on ${to} yet must be ` +
          'transferred.'
      : `${names}: registered to ${holder}, not to ${to}.`;
  });
}

function reissuedText(tokens: UnitState['tokens'], isPart: boolean): string {
  if (tokens === null) return 'how many users that concerns is not known';
  // A token belongs to one user, even before that user has activated it.
  const users = tokens.assigned + tokens.pending;
  const waiting = tokens.pending === 0 ? '' : `, ${String(tokens.pending)} of them not activated yet`;
  return `${isPart ? 'at most ' : ''}${counted(users, 'user')} of ${counted(tokens.total, 'token')}${waiting}`;
}

function serialNotes({ serial: typed }: Migration, move: Move, { mode, serial }: UnitState): readonly string[] {
  switch (move.kind) {
    case 'stays':
      return [
        serial === null
          ? 'No new serial number is given: as long as it stays, licences and tokens stay.'
          : `The serial number stays ${serial}: licences and tokens stay, nothing to do.`,
        ...(typed === null ? [] : [SAME_SERIAL]),
      ];
    case 'within-pair':
      return [
        `${move.to} is the other member of the pair: both know the tokens, and users notice nothing. New tokens are ` +
          'provisioned on the member that the licence is registered to.',
      ];
    case 'has-none':
      return ['A load balancer takes its tokens from its primary: it has no licence to lose.'];
    case 'moves':
      return [
        ...(mode === 'cluster' ? ['The other member of the pair keeps the licences that are registered to it.'] : []),
        ...(move.moved.length === 0 ? [] : [`${nameList(move.moved)}: already registered to ${move.to}.`]),
      ];
  }
}

/** Fortinet tip 274938. */
const SAME_SERIAL =
  'A backup of the configuration contains the licence and the tokens. Restore it on the new machine. If the ' +
  'hypervisor differs, or hardware becomes virtual or the reverse, Fortinet support has to convert the backup first.';

/** Fortinet tips 190004, 199581 and 274938. */
function addressSteps({ address, unit: name }: Migration, { serial }: UnitState): readonly string[] {
  if (address === null) return [];
  return [
    ...vmLicenceSteps(address, serial),
    `Change in the configuration of ftm-watch: "appliances[].api.url" and "logSources" of ${name}, and ` +
      `"firewall[].source" to ${address}.`,
  ];
}

function vmLicenceSteps(address: string, serial: string | null): readonly string[] {
  if (serial !== null && !/^FAC-?VM/iu.test(serial)) return [];
  const condition = serial === null ? 'If the unit is a virtual machine: its' : `The VM`;
  return [
    `${condition} licence is bound to one IP address of the unit. If that address changes, set the new one for ` +
      `${serial ?? 'its serial number'} under Asset Management at support.fortinet.com and download the new licence ` +
      'file. An address can be changed six times; after that, ask Customer Service.',
    `Then import the file under System > Administration > Licensing. The unit reboots, so plan a maintenance window. ` +
      `If the file does not fit ${address}, the GUI stays locked until a valid file is uploaded.`,
  ];
}

/** Fortinet tip 195508; docs:fortiauthenticator/6.5.5/rest-api-solution-guide/870517. */
function downgradeLosses({ firmware }: Migration, { firmware: present }: UnitState): readonly string[] {
  if (!isDowngrade(present, firmware)) return [];
  return [
    `All settings, users and tokens on the unit: a downgrade from ${String(present)} to ${String(firmware)} resets it ` +
      'to factory defaults. Only a configuration backup of that earlier firmware brings them back.',
  ];
}

function isDowngrade(present: string | null, planned: string | null): boolean {
  const [is, then] = [versionOf(present), versionOf(planned)];
  return is !== null && then !== null && !isAtLeast(then, is);
}

function versionOf(text: string | null): Version | null {
  return text === null ? null : firmwareVersion(text);
}

function firmwareSteps({ firmware }: Migration, { firmware: present }: UnitState): readonly string[] {
  const [is, then] = [versionOf(present), versionOf(firmware)];
  if (then === null || firmware === null || present === firmware) return [];
  if (is === null)
    return [
      `${BACK_UP} The present firmware was not seen: if it is later than ${firmware}, the unit is reset to factory ` +
        'defaults.',
      `${PATHS_OF} ${firmware}.`,
    ];
  if (!isAtLeast(then, is)) return [BACK_UP];
  return [`${BACK_UP} A downgrade resets the unit to factory defaults.`, pathText(is, then)];
}

const BACK_UP = 'Back up the configuration before each change of the firmware.';
const PATHS_OF = "See Fortinet's supported upgrade paths (community tip 195508) and the release notes of";

/**
 * The supported upgrade paths to 6.6 (Fortinet tip 195508 as of 2025-08-27, release notes of 6.6.2). Paths to later
 * firmware are not known here.
 */
function pathText(from: Version, to: Version): string {
  const names = [from, to].map((version) => version.join('.'));
  if (!isAtLeast(to, [6, 6, 0]) || isAtLeast(to, [6, 7, 0])) return `${PATHS_OF} ${names[1] ?? ''}.`;
  const via = viaOf(from);
  const path = [names[0], ...via, names[1]].join(' → ');
  const optional = from[0] === 6 && from[1] === 4 ? ' A step to 6.5.6 in between may be needed.' : '';
  return `Supported upgrade path: ${path}.${optional} ${PATHS_OF} each version.`;
}

function viaOf(from: Version): readonly string[] {
  if (!isAtLeast(from, [6, 0, 7])) return ['6.0.7'];
  return isAtLeast(from, [6, 1, 0]) && !isAtLeast(from, [6, 2, 1]) ? ['6.3.3'] : [];
}

function firmwareNotes({ firmware }: Migration, { firmware: present }: UnitState): readonly string[] {
  const [is, then] = [versionOf(present), versionOf(firmware)];
  if (then === null || firmware === null || isDowngrade(present, firmware)) return [];
  const crosses = (since: Version): boolean => isAtLeast(then, since) && (is === null || !isAtLeast(is, since));
  return [
    present === firmware
      ? `The unit already has firmware ${firmware}.`
      : `Firmware ${present ?? '(not seen)'} to ${firmware}: an upgrade keeps the serial number, licences and tokens.`,
    // Fortinet tips 385019 and 195508.
    ...(crosses([6, 5, 0]) ? ['From 6.5 on a unit needs at least 4 GB of memory.'] : []),
    // Fortinet tip 388682.
    ...(crosses([6, 6, 1]) ? ['From 6.6.1 on users can activate offline.'] : []),
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

/** Queries the firewall about the new address, whatever this machine's path currently shows. */
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

/** Fortinet tip 193723 requires both serial numbers and the licence numbers. */
function ticketOf({ to, licenses }: Moving, unit: UnitState): string {
  return [
    'Subject: Transfer of FortiToken Mobile licences to another FortiAuthenticator',
    '',
    'Please move these FortiToken Mobile licences:',
    ...licenses.map(({ license }) => `- ${license}`),
    ...presentHolders(licenses, unit).map((serial) => `From the FortiAuthenticator with the serial number ${serial}`),
    `To the FortiAuthenticator with the serial number ${to}`,
    '',
    'Please say for each whether it can be transferred (licences shipped on or after 2025-08-04: by RMA alone).',
  ].join('\n');
}

/**
 * Returns the units that hold the licences. If that is unknown, the present unit is the best guess, and Fortinet can
 * correct it.
 */
function presentHolders(licenses: readonly HeldLicense[], { serial }: UnitState): readonly string[] {
  const unknown = serial ?? '(fill in: serial number of the present unit)';
  return [...new Set(licenses.map(({ holder }) => holder ?? unknown))];
}

function cloudMigrationOf({ licenses }: Moving, unit: UnitState): CloudMigration {
  return {
    why:
      'A licence that cannot be transferred can move to FortiIdentity Cloud (formerly FortiToken Cloud) in the same ' +
      'account: its users are moved too and keep their tokens. Without a licence there, Fortinet adds a free one for ' +
      'a year; after that it has to be bought. Customer Service sets a tag first; then run the commands on the ' +
      'present unit, and the tokens disappear from it.',
    ticket: [
      'Subject: FTM migration tag for a migration to FortiIdentity Cloud',
      '',
      'Please set the FTM migration tag for these FortiToken Mobile licences:',
      ...licenses.map(({ license }) => `- ${license}`),
      ...presentHolders(licenses, unit).map((serial) => `On the FortiAuthenticator with the serial number ${serial}`),
    ].join('\n'),
    commands: licenses.map(({ license }) => `execute fortitoken-cloud ftm-migrate ${license}`),
  };
}
