import type { Millis } from '../clock.ts';
import type { Failure } from '../observation.ts';
import type { Resource } from './resource.ts';

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
export interface ApplianceDenied extends Observed {
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
