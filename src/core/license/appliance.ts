import type { Millis, EpochMs } from '../clock.ts';
import { type ApiFailure, type Failure, type Resource, valueOf } from '../observation.ts';
import { firmwareVersion, isAtLeast, type Version } from './firmware.ts';

export type ApplianceObservation = ApplianceFacts | ApplianceDenied | ApplianceFailure;

interface Observed {
  readonly appliance: string;
  /** `host:port` */
  readonly endpoint: string;
}

export interface ApplianceFacts extends Observed {
  readonly kind: 'ok';
  readonly system: SystemFacts;
  readonly licensed: Resource<LicensedTokens>;
  readonly tokens: Resource<TokenCounts>;
  readonly provisioning: Resource<ProvisioningServer>;
  /** Excludes the built-in mail server. */
  readonly mailServers: Resource<readonly ApplianceMailServer[]>;
  readonly sms: Resource<SmsQuota>;
  /** Null if too few responses had a `Date` header, or if the headers contradict each other. */
  readonly clock: ApplianceClock | null;
}

/** Measured from the `Date` headers of several responses. */
export interface ApplianceClock {
  /** Positive if the unit's clock is ahead. */
  readonly offsetMs: Millis;
  /** Maximum error of `offsetMs`. */
  readonly precisionMs: Millis;
  readonly answers: number;
  /** Local wall clock minus local monotonic clock. The difference changes when the local clock is set. */
  readonly clockBase: Millis;
}

/** The appliance rejects the API key (401) or the account (403). */
interface ApplianceDenied extends Observed {
  readonly kind: 'denied';
  readonly status: number;
}

export interface ApplianceFailure extends ApiFailure, Observed {
  /** Set if the unit completed a TLS handshake, which shows that it is running. */
  readonly acceptedTls?: true;
  /** The host in `api.url`, if the unit does not accept requests for this host. */
  readonly refusedHost?: string;
  /** The unit does not answer at all, after it has refused the key. */
  readonly afterRefusal?: true;
}

/** From `/systeminfo/`. */
export interface SystemFacts {
  readonly serial: string;
  /** The other member of an HA cluster. Null on a standalone unit. */
  readonly peerSerial: string | null;
  /** For example `FACVMKVM v8.0.3, build0099 (GA)`. */
  readonly firmware: string | null;
  readonly tokensPopulated: number | null;
  readonly memoryKb: number | null;
  /** From 0 to 1. */
  readonly load: { readonly cpu: number | null; readonly memory: number | null; readonly disk: number | null };
}

/** From `/fortitokenmobilelicenses/`. */
export interface LicensedTokens {
  readonly total: number;
  readonly used: number | null;
  readonly available: number | null;
}

/** Messages bought from FortiGuard, as reported by `/fortiguardmessages/`. */
export interface SmsQuota {
  readonly total: number;
  readonly available: number;
}

/** `other` is used for undocumented statuses. */
export type TokenStatus = (typeof TOKEN_STATUSES)[number];

export const TOKEN_STATUSES = ['new', 'available', 'pending', 'assigned', 'other'] as const;

/** From `/fortitokens/?type=ftm`. */
export interface TokenCounts {
  readonly total: number;
  readonly byStatus: Readonly<Record<TokenStatus, number>>;
  /** Number of tokens (FTKMOB serial numbers) from each licence (`EFTM…`, `FTMTRIAL…`), ordered by licence. */
  readonly byLicense: readonly { readonly license: string; readonly tokens: number }[];
  /**
   * Number of locked tokens of each status. Users cannot log in with a locked token. A free token that is locked cannot
   * be assigned.
   */
  readonly locked: Readonly<Record<TokenStatus, number>>;
  readonly withoutLicense: number;
  /**
   * Tokens that are waiting for activation, limited to the first few thousand. Absent if no token has a serial number.
   */
  readonly pending?: readonly PendingToken[];
}

export interface PendingToken {
  /** Hash of the token's serial number. */
  readonly id: string;
  /** Time since ftm-watch first saw that the token was pending. The token may have been pending for longer. */
  readonly age: Millis;
}

/** The activation server that the appliance actually uses, from `/fortitokenmobileprovisioning/`. */
export interface ProvisioningServer {
  readonly host: string;
  readonly port: number | null;
  /** Lifetime of an activation code. */
  readonly codeLife: Millis | null;
}

/** In the configuration format, so that the mail probe can use it directly. */
export interface ApplianceMailServer {
  readonly host: string;
  readonly port: number;
  readonly security: 'starttls' | 'tls' | 'none';
  readonly from: string | null;
  readonly to: null;
  readonly user: null;
  readonly password: null;
  readonly caFile: null;
  /** True if the appliance logs in with a user name and a password, which ftm-watch does not read. */
  readonly hasLogin: boolean;
  readonly applianceCaFile: null;
}

/** Ignores case, because users type these numbers. An unknown number equals none. */
export function sameSerial(a: string | null, b: string | null): boolean {
  return a !== null && a.toUpperCase() === b?.toUpperCase();
}

/** Facts that determine how severely a fault affects users. A fact is null if no appliance reports it. */
export interface ActivationContext {
  /**
   * A purchased licence is active, so tokens that users have already activated keep working regardless of faults on the
   * path.
   */
  readonly licenseActive: boolean | null;
  /**
   * The firmware supports offline provisioning. With this setting, users can activate tokens while the licence server is
   * unreachable. The REST API guide has no field for the setting.
   */
  readonly offlineSupported: boolean | null;
  /** Sentence that lists actions to avoid on a unit while the licence server is unreachable. */
  readonly outageWarning?: string | null;
}

interface AskedUnit {
  readonly rest: ApplianceObservation | null;
  readonly role: HaRoleObservation | null;
}

/** Offline activation for end users: https://community.fortinet.com/…/ta-p/388682. */
const OFFLINE_ACTIVATION_SINCE: Version = [6, 6, 1];

/**
 * A licence is active if any unit has tokens from it. Offline activation is supported only if every unit that reports its
 * firmware supports it, because users cannot be assigned to a unit.
 */
export function activationContextOf(units: readonly AskedUnit[]): ActivationContext {
  const active = units.map(({ rest }) => rest && licenseActiveOn(rest)).filter((value) => value !== null);
  const offline = units.map(offlineSupportedBy).filter((value) => value !== null);
  return {
    licenseActive: active.length === 0 ? null : active.some(Boolean),
    offlineSupported: offline.length === 0 ? null : offline.every(Boolean),
  };
}

/**
 * Every unit has two trial tokens, which need no activation and are not registered to any account (Fortinet tip
 * 193793).
 */
const TRIAL = /^FTMTRIAL/iu;

/**
 * The smallest licence on sale (FTM-ELIC-5). If a unit has fewer tokens without a licence than this, they are trial
 * tokens.
 */
const FEWEST_SOLD = 5;

/** Null if the unit does not report its tokens. */
function licenseActiveOn(observation: ApplianceObservation): boolean | null {
  if (observation.kind !== 'ok') return null;
  const tokens = valueOf(observation.tokens);
  if (tokens !== null)
    return tokens.byLicense.some(({ license }) => !TRIAL.test(license)) || tokens.withoutLicense >= FEWEST_SOLD;
  const total = valueOf(observation.licensed)?.total ?? observation.system.tokensPopulated;
  return total === null ? null : total >= FEWEST_SOLD;
}

/** A licence is active on a unit that holds its tokens. Null if the unit's tokens are unknown. */
export function holdsTokensOf(observation: ApplianceObservation | null, license: string): boolean | null {
  if (observation?.kind !== 'ok') return null;
  const tokens = valueOf(observation.tokens);
  if (tokens === null) return licenseActiveOn(observation) === false ? false : null;
  if (tokens.byLicense.some((held) => sameSerial(held.license, license))) return true;
  return tokens.withoutLicense < FEWEST_SOLD ? false : null;
}

function offlineSupportedBy({ rest, role }: AskedUnit): boolean | null {
  const firmware = (rest?.kind === 'ok' ? rest.system.firmware : null) ?? (role?.kind === 'ok' ? role.firmware : null);
  const version = firmware === null ? null : firmwareVersion(firmware);
  return version === null ? null : isAtLeast(version, OFFLINE_ACTIVATION_SINCE);
}

/** facHaCurrentStatus in FORTINET-FORTIAUTHENTICATOR-MIB, the only machine-readable source for the role. */
const ROLE_BY_STATUS = {
  1: 'undetermined',
  2: 'cluster-primary',
  3: 'cluster-secondary',
  4: 'standalone-primary',
  5: 'load-balancer',
  255: 'disabled',
} as const;

type HaRole = (typeof ROLE_BY_STATUS)[keyof typeof ROLE_BY_STATUS];

export type HaRoleObservation = HaRoleFacts | (Failure & { readonly appliance: string });

export interface HaRoleFacts {
  readonly kind: 'ok';
  readonly appliance: string;
  readonly role: HaRole;
  readonly serial: string | null;
  /** For example `v5.5.0-build0366`. */
  readonly firmware: string | null;
}

/** Null for values that the MIB does not define. */
export function haRoleOf(status: number): HaRole | null {
  return Object.entries(ROLE_BY_STATUS).find(([value]) => Number(value) === status)?.[1] ?? null;
}

/** Trial licences come with the unit and are not registered to any account. */
const REGISTRABLE = /^EFTM/iu;

/** The configured licences and those to which the appliance's tokens belong, without trial licences. */
export function licensesOf(configured: readonly string[], observation: ApplianceObservation | null): readonly string[] {
  const seen = observation?.kind === 'ok' ? (valueOf(observation.tokens)?.byLicense ?? []) : [];
  const found = seen.map(({ license }) => license).filter((license) => REGISTRABLE.test(license));
  const bought = configured.filter((license) => !TRIAL.test(license));
  return [...new Set([...bought, ...found].map((license) => license.toUpperCase()))];
}

export const MOST_PENDING = 5000;

/** Time when each token was first seen as pending, keyed by the hash of its serial number. */
export type PendingSince = ReadonlyMap<string, EpochMs>;

/** If any unit did not report its tokens, nothing is removed, because a missing token may belong to that unit. */
export function pendingSince(
  before: PendingSince,
  look: { readonly ids: readonly string[]; readonly isWhole: boolean; readonly at: EpochMs },
): PendingSince {
  const seen = look.ids.slice(0, MOST_PENDING).map((id) => [id, Math.min(before.get(id) ?? look.at, look.at)] as const);
  return new Map([...(look.isWhole ? [] : before), ...seen].slice(-MOST_PENDING));
}
