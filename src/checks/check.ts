import type { ApplianceFacts } from '../core/license/appliance.ts';
import type { FindingContent, Told, Assessment, Check, Finding } from '../engine/model.ts';
import type { ConnectorId, Picture } from '../connectors/picture.ts';
import type { WatchedConfig } from '../config/schema/watched.ts';
import type { RoundObservations, PathObservation } from '../core/round.ts';
import type { FirewallObservation } from '../core/license/firewall.ts';
import type { PollingReport } from '../core/polling/report.ts';
import type { Severity } from '../core/severity.ts';
import type { ClockObservation, OwnClock } from '../core/observation.ts';
import type { Carrier, LicenseServerConfig } from '../config/schema/path.ts';
import type { OtherNames } from './name-resolution/other-names.ts';
import type { ControlHosts } from './reachability/explain-shut-ports.ts';
import type { JudgedTlsPath, TlsKnowledge, TlsSurroundings } from './tls-genuine/judge-path.ts';
import type { HostPort } from '../core/addresses.ts';
import type { EpochMs } from '../core/clock.ts';

/** Adds the appliance's name and address to a finding. Used if the appliance's API responds. */
export function withAppliance({ appliance, system }: ApplianceFacts, told: Told): FindingContent<never> {
  return { ...told, subject: appliance, facts: { appliance, serial: system.serial } };
}

/** Complete declaration of a check, including its causes and its position on the route map. */
export type Declaration<Id extends string = string, C extends string = string> = Check<Id, C> & {
  readonly place: Place;
  /** Activation step that this check verifies. */
  readonly step: StepId;
  /** Activation steps for causes that break a step other than `step`. */
  readonly causeSteps?: Readonly<Partial<Record<C, StepId>>>;
  /** Adjusts this check's result, taking all other observations into account. */
  readonly adjust?: (own: Assessment, everything: Everything) => Assessment;
} & Judge;

/** All observations that were made outside the round. */
export interface Everything {
  readonly licenseServer: HostPort;
  readonly picture: Picture;
  /** FortiAuthenticator's log. Null if no log is received. */
  readonly log: {
    readonly report: PollingReport;
    /** Preconditions whose failure would explain the errors in FortiAuthenticator's log. */
    readonly complainedOf: readonly string[];
  } | null;
  /** Findings from firewall responses that are at least as recent as the fault. Null if no policy was evaluated. */
  readonly policies: readonly Finding[] | null;
}

type Judge = TargetJudge | RoundJudge | UnitsJudge | LogJudge;

/**
 * A check that runs for each target, starting with the licence server. Only the licence server's result determines the
 * check's state.
 */
interface TargetJudge {
  readonly from: 'target';
  /** Returns null if there are no facts to evaluate. */
  readonly judge: (facts: TargetFacts) => readonly Finding[] | null;
  /** Returns the summary for the case that there are no findings about the licence server. */
  readonly summary: (licenseServer: TargetFacts) => string;
}

interface RoundJudge {
  readonly from: 'round';
  readonly judge: (facts: RoundFacts) => Judgement;
}

/** A check of data that is queried less often than once per round. */
interface UnitsJudge {
  readonly from: 'units';
  /** Connectors that supply the data for this check. */
  readonly sources: readonly ConnectorId[];
  readonly judge: (facts: UnitFacts) => Judgement;
}

interface LogJudge {
  readonly from: 'log';
  readonly judge: (facts: LogFacts) => Judgement;
}

/** An assessment without the check's ID. */
export type Judgement = Omit<Assessment, 'id'>;

export type LogFacts =
  | {
      readonly kind: 'heard';
      readonly config: WatchedConfig;
      readonly report: PollingReport;
      /** Responses from FortiGates about the policies for FortiAuthenticator's traffic. */
      readonly firewall: readonly FirewallObservation[];
      /** Data that the appliances report about themselves. */
      readonly units?: Picture['appliances'];
      /** Notes about log errors that were omitted from the report. */
      readonly notes: readonly Finding[];
      /** Addresses of unknown senders whose log lines were rejected. */
      readonly unknownSenders: readonly string[];
      readonly preconditionOf: (cause: string) => string;
    }
  | ({ readonly kind: 'unheard'; readonly config: WatchedConfig } & Unheard);

/** Reason why no log is received. */
export interface Unheard {
  readonly reason: string;
  /** True if a log is configured but could not be read. */
  readonly isTrouble: boolean;
}

/** Facts that a round collected, excluding facts about targets. */
export interface RoundFacts {
  readonly config: WatchedConfig;
  readonly round: RoundObservations;
  /** Services that deliver codes, each with its findings from the path checks. */
  readonly carriers: readonly CarrierFindings[];
  /** Time readings from NTP servers and HTTP responses. */
  readonly clock: readonly ClockObservation[];
  /** Hosts that responded in an earlier round since ftm-watch was started, as `host:port`. */
  readonly answered: ReadonlySet<string>;
}

/** Findings from the path checks about a host that delivers codes, by check. */
export interface CarrierFindings {
  readonly carries: Carrier;
  readonly host: string;
  readonly port: number;
  readonly severity: Severity;
  readonly found: Readonly<Record<string, readonly Finding[] | null>>;
}

/** Facts that a round collected about one target. The target is either the licence server or a service. */
export interface TargetFacts {
  readonly path: PathObservation;
  readonly port: number;
  /** Configuration of the licence server. Null if the target is a service. */
  readonly licenseServer: LicenseServerConfig | null;
  /** Verdicts on the target's certificates. Several checks use them. */
  readonly tls: JudgedTlsPath;
  readonly knowledge: TlsKnowledge;
  readonly surroundings: TlsSurroundings;
  readonly controlHosts: ControlHosts;
  readonly otherNames: OtherNames;
}

export interface UnitFacts {
  readonly config: WatchedConfig;
  readonly picture: Picture;
  /** Start of the round. */
  readonly at: EpochMs;
  /**
   * This machine's clock, with which the units' clocks are compared. Null or absent if the round did not determine it.
   */
  readonly ownClock?: OwnClock | null;
  /** Names of the appliances that still send log lines. */
  readonly speaking: readonly string[];
}

type StopId = 'fortiauthenticator' | 'resolver' | 'firewall' | 'internet' | 'license-server';

/** Stops on the network path of an activation, in path order. */
export const STOPS: readonly StopPlan[] = [
  { id: 'fortiauthenticator', name: 'FortiAuthenticator', hint: 'where it starts', carries: false },
  { id: 'resolver', name: 'Resolver', hint: 'finds the address', carries: true },
  { id: 'firewall', name: 'Firewall', hint: 'must not inspect', carries: true },
  { id: 'internet', name: 'Internet', hint: 'the way out', carries: true },
  { id: 'license-server', name: 'Licence server', hint: 'at Fortinet', carries: true },
];

interface StopPlan {
  readonly id: StopId;
  readonly name: string;
  readonly hint: string;
  /** True if traffic to the licence server passes through the stop. False for FortiAuthenticator's own API. */
  readonly carries: boolean;
}

/** Position of a check on the route map. A check is shown at a stop on the path or on a separate branch. */
export type Place =
  | { readonly kind: 'stop'; readonly stop: StopId }
  | { readonly kind: 'branch'; readonly name: string; readonly hint: string };

export type StepId =
  | 'registration'
  | 'resolver'
  | 'connect'
  | 'tls'
  | 'license-server'
  | 'tokens'
  | 'provisioning'
  | 'code'
  | 'phone';

export interface StepPlan {
  readonly id: StepId;
  /** Readable sentence about the action that must succeed in this step. */
  readonly title: string;
  /** Instructions for verifying the step manually. Used if no check covers the step. */
  readonly wouldShow: string;
}

/**
 * Steps by which FortiAuthenticator and the user activate a licence or a token, in order. Fortinet's tips 194050 and
 * 338841 describe the sequence. Each check declares the steps that it covers.
 */
export const STEPS: readonly StepPlan[] = [
  {
    id: 'registration',
    title: 'The licence is registered to this unit and can still be redeemed',
    wouldShow: 'Configure "registration", and set "redeemBy" in appliances[].certificates.',
  },
  {
    id: 'resolver',
    title: 'A resolver returns the address of the licence server',
    wouldShow: 'List the resolvers that FortiAuthenticator uses in "resolvers".',
  },
  {
    id: 'connect',
    title: 'A TCP connection to the licence server opens',
    wouldShow: 'Allow this machine to connect to the licence server.',
  },
  {
    id: 'tls',
    title: 'The TLS certificate is trusted by FortiAuthenticator',
    wouldShow:
      'Allow this machine to connect to the licence server, using the same firewall policy as FortiAuthenticator.',
  },
  {
    id: 'license-server',
    title: 'The licence server answers',
    wouldShow: 'Allow this machine to connect to the licence server.',
  },
  {
    id: 'tokens',
    title: 'FortiAuthenticator has tokens left',
    wouldShow: 'Configure a FortiAuthenticator REST API user in "appliances[].api".',
  },
  {
    id: 'provisioning',
    title: 'FortiAuthenticator itself reaches the licence server',
    wouldShow: 'Send the FortiAuthenticator log to the daemon, and configure "logs.syslog".',
  },
  {
    id: 'code',
    title: 'The activation code reaches the user before it expires',
    wouldShow: 'List the mail servers that FortiAuthenticator uses in "mail".',
  },
  {
    id: 'phone',
    title: 'The phone redeems the code at Fortinet',
    wouldShow: 'Activate one token with a phone, because the network of the phone cannot be checked from here.',
  },
];
