import type { Millis, EpochMs } from '../clock.ts';
import type { Failure } from '../observation.ts';
import { type Resource, valueOf } from './resource.ts';

/** What one FortiAuthenticator reports about itself over its REST API. */
export type ApplianceObservation = ApplianceFacts | ApplianceDenied | ApplianceFailure;

interface Observed {
  /** Configured name of the appliance. */
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
  /** Servers through which activation codes are mailed, except for the appliance's built-in one. */
  readonly mailServers: Resource<readonly ApplianceMailServer[]>;
  readonly sms: Resource<SmsQuota>;
  /**
   * Its clock compared with ours. Null if too few of its answers had a `Date` header or if they contradict each other.
   */
  readonly clock: ApplianceClock | null;
}

/** A unit's clock, measured from the `Date` headers of several answers. */
export interface ApplianceClock {
  /** Its time minus ours. */
  readonly offsetMs: Millis;
  /** Maximum error of the offset. */
  readonly precisionMs: Millis;
  readonly answers: number;
  /** Our wall clock minus our monotonic clock at that time. Changes when our clock is set. */
  readonly clockBase: Millis;
}

/** The appliance answers but rejects the key (401) or the account (403). */
interface ApplianceDenied extends Observed {
  readonly kind: 'denied';
  readonly status: number;
}

export interface ApplianceFailure extends Failure, Observed {}

/** `/systeminfo/`. */
export interface SystemFacts {
  readonly serial: string;
  /** Serial number of the other member of an HA cluster. Null on a standalone unit. */
  readonly peerSerial: string | null;
  /** For example `FACVMKVM v8.0.3, build0099 (GA)`. */
  readonly firmware: string | null;
  /** Number of FortiToken Mobile tokens on the unit, as reported by systeminfo. */
  readonly tokensPopulated: number | null;
  /** Memory of the unit in KB, such as `4032452`. Null if not reported. */
  readonly memoryKb: number | null;
  /** Usage from 0 to 1. Null if not reported. */
  readonly load: { readonly cpu: number | null; readonly memory: number | null; readonly disk: number | null };
}

/** `/fortitokenmobilelicenses/`. */
export interface LicensedTokens {
  readonly total: number;
  readonly used: number | null;
  readonly available: number | null;
}

/** `/fortiguardmessages/`: the SMS messages that were bought from FortiGuard. */
export interface SmsQuota {
  readonly total: number;
  readonly available: number;
}

/** `other`: a status that is not documented. */
export type TokenStatus = (typeof TOKEN_STATUSES)[number];

export const TOKEN_STATUSES = ['new', 'available', 'pending', 'assigned', 'other'] as const;

/** Counts from `/fortitokens/?type=ftm`. */
export interface TokenCounts {
  readonly total: number;
  readonly byStatus: Readonly<Record<TokenStatus, number>>;
  /** Number of FTKMOB serials from each licence (`EFTM…`, `FTMTRIAL…`), ordered by licence. */
  readonly byLicense: readonly { readonly license: string; readonly tokens: number }[];
  /** Tokens in any status that nobody can log in with until they are unlocked. */
  readonly locked: number;
  /** Tokens without a licence. */
  readonly withoutLicense: number;
  /** Tokens that wait for activation, limited to the first few thousand. Absent if none has a serial number. */
  readonly pending?: readonly PendingToken[];
}

export interface PendingToken {
  /** Hash of the serial number. */
  readonly id: string;
  /** How long this program has seen the token pending. The token may have been pending for longer. */
  readonly age: Millis;
}

/** `/fortitokenmobileprovisioning/`: the server that the appliance actually uses. */
export interface ProvisioningServer {
  readonly host: string;
  /** Null if not reported. */
  readonly port: number | null;
  /** Lifetime of an activation code. Null if not reported. */
  readonly codeLife: Millis | null;
}

/**
 * A mail server in the same form as in the configuration, without credentials, so that the mail probe can use it
 * directly.
 */
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

/** The configuration of an appliance, as far as it is needed to judge the appliance. */
export interface ExpectedUnit {
  readonly name: string;
  readonly serial: string | null;
  readonly peerSerial: string | null;
  readonly licenses: readonly string[];
}

/**
 * `unknown`: reported by neither REST nor SNMP. A load balancer gets its tokens from a unit or a cluster, and only SNMP
 * distinguishes it from a standalone unit.
 */
export type HaMode = 'cluster' | 'standalone' | 'load-balancer' | 'unknown';

/** One appliance and its HA peer, combined from all sources. */
export interface Unit {
  readonly name: string;
  /** Serial number of the unit that answers, otherwise the configured one. */
  readonly serial: string | null;
  /** The other members of its pair, from the unit, SNMP and the configuration. */
  readonly peers: readonly string[];
  readonly mode: HaMode;
  /** Whether SNMP reported its role. Null if SNMP is not configured. */
  readonly roleTold: boolean | null;
  /** Serial number of the current primary. Null if no source reports it. */
  readonly primary: string | null;
}

/**
 * Combines configuration, REST and SNMP. Values from the unit take precedence over the configuration, because a
 * floating address can lead to the other member after a failover. In that case the configured serial number is the
 * peer's.
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

/** Compares serial and licence numbers without regard to case, because people type them. */
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
 * The configured serial is the peer's only if the configured peer is the unit that answers. Otherwise it is an old
 * serial from before a migration.
 */
function configuredPeer(expected: ExpectedUnit, serial: string | null): string | null {
  const { serial: own, peerSerial: peer } = expected;
  return serial !== null && peer !== null && sameSerial(serial, peer) ? own : peer;
}

/** Returns the distinct serials in upper case, as they are printed. */
function distinct(serials: readonly (string | null | undefined)[]): readonly string[] {
  return [...new Set(serials.flatMap((serial) => (typeof serial === 'string' ? [serial.toUpperCase()] : [])))];
}

function haModeOf(system: SystemFacts | null, role: HaRole | null): HaMode {
  // systeminfo reports the peer's serial "only in HA cluster member mode" (REST API guide).
  if (system !== null && system.peerSerial !== null) return 'cluster';
  if (role === 'cluster-primary' || role === 'cluster-secondary') return 'cluster';
  if (role === 'load-balancer') return 'load-balancer';
  if (system !== null || role === 'standalone-primary' || role === 'disabled') return 'standalone';
  return 'unknown';
}

/** The role belongs to the unit that SNMP reached. Behind a different address, this can be the other member. */
function primaryOf(told: HaRoleFacts | null, serial: string | null, peers: readonly string[]): string | null {
  if (told === null) return null;
  const spoke = told.serial?.toUpperCase() ?? serial;
  if (told.role === 'cluster-primary') return spoke;
  if (told.role !== 'cluster-secondary') return null;
  const others = [serial, ...peers].filter((member) => member !== null && member !== spoke);
  const [other] = others;
  return others.length === 1 && other !== undefined ? other : null;
}

/** Facts that decide how much a fault affects users. Null if no appliance reports them. */
export interface ActivationContext {
  /**
   * Whether a purchased licence is active. If so, tokens that users already have keep working, whatever happens to the
   * path.
   */
  readonly licenseActive: boolean | null;
  /** Whether users can activate without the licence server. */
  readonly offlineActivation: boolean | null;
  /** One sentence on what must not be done to a unit while it cannot reach the licence server. */
  readonly outageWarning?: string | null;
}

/** One unit and its own reports. Null if it was not queried. */
interface AskedUnit {
  readonly rest: ApplianceObservation | null;
  readonly role: HaRoleObservation | null;
}

/** End users can activate offline since firmware 6.6.1: https://community.fortinet.com/…/ta-p/388682. */
const OFFLINE_ACTIVATION_SINCE: Version = [6, 6, 1];

export type Version = readonly [major: number, minor: number, patch: number];

/**
 * Combines all appliances. A licence is active if any unit has tokens from one. Offline activation counts only if every
 * unit that reports its firmware supports it, because it is unknown which unit a user is on.
 */
export function activationContextOf(units: readonly AskedUnit[]): ActivationContext {
  const active = units.map(({ rest }) => rest && licenseActiveOn(rest)).filter((value) => value !== null);
  const offline = units.map(offlineActivationOn).filter((value) => value !== null);
  return {
    licenseActive: active.length === 0 ? null : active.some(Boolean),
    offlineActivation: offline.length === 0 ? null : offline.every(Boolean),
  };
}

/**
 * Every unit has two trial tokens, which need no activation and are not registered to anybody (Fortinet tip 193793).
 */
const TRIAL = /^FTMTRIAL/iu;

/** The smallest licence on sale has 5 tokens (FTM-ELIC-5). Fewer tokens without a licence are trial tokens. */
const FEWEST_SOLD = 5;

/** Reports whether a FortiToken Mobile licence is active on this unit. Null if the unit did not report it. */
function licenseActiveOn(observation: ApplianceObservation): boolean | null {
  if (observation.kind !== 'ok') return null;
  const tokens = valueOf(observation.tokens);
  if (tokens !== null)
    return tokens.byLicense.some(({ license }) => !TRIAL.test(license)) || tokens.withoutLicense >= FEWEST_SOLD;
  const total = valueOf(observation.licensed)?.total ?? observation.system.tokensPopulated;
  return total === null ? null : total >= FEWEST_SOLD;
}

/**
 * Reports whether this licence is active on the unit, that is, whether the unit has tokens from it. Null if unknown.
 */
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

/** Parses `FACVMKVM v8.0.3, build0099 (GA)`. Returns null if the text contains no version. */
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

/** facHaCurrentStatus of FORTINET-FORTIAUTHENTICATOR-MIB, the only machine-readable source of the role. */
type HaRole =
  | 'undetermined'
  | 'cluster-primary'
  | 'cluster-secondary'
  | 'standalone-primary'
  | 'load-balancer'
  | 'disabled';

/**
 * What one unit reports about itself over SNMP: its role in a cluster, and some facts that the REST API also reports.
 */
export type HaRoleObservation = HaRoleFacts | (Failure & { readonly appliance: string });

export interface HaRoleFacts {
  readonly kind: 'ok';
  readonly appliance: string;
  readonly role: HaRole;
  readonly serial: string | null;
  /** For example `v5.5.0-build0366`. */
  readonly firmware: string | null;
  /**
   * FortiTokens of any kind: present on the unit, and remaining. The public text of the MIB does not say whether mobile
   * tokens are counted separately, or what "remaining" refers to. For display only; no finding depends on it.
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

/** Returns the role for a value of facHaCurrentStatus, or null if the MIB does not define the value. */
export function haRoleOf(status: number): HaRole | null {
  return ROLE_BY_STATUS.get(status) ?? null;
}

/** More licences than any site has on one unit. Each one costs a call from a small quota. */
const MAX_LICENSES = 50;

/** Trial licences come with the unit and are not registered to anybody. */
const REGISTRABLE = /^EFTM/iu;

/** Returns the licences to look up for one appliance: the configured ones and those that its tokens came from. */
export function licensesOf(configured: readonly string[], observation: ApplianceObservation | null): readonly string[] {
  const seen = observation?.kind === 'ok' ? (valueOf(observation.tokens)?.byLicense ?? []) : [];
  const found = seen.map(({ license }) => license).filter((license) => REGISTRABLE.test(license));
  return [...new Set([...configured, ...found].map((license) => license.toUpperCase()))].slice(0, MAX_LICENSES);
}

/** More than any site has pending. Tokens beyond this limit have no age. */
export const MOST_PENDING = 5000;

/** When each pending token was first seen pending, by its hash. */
export type PendingSince = ReadonlyMap<string, EpochMs>;

/**
 * Updates the memory after a check. Tokens that are no longer pending are removed, unless some unit did not report its
 * tokens, because a missing token may belong to that unit.
 */
export function pendingSince(
  before: PendingSince,
  look: { readonly ids: readonly string[]; readonly isWhole: boolean; readonly at: EpochMs },
): PendingSince {
  const seen = look.ids.slice(0, MOST_PENDING).map((id) => [id, Math.min(before.get(id) ?? look.at, look.at)] as const);
  return new Map([...(look.isWhole ? [] : before), ...seen].slice(-MOST_PENDING));
}
