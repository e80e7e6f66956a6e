import type { Millis, EpochMs } from '../clock.ts';
import type { Failure } from '../observation.ts';
import { type Resource, valueOf } from './resource.ts';

/** What one FortiAuthenticator says about itself over its REST API. */
export type ApplianceObservation = ApplianceFacts | ApplianceDenied | ApplianceFailure;

interface Observed {
  /** Name of the appliance in the configuration. */
  readonly appliance: string;
  /** `host:port` of its API. */
  readonly endpoint: string;
}

export interface ApplianceFacts extends Observed {
  readonly kind: 'ok';
  readonly system: SystemFacts;
  readonly licensed: Resource<LicensedTokens>;
  readonly tokens: Resource<TokenCounts>;
  readonly provisioning: Resource<ProvisioningServer>;
  /** The servers that activation codes are mailed through, the appliance's own built-in one left out. */
  readonly mailServers: Resource<readonly ApplianceMailServer[]>;
  readonly sms: Resource<SmsQuota>;
  /** Its clock beside ours; null: too few of its answers told the time, or they contradict each other. */
  readonly clock: ApplianceClock | null;
}

/** The clock of a unit, by the `Date` headers of several of its answers. */
export interface ApplianceClock {
  /** Its time minus ours. */
  readonly offsetMs: Millis;
  /** It is off by so much at most. */
  readonly precisionMs: Millis;
  readonly answers: number;
  /** Our wall clock minus our monotonic clock then: it changes when our clock is set. */
  readonly clockBase: Millis;
}

/** It answers, and refuses the key (401) or the account (403). */
interface ApplianceDenied extends Observed {
  readonly kind: 'denied';
  readonly status: number;
}

export interface ApplianceFailure extends Failure, Observed {}

/** `/systeminfo/`. */
export interface SystemFacts {
  readonly serial: string;
  /** Serial of the other member of an HA cluster; null on a standalone unit. */
  readonly peerSerial: string | null;
  /** As in `FACVMKVM v8.0.3, build0099 (GA)`. */
  readonly firmware: string | null;
  /** FortiToken Mobile tokens in the unit, as systeminfo counts them. */
  readonly tokensPopulated: number | null;
  /** Memory of the unit in KB, as `4032452`; null where it does not say. */
  readonly memoryKb: number | null;
  /** Used shares, 0 to 1; null where it does not say. */
  readonly load: { readonly cpu: number | null; readonly memory: number | null; readonly disk: number | null };
}

/** `/fortitokenmobilelicenses/`. */
export interface LicensedTokens {
  readonly total: number;
  readonly used: number | null;
  readonly available: number | null;
}

/** `/fortiguardmessages/`: the SMS that were bought from FortiGuard. */
export interface SmsQuota {
  readonly total: number;
  readonly available: number;
}

/** `other`: a status that the documentation does not name. */
export type TokenStatus = (typeof TOKEN_STATUSES)[number];

export const TOKEN_STATUSES = ['new', 'available', 'pending', 'assigned', 'other'] as const;

/** `/fortitokens/?type=ftm`, counted. */
export interface TokenCounts {
  readonly total: number;
  readonly byStatus: Readonly<Record<TokenStatus, number>>;
  /** How many FTKMOB serials each licence (`EFTM…`, `FTMTRIAL…`) brought, ordered by licence. */
  readonly byLicense: readonly { readonly license: string; readonly tokens: number }[];
  /** Those that nobody can log in with until they are unlocked, in any status. */
  readonly locked: number;
  /** Tokens that name no licence. */
  readonly withoutLicense: number;
  /** Those that wait to be activated, the first thousands of them; left out where none has a serial number. */
  readonly pending?: readonly PendingToken[];
}

export interface PendingToken {
  /** A hash of its serial number. */
  readonly id: string;
  /** How long this program has seen it pending: at least as long as it is. */
  readonly age: Millis;
}

/** `/fortitokenmobileprovisioning/`: the server that the appliance really uses. */
export interface ProvisioningServer {
  readonly host: string;
  /** null: it does not say. */
  readonly port: number | null;
  /** How long an activation code lives; null: it does not say. */
  readonly codeLife: Millis | null;
}

/** A mail server in the shape of the configuration's, without credentials: the mail probe takes it as it is. */
export interface ApplianceMailServer {
  readonly host: string;
  readonly port: number;
  readonly security: 'starttls' | 'tls' | 'none';
  readonly from: string | null;
  readonly to: null;
  readonly user: null;
  readonly password: null;
  readonly caFile: null;
}

/** What the configuration says about an appliance, as far as the judging needs it. */
export interface ExpectedUnit {
  readonly name: string;
  readonly serial: string | null;
  readonly peerSerial: string | null;
  readonly licenses: readonly string[];
}

/**
 * `unknown`: neither REST nor SNMP told. A load balancer takes its tokens from a unit or a cluster; SNMP alone tells it
 * from a unit alone.
 */
export type HaMode = 'cluster' | 'standalone' | 'load-balancer' | 'unknown';

/** One appliance and its HA peer, from everything that is known about them. */
export interface Unit {
  readonly name: string;
  /** Serial of the unit that answers, else the configured one. */
  readonly serial: string | null;
  /** The other members of its pair, as the unit, SNMP and the configuration name them. */
  readonly peers: readonly string[];
  readonly mode: HaMode;
  /** Whether SNMP told its role; null: SNMP is not configured. */
  readonly roleTold: boolean | null;
  /** Serial of the member that is in charge now; null where nobody tells. */
  readonly primary: string | null;
}

/**
 * Joins configuration, REST and SNMP. What the unit says of itself goes before the configuration, since a floating
 * address may lead to the other member after a failover: then the configured serial is the peer's.
 */
export function unitOf(
  expected: ExpectedUnit,
  observation: ApplianceObservation | null,
  role: HaRoleObservation | null,
): Unit {
  const system = systemOf(observation);
  const told = toldBy(role);
  const own = distinct([system?.serial, told?.serial, expected.serial]);
  const serial = own[0] ?? null;
  const peers = distinct([system?.peerSerial, told?.serial, configuredPeer(expected, serial)]).filter(
    (member) => member !== serial,
  );
  const mode = haModeOf(system, told?.role ?? null);
  const roleTold = role === null ? null : told !== null && told.role !== 'undetermined';
  return { name: expected.name, serial, peers, mode, roleTold, primary: primaryOf(told, serial, peers) };
}

/** Serial and licence numbers are typed by people. */
export function sameSerial(a: string, b: string): boolean {
  return a.toUpperCase() === b.toUpperCase();
}

function systemOf(observation: ApplianceObservation | null): SystemFacts | null {
  return observation?.kind === 'ok' ? observation.system : null;
}

function toldBy(role: HaRoleObservation | null): HaRoleFacts | null {
  return role?.kind === 'ok' ? role : null;
}

/**
 * A configured serial that does not answer is the peer's only if the peer does; else it is one from before a migration.
 */
function configuredPeer(expected: ExpectedUnit, serial: string | null): string | null {
  const { serial: own, peerSerial: peer } = expected;
  return serial !== null && peer !== null && sameSerial(serial, peer) ? own : peer;
}

/** As they are printed: in capitals. */
function distinct(serials: readonly (string | null | undefined)[]): readonly string[] {
  return [...new Set(serials.flatMap((serial) => (typeof serial === 'string' ? [serial.toUpperCase()] : [])))];
}

function haModeOf(system: SystemFacts | null, role: HaRole | null): HaMode {
  // systeminfo gives the peer's serial "only in HA cluster member mode" (REST API guide).
  if (system !== null && system.peerSerial !== null) return 'cluster';
  if (role === 'cluster-primary' || role === 'cluster-secondary') return 'cluster';
  if (role === 'load-balancer') return 'load-balancer';
  if (system !== null || role === 'standalone-primary' || role === 'disabled') return 'standalone';
  return 'unknown';
}

/** The role belongs to the unit that SNMP reached, which behind another address may be the other member. */
function primaryOf(told: HaRoleFacts | null, serial: string | null, peers: readonly string[]): string | null {
  if (told === null) return null;
  const spoke = told.serial?.toUpperCase() ?? serial;
  if (told.role === 'cluster-primary') return spoke;
  if (told.role !== 'cluster-secondary') return null;
  const others = [serial, ...peers].filter((member) => member !== null && member !== spoke);
  const [other] = others;
  return others.length === 1 && other !== undefined ? other : null;
}

/** What decides how much users feel of a fault; null where no appliance tells. */
export interface ActivationContext {
  /** A licence that was bought is active: tokens that users hold keep working whatever happens to the path. */
  readonly licenseActive: boolean | null;
  /** Users can activate without the licence server. */
  readonly offlineActivation: boolean | null;
  /** What must not be done to a unit while it cannot reach the licence server, one sentence. */
  readonly outageWarning?: string | null;
}

/** One unit, by what it says of itself; null: not asked. */
interface AskedUnit {
  readonly rest: ApplianceObservation | null;
  readonly role: HaRoleObservation | null;
}

/** Since firmware 6.6.1 end users activate offline: https://community.fortinet.com/…/ta-p/388682. */
const OFFLINE_ACTIVATION_SINCE: Version = [6, 6, 1];

/** Of firmware. */
export type Version = readonly [major: number, minor: number, patch: number];

/**
 * The context over all appliances. A licence is active when any unit has tokens of one; offline activation counts only
 * when every unit that tells its firmware can do it, since a user's own unit is not known.
 */
export function activationContextOf(units: readonly AskedUnit[]): ActivationContext {
  const active = units.map(({ rest }) => rest && licenseActiveOn(rest)).filter((value) => value !== null);
  const offline = units.map(offlineActivationOn).filter((value) => value !== null);
  return {
    licenseActive: active.length === 0 ? null : active.some(Boolean),
    offlineActivation: offline.length === 0 ? null : offline.every(Boolean),
  };
}

/** Every unit has two tokens for trial, which need no activation and are registered to nobody (Fortinet tip 193793). */
const TRIAL = /^FTMTRIAL/iu;

/** The smallest licence that is sold has 5 tokens (FTM-ELIC-5): fewer that name no licence are those for trial. */
const FEWEST_SOLD = 5;

/** Whether a licence for FortiToken Mobile is active on this unit; null when it did not say. */
function licenseActiveOn(observation: ApplianceObservation): boolean | null {
  if (observation.kind !== 'ok') return null;
  const tokens = valueOf(observation.tokens);
  if (tokens !== null)
    return tokens.byLicense.some(({ license }) => !TRIAL.test(license)) || tokens.withoutLicense >= FEWEST_SOLD;
  const total = valueOf(observation.licensed)?.total ?? observation.system.tokensPopulated;
  return total === null ? null : total >= FEWEST_SOLD;
}

/** Whether this one licence is active on the unit, that is whether it brought tokens; null when nothing tells. */
export function holdsTokensOf(observation: ApplianceObservation | null, license: string): boolean | null {
  if (observation?.kind !== 'ok') return null;
  const tokens = valueOf(observation.tokens);
  if (tokens === null) return licenseActiveOn(observation) === false ? false : null;
  if (tokens.byLicense.some((held) => sameSerial(held.license, license))) return true;
  return tokens.withoutLicense < FEWEST_SOLD ? false : null;
}

function offlineActivationOn({ rest, role }: AskedUnit): boolean | null {
  const firmware = (rest?.kind === 'ok' ? rest.system.firmware : null) ?? (role?.kind === 'ok' ? role.firmware : null);
  const version = firmware === null ? null : firmwareVersion(firmware);
  return version === null ? null : isAtLeast(version, OFFLINE_ACTIVATION_SINCE);
}

/** Reads `FACVMKVM v8.0.3, build0099 (GA)`; null when no version stands in it. */
export function firmwareVersion(firmware: string): Version | null {
  const match = /\bv?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?/u.exec(firmware);
  if (match === null) return null;
  const [, major, minor, patch] = match;
  return [Number(major), Number(minor), Number(patch ?? 0)];
}

export function isAtLeast(version: Version, wanted: Version): boolean {
  const [major, minor, patch] = version;
  if (major !== wanted[0]) return major > wanted[0];
  if (minor !== wanted[1]) return minor > wanted[1];
  return patch >= wanted[2];
}

/** facHaCurrentStatus of FORTINET-FORTIAUTHENTICATOR-MIB: the only machine-readable source of the role. */
export type HaRole =
  | 'undetermined'
  | 'cluster-primary'
  | 'cluster-secondary'
  | 'standalone-primary'
  | 'load-balancer'
  | 'disabled';

/** What one unit says of itself over SNMP: its place in a cluster, and what the REST API says as well. */
export type HaRoleObservation = HaRoleFacts | (Failure & { readonly appliance: string });

export interface HaRoleFacts {
  readonly kind: 'ok';
  readonly appliance: string;
  readonly role: HaRole;
  readonly serial: string | null;
  /** As in `v5.5.0-build0366`. */
  readonly firmware: string | null;
  /**
   * FortiTokens of any kind, on the unit and left. The public text of the MIB does not say whether mobile tokens count
   * apart, nor what is left of what: for people to read, and nothing is judged by it.
   */
  readonly tokens: { readonly count: number; readonly remaining: number } | null;
}

const ROLE_BY_STATUS: ReadonlyMap<number, HaRole> = new Map<number, HaRole>([
  [1, 'undetermined'],
  [2, 'cluster-primary'],
  [3, 'cluster-secondary'],
  [4, 'standalone-primary'],
  [5, 'load-balancer'],
  [255, 'disabled'],
]);

/** The role behind a value of facHaCurrentStatus; null when the MIB does not name the value. */
export function haRoleOf(status: number): HaRole | null {
  return ROLE_BY_STATUS.get(status) ?? null;
}

/** More licences than any site has on one unit; each costs a call of a small quota. */
const MAX_LICENSES = 50;

/** Trial licences come with the unit and are not registered to anybody. */
const REGISTRABLE = /^EFTM/iu;

/** The licences to look up for one appliance: the configured ones, and those that its tokens came with. */
export function licensesOf(configured: readonly string[], observation: ApplianceObservation | null): readonly string[] {
  const seen = observation?.kind === 'ok' ? (valueOf(observation.tokens)?.byLicense ?? []) : [];
  const found = seen.map(({ license }) => license).filter((license) => REGISTRABLE.test(license));
  return [...new Set([...configured, ...found].map((license) => license.toUpperCase()))].slice(0, MAX_LICENSES);
}

/** More than wait at any site; further ones have no age. */
export const MOST_PENDING = 5000;

/** When each pending token was seen pending first, by its hash. */
export type PendingSince = ReadonlyMap<string, EpochMs>;

/**
 * What is remembered after a look. A token that is not pending any more is forgotten, unless some unit did not tell its
 * tokens: it may be one of that unit's.
 */
export function pendingSince(
  before: PendingSince,
  look: { readonly ids: readonly string[]; readonly isWhole: boolean; readonly at: EpochMs },
): PendingSince {
  const seen = look.ids.slice(0, MOST_PENDING).map((id) => [id, Math.min(before.get(id) ?? look.at, look.at)] as const);
  return new Map([...(look.isWhole ? [] : before), ...seen].slice(-MOST_PENDING));
}
