import { createColors } from 'picocolors';
import type { StepAnswer } from '../checks/activation-steps.ts';
import { visibleText, counted, nameList } from '../core/visible-text.ts';
import type { Colors } from '../document/colors.ts';
import { type TextStyle, textLines } from '../document/terminal.ts';
import type { TokenUsers } from '../connectors/token-users.ts';
import { type Change, type UnitState, type Migration, type HeldLicense, holderOf } from './compare.ts';
import { firmwareVersion, isAtLeast, isDowngrade, type Version } from '../core/license/firmware.ts';
import { sameSerial } from '../core/license/appliance.ts';
import { isMember } from '../core/license/cluster.ts';
import { type Diagnosis, type PreconditionStatus, isFault } from '../engine/model.ts';

/** Text longer than this is probably an attempt to flood the terminal. */
const TEXT_LIMIT = 1_000;
/** Maximum length of a user name (docs:fortiauthenticator/6.1.0/rest-api-solution-guide/829822). */
const NAME_LIMIT = 253;

const ANSWERS: Readonly<Record<StepAnswer, string>> = {
  passes: 'yes',
  fails: 'no',
  'not-visible': 'could not be checked from this machine',
};

const COLORS = {
  passes: 'green',
  'as-planned': 'green',
  fails: 'red',
  broken: 'red',
  'to-do': 'yellow',
  'not-visible': 'yellow',
} as const satisfies Record<StepAnswer | Change['kind'], keyof Colors>;

const KINDS: Readonly<Record<Change['kind'], string>> = {
  'as-planned': 'as planned',
  'to-do': 'to do',
  broken: 'broken',
  'not-visible': 'not visible',
};

export function planText(unit: UnitState, plan: MigrationPlan, style: TextStyle): string {
  const colors = createColors(style.color);
  const { name, serial, firmware } = unit;
  return [
    `${name}: serial number ${serial ?? 'unknown'}, firmware ${firmware ?? 'unknown'}`,
    '',
    ...part('What will be lost', plan.losses.length === 0 ? ['Nothing will be lost.'] : plan.losses, style, colors),
    ...(plan.steps.length === 0 ? [] : part('What to do', plan.steps, style, colors)),
    ...(plan.notes.length === 0 ? [] : part('Good to know', plan.notes, style, colors)),
    colors.bold('Requirements'),
    ...plan.requirements.flatMap((one) => requirementLines(one, style, colors)),
    '',
    ...(plan.ticket === null
      ? []
      : [colors.bold('Text of the ticket for Fortinet Customer Service'), '', plan.ticket, '']),
    ...(plan.cloud === null ? [] : cloudLines(plan.cloud, style, colors)),
  ].join('\n');
}

export function changesText(changes: readonly Change[], style: TextStyle): string {
  if (changes.length === 0) return 'Nothing has changed since the snapshot.\n';
  const colors = createColors(style.color);
  const lines = changes.flatMap(({ kind, what, means }) => [
    `  ${colors[COLORS[kind]](KINDS[kind])}: ${visibleText(what, TEXT_LIMIT)}`,
    ...indented(means, style).map((line) => colors.dim(line)),
  ]);
  return [colors.bold('Changes since the snapshot'), ...lines, ''].join('\n');
}

function part(title: string, texts: readonly string[], style: TextStyle, colors: Colors): readonly string[] {
  return [colors.bold(title), ...texts.flatMap((text) => indented(text, style)), ''];
}

export function usersText({ users, unread }: TokenUsers, style: TextStyle): string {
  const colors = createColors(style.color);
  const missing = unread.map(
    (resource) =>
      `Users from "${resource}" are missing, because the API account cannot read this resource or the firmware ` +
      "does not support it. Give the account's admin profile permission to view these users.",
  );
  return [
    '',
    colors.bold(`Users who need a new token (${String(users.length)})`),
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
    `  ${title}: ${colors[COLORS[answer]](ANSWERS[answer])}`,
    ...indented(why, style).map((line) => colors.dim(line)),
  ];
}

function indented(text: string, { width }: TextStyle): readonly string[] {
  return textLines(text, width, '    ');
}

export interface MigrationPlan {
  readonly losses: readonly string[];
  readonly steps: readonly string[];
  readonly notes: readonly string[];
  readonly requirements: readonly Requirement[];
  readonly ticket: string | null;
  /** Licences whose tokens must be issued again. */
  readonly reissued: readonly string[] | 'all' | 'none';
  readonly cloud: CloudMigration | null;
}

/** A migration of licences to FortiIdentity Cloud (docs:fortitoken-cloud/admin-guide/502961). */
interface CloudMigration {
  readonly why: string;
  readonly ticket: string;
  /** FortiAuthenticator CLI commands, which work only after Customer Service has set the tag. */
  readonly commands: readonly string[];
}

interface Requirement {
  readonly title: string;
  readonly answer: StepAnswer;
  readonly why: string;
}

/** Sources: Fortinet tips 193723, 205363 and 193793; docs:fortitoken/8.0.0/comprehensive-guide/616236. */
const NOT_TRANSFERABLE =
  'Licences shipped on or after 2025-08-04 cannot be transferred, except by RMA. ' +
  'Ask Customer Service before you begin.';

export function planMigration(migration: Migration, unit: UnitState, diagnosis: Diagnosis): MigrationPlan {
  const move = moveOf(migration, unit);
  return {
    losses: [...lossesOf(move, unit), ...downgradeLosses(migration, unit)],
    steps: [...addressSteps(migration, unit), ...firmwareSteps(migration, unit)],
    notes: [
      ...serialNotes(migration, move, unit),
      ...firmwareNotes(migration, unit),
      ...fortiGateNotes(move),
      ...mailNotes(diagnosis),
    ],
    requirements: requirementsOf(migration, move, unit, diagnosis),
    ticket: move.kind === 'moves' && move.licenses.length > 0 ? ticketOf(move, unit) : null,
    reissued: reissuedBy(move),
    cloud: move.kind === 'moves' && move.licenses.length > 0 ? cloudMigrationOf(move, unit) : null,
  };
}

type Move =
  /** The unit keeps its serial number, licences and tokens. */
  | { readonly kind: 'stays' }
  /** The other member of the high-availability pair takes over. Both members already have the tokens. */
  | { readonly kind: 'within-pair'; readonly to: string }
  /** The unit is a load balancer, which has no licences. */
  | { readonly kind: 'has-none' }
  | {
      readonly kind: 'moves';
      readonly to: string;
      /** Licences that Fortinet still has to transfer. */
      readonly licenses: readonly HeldLicense[];
      /** Licences that Fortinet has already transferred. */
      readonly moved: readonly string[];
      /** Set if the unit has, or might have, other licences that are not transferred. */
      readonly isPart: boolean;
    };

type Moving = Extract<Move, { readonly kind: 'moves' }>;

function moveOf({ serial, licenses }: Migration, unit: UnitState): Move {
  if (serial === null || sameSerial(unit.serial, serial)) return { kind: 'stays' };
  if (isMember(unit, serial)) return { kind: 'within-pair', to: serial };
  if (unit.mode === 'load-balancer') return { kind: 'has-none' };
  const held =
    licenses.length > 0
      ? licenses.map((license) => ({ license, holder: holderOf(license, unit) }))
      : unit.licenses.filter(({ holder }) => holder === null || !unit.peers.some((peer) => sameSerial(peer, holder)));
  const isThere = ({ holder }: HeldLicense): boolean => sameSerial(holder, serial);
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

function lossesOf(move: Move, unit: UnitState): readonly string[] {
  if (move.kind !== 'moves') return [];
  const concerned = move.licenses.length + move.moved.length;
  return [
    ...holdersText(move),
    ...(move.licenses.length === 0 && concerned > 0 ? [] : [NOT_TRANSFERABLE]),
    `The tokens of ${move.isPart ? 'these licences' : 'the unit'} are bound to the serial number. ` +
      'Delete the tokens, create them ' +
      `again from the licence, and assign them to the users again (${reissuedText(unit.tokens, move.isPart)}).`,
    "The unit's two trial tokens cannot be moved.",
  ];
}

function reissuedBy(move: Move): MigrationPlan['reissued'] {
  if (move.kind !== 'moves') return 'none';
  return move.isPart ? [...move.licenses.map(({ license }) => license), ...move.moved] : 'all';
}

function holdersText({ to, licenses, moved }: Moving): readonly string[] {
  if (licenses.length === 0 && moved.length === 0)
    return ['The unit\'s licences are unknown. List them in "appliances[].licenses", or check support.fortinet.com.'];
  const holders = [...new Set(licenses.map(({ holder }) => holder))];
  return holders.map((holder) => {
    const names = nameList(licenses.filter((one) => one.holder === holder).map(({ license }) => license));
    return holder === null
      ? `${names}: the unit is unknown ("registration" can identify it). ` +
          `Licences that are not yet on ${to} ` +
          'must be transferred.'
      : `${names}: registered to ${holder}, not to ${to}.`;
  });
}

function reissuedText(tokens: UnitState['tokens'], isPart: boolean): string {
  if (tokens === null) return 'the number of affected users is unknown';
  // Each token belongs to one user, who may not have activated it yet.
  const users = tokens.assigned + tokens.pending;
  const waiting = tokens.pending === 0 ? '' : `, ${String(tokens.pending)} of which are not activated yet`;
  return `${isPart ? 'at most ' : ''}${counted(users, 'user')} with ${counted(tokens.total, 'token')}${waiting}`;
}

function serialNotes(
  { serial: typed, firmware }: Migration,
  move: Move,
  { mode, serial, firmware: present }: UnitState,
): readonly string[] {
  switch (move.kind) {
    case 'stays':
      if (isDowngrade(present, firmware))
        return ['The serial number does not change, so the licences stay registered to the unit.'];
      return [
        serial === null
          ? 'No new serial number was specified. ' +
            'Licences and tokens are kept as long as the serial number does not change.'
          : `The serial number ${serial} does not change, so licences and tokens are kept.`,
        ...(typed === null ? [] : [SAME_SERIAL]),
      ];
    case 'within-pair':
      return [
        `${move.to} is the other member of the pair. Both members have the tokens, so users are not affected. ` +
          'New tokens are provisioned on the member to which the licence is registered.',
      ];
    case 'has-none':
      return ['A load balancer gets its tokens from its primary unit and has no licence, so no licence is lost.'];
    case 'moves':
      return [
        ...(mode === 'cluster' ? ['The other member of the pair keeps the licences that are registered to it.'] : []),
        ...(move.moved.length === 0 ? [] : [`${nameList(move.moved)}: already registered to ${move.to}.`]),
      ];
  }
}

/** Source: Fortinet tip 274938. */
const SAME_SERIAL =
  'A backup of the configuration contains the licence and the tokens. Restore it on the new machine. If the ' +
  'hypervisor changes, or if the unit moves from hardware to a virtual machine or back, Fortinet support has to ' +
  'convert the backup first.';

/** Sources: Fortinet tips 190004, 199581 and 274938. */
function addressSteps({ address, unit: name }: Migration, { serial }: UnitState): readonly string[] {
  if (address === null) return [];
  return [
    ...vmLicenceSteps(address, serial),
    `In ftm-watch's configuration, change "appliances[].api.url" and "logSources" for ${name}, and ` +
      `set "firewall[].source" to ${address}.`,
  ];
}

function vmLicenceSteps(address: string, serial: string | null): readonly string[] {
  if (serial !== null && !/^FAC-?VM/iu.test(serial)) return [];
  const condition = serial === null ? 'If the unit is a virtual machine, its' : `The VM`;
  return [
    `${condition} licence is bound to one IP address of the unit. If the address changes, set the new address for ` +
      `${serial ?? 'its serial number'} under Asset Management at support.fortinet.com and download the new licence ` +
      'file. The address can be changed up to six times. After that, ask Customer Service.',
    `Then import the file under System > Administration > Licensing. The unit reboots, so plan a maintenance window. ` +
      `If the file does not match ${address}, the GUI stays locked until a valid file is uploaded.`,
  ];
}

/** Sources: Fortinet tip 195508; docs:fortiauthenticator/6.5.5/rest-api-solution-guide/870517. */
function downgradeLosses({ firmware }: Migration, { firmware: present }: UnitState): readonly string[] {
  if (!isDowngrade(present, firmware)) return [];
  return [
    `All settings, users and tokens on the unit will be lost, because a downgrade from ${String(present)} to ` +
      `${String(firmware)} resets it ` +
      'to factory defaults. They can be restored only from a configuration backup of the earlier firmware.',
  ];
}

function versionOf(text: string | null): Version | null {
  return text === null ? null : firmwareVersion(text);
}

function firmwareSteps({ firmware }: Migration, { firmware: present }: UnitState): readonly string[] {
  const [is, then] = [versionOf(present), versionOf(firmware)];
  if (then === null || firmware === null || present === firmware) return [];
  if (is === null)
    return [
      `${BACK_UP} The current firmware version is unknown. ` +
        `If it is later than ${firmware}, the unit is reset to factory ` +
        'defaults.',
      `${PATHS_OF} ${firmware}.`,
    ];
  if (!isAtLeast(then, is)) return [BACK_UP];
  return [`${BACK_UP} A downgrade resets the unit to factory defaults.`, pathText(is, then)];
}

const BACK_UP = 'Back up the configuration before each firmware change.';
const PATHS_OF = "See Fortinet's supported upgrade paths (community tip 195508) and the release notes for";

/** Supported upgrade paths to firmware 6.6 (Fortinet tip 195508 as of 2025-08-27, release notes for 6.6.2). */
function pathText(from: Version, to: Version): string {
  const names = [from, to].map((version) => version.join('.'));
  if (!isAtLeast(to, [6, 6, 0]) || isAtLeast(to, [6, 7, 0])) return `${PATHS_OF} ${names[1] ?? ''}.`;
  const via = viaOf(from);
  const path = [names[0], ...via, names[1]].join(' → ');
  const optional = from[0] === 6 && from[1] === 4 ? ' An intermediate upgrade to 6.5.6 may be needed.' : '';
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
      : `An upgrade from ${present ?? 'the current firmware'} to ${firmware} keeps the serial number, ` +
        'licences and tokens.',
    // Sources: Fortinet tips 385019 and 195508.
    ...(crosses([6, 5, 0]) ? ['Firmware 6.5 and later needs at least 4 GB of memory.'] : []),
    // Source: Fortinet tip 388682.
    ...(crosses([6, 6, 1])
      ? ['Firmware 6.6.1 and later supports offline activation, if the provision mode is Offline.']
      : []),
  ];
}

/** Source: Fortinet tip 194508. */
function fortiGateNotes({ kind }: Move): readonly string[] {
  if (kind !== 'moves') return [];
  return [
    'Tokens that a FortiGate holds are not affected. If a FortiManager manages the FortiGate, FortiManager provides its ' +
      'tokens. Tokens that are moved to a FortiGate must be removed completely from the previous unit and imported again.',
  ];
}

/** A migration keeps the login, so the same mail server may reject it soon afterwards. */
function mailNotes({ causes }: Diagnosis): readonly string[] {
  const retiring = causes.filter(({ id }) => id === 'mail-login-retiring');
  return retiring.map(({ summary }) => `${summary} "ftm-watch check" shows what to do.`);
}

function requirementsOf(
  migration: Migration,
  move: Move,
  unit: UnitState,
  diagnosis: Diagnosis,
): readonly Requirement[] {
  const of = (id: string, title: string): Requirement => requirementOf(title, statusOf(diagnosis, id));
  const from = migration.address === null ? 'the unit' : `the new address ${migration.address}`;
  return [
    of('name-resolution', "The licence server's name can be resolved"),
    of('reachability', 'The licence server accepts TCP connections'),
    of('tls-genuine', 'TLS to the licence server is not inspected'),
    policyRequirement(from, statusOf(diagnosis, 'firewall-policy')),
    serialRequirement(migration, unit),
    roleRequirement(unit),
    ...(move.kind === 'has-none' ? [] : [of('license-assignment', 'Each licence is registered to the expected unit')]),
  ];
}

function statusOf({ preconditions }: Diagnosis, id: string): PreconditionStatus | undefined {
  return preconditions.find((status) => status.id === id);
}

function requirementOf(title: string, status: PreconditionStatus | undefined): Requirement {
  if (status === undefined) return { title, answer: 'not-visible', why: 'Not checked' };
  return { title, answer: answerOf(status), why: status.summary };
}

/** Uses only the firewall's own answer, because this machine's network path can differ. */
function policyRequirement(from: string, status: PreconditionStatus | undefined): Requirement {
  const title = `A firewall policy allows traffic from ${from} without inspection`;
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
    return {
      title,
      answer: 'not-visible',
      why: 'The unit does not report its serial number, and "appliances[].serial" is empty',
    };
  return serial === null
    ? { title, answer: 'passes', why: `${unit.serial} (not changed)` }
    : { title, answer: 'passes', why: `${unit.serial} before, ${serial} after the change` };
}

function roleRequirement({ mode, peers }: UnitState): Requirement {
  const title = 'The role of the unit is known';
  switch (mode) {
    case 'unknown':
      return {
        title,
        answer: 'not-visible',
        why: 'Neither the REST API nor SNMP reports the role. Configure "appliances[].snmp"',
      };
    case 'cluster':
      return { title, answer: 'passes', why: `The unit forms a pair with ${nameList(peers) || 'an unnamed unit'}` };
    case 'standalone':
      return { title, answer: 'passes', why: 'The unit is not part of a pair' };
    case 'load-balancer':
      return { title, answer: 'passes', why: 'The unit is a load balancer' };
  }
}

/** Fortinet asks for both serial numbers and the licence numbers (tip 193723). */
function ticketOf({ to, licenses }: Moving, unit: UnitState): string {
  return [
    'Subject: Transfer of FortiToken Mobile licences to another FortiAuthenticator',
    '',
    'Please move these FortiToken Mobile licences:',
    ...licenses.map(({ license }) => `- ${license}`),
    ...presentHolders(licenses, unit).map((serial) => `From the FortiAuthenticator with the serial number ${serial}`),
    `To the FortiAuthenticator with the serial number ${to}`,
    '',
    'Please confirm for each licence whether it can be transferred (licences shipped on or after 2025-08-04: ' +
      'only by RMA).',
  ].join('\n');
}

/** If a holder is unknown, returns the current unit, because Fortinet can correct a wrong holder. */
function presentHolders(licenses: readonly HeldLicense[], { serial }: UnitState): readonly string[] {
  const unknown = serial ?? '(fill in the serial number of the current unit)';
  return [...new Set(licenses.map(({ holder }) => holder ?? unknown))];
}

function cloudMigrationOf({ licenses }: Moving, unit: UnitState): CloudMigration {
  return {
    why:
      'A licence that cannot be transferred can be moved to FortiIdentity Cloud (formerly FortiToken Cloud) in the ' +
      'same account. Its users are also moved and keep their tokens. If the account has no licence for FortiIdentity ' +
      'Cloud, Fortinet adds one that is free for a year. Ask Customer Service to set the migration tag first. Then ' +
      'run the commands on the current unit. They remove the tokens from the unit.',
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
