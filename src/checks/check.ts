import type { ApplianceFacts } from '../core/license/appliance.ts';
import type { FindingContent, Told, Assessment, Check, Finding } from '../engine/model.ts';
import type { ConnectorId, Picture } from '../connectors/picture.ts';
import type { WatchedConfig } from '../config/schema/watched.ts';
import type { RoundObservations, PathObservation } from '../core/round.ts';
import type { FirewallObservation } from '../core/license/firewall.ts';
import type { PollingReport } from '../core/polling/report.ts';
import type { CarrierFindings } from './delivery/judge-carrier.ts';
import type { ClockObservation } from '../core/observation.ts';
import type { LicenseServerConfig } from '../config/schema/path.ts';
import type { OtherNames } from './name-resolution/other-names.ts';
import type { ControlHosts } from './reachability/explain-shut-ports.ts';
import type { JudgedTlsPath, TlsKnowledge, TlsSurroundings } from './tls-genuine/judge-path.ts';
import type { HostPort } from '../core/addresses.ts';
import type { EpochMs } from '../core/clock.ts';
import type { OwnClock } from './clock/estimate.ts';

/** Adds the appliance's name and address to a finding about an appliance whose API answers. */
export function withAppliance({ appliance, system }: ApplianceFacts, told: Told): FindingContent<never> {
  return { ...told, subject: appliance, facts: { appliance, serial: system.serial } };
}

/** The complete declaration of a check. */
export type Declaration<Id extends string = string, C extends string = string> = Check<Id, C> & {
  readonly place: Place;
  /** The activation step that the check covers. */
  readonly step: StepId;
  /** The activation steps that individual causes break, if they differ from `step`. */
  readonly causeSteps?: Readonly<Partial<Record<C, StepId>>>;
  /** Adjusts this check's result, using all other observations. */
  readonly adjust?: (own: Assessment, everything: Everything) => Assessment;
} & Judge;

/** All observations that were not made in the round itself. */
export interface Everything {
  readonly licenseServer: HostPort;
  readonly picture: Picture;
  /** Null if no log is received. */
  readonly log: {
    readonly report: PollingReport;
    /** Preconditions that can explain FortiAuthenticator's errors. */
    readonly complainedOf: readonly string[];
  } | null;
  /** Findings from firewall answers that are at least as recent as the fault; null if no policy was evaluated. */
  readonly policies: readonly Finding[] | null;
}

type Judge = TargetJudge | RoundJudge | UnitsJudge | LogJudge;

/** Runs for each target, starting with the licence server. The state of the check depends on the licence server. */
interface TargetJudge {
  readonly from: 'target';
  /** Returns null if there are no facts to evaluate. */
  readonly judge: (facts: TargetFacts) => readonly Finding[] | null;
  /** The summary that is used if there are no findings about the licence server. */
  readonly summary: (licenseServer: TargetFacts) => string;
}

interface RoundJudge {
  readonly from: 'round';
  readonly judge: (facts: RoundFacts) => Judgement;
}

/** Evaluates data that is queried on separate, slower schedules. */
interface UnitsJudge {
  readonly from: 'units';
  /** Connectors whose data this precondition is evaluated from. */
  readonly sources: readonly ConnectorId[];
  readonly judge: (facts: UnitFacts) => Judgement;
}

interface LogJudge {
  readonly from: 'log';
  readonly judge: (facts: LogFacts) => Judgement;
}

/** An assessment without the check's id. */
export type Judgement = Omit<Assessment, 'id'>;

export type LogFacts =
  | {
      readonly kind: 'heard';
      readonly config: WatchedConfig;
      readonly report: PollingReport;
      /** FortiGates' answers about the policies for FortiAuthenticator's traffic. */
      readonly firewall: readonly FirewallObservation[];
      /** Data that the units themselves report. */
      readonly units?: Picture['appliances'];
      /** Notes about data that was left out of the report. */
      readonly notes: readonly Finding[];
      /** Unknown senders whose lines were rejected. */
      readonly strangers: readonly string[];
      readonly preconditionOf: (cause: string) => string;
    }
  | ({ readonly kind: 'unheard'; readonly config: WatchedConfig } & Unheard);

/** The reason why no log is received. */
export interface Unheard {
  readonly reason: string;
  /** True if a log is configured that should have been read. */
  readonly isTrouble: boolean;
}

/** Facts from one round, except facts about targets. */
export interface RoundFacts {
  readonly config: WatchedConfig;
  readonly round: RoundObservations;
  /** The services that deliver codes, and the path checks' findings about these services. */
  readonly carriers: readonly CarrierFindings[];
  /** The time from NTP servers and HTTP answers. */
  readonly clock: readonly ClockObservation[];
  /** Hosts that have answered in an earlier round since ftm-watch was started, as `host:port`. */
  readonly answered: ReadonlySet<string>;
}

/** Facts from one round about one target, which is the licence server or a service. */
export interface TargetFacts {
  readonly path: PathObservation;
  readonly port: number;
  /** Null if the target is a service. */
  readonly licenseServer: LicenseServerConfig | null;
  /** Verdicts on the target's certificates, shared by several checks. */
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
  /** The clock that the units are compared with; null or absent if the round did not determine it. */
  readonly ownClock?: OwnClock | null;
  /** Names of the appliances whose log lines still arrive. */
  readonly speaking: readonly string[];
}

type StopId = 'fortiauthenticator' | 'resolver' | 'firewall' | 'internet' | 'license-server';

/** The stops on the network path of an activation, in order. */
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
  /** Whether traffic to the licence server passes through the stop. False for FortiAuthenticator's own API. */
  readonly carries: boolean;
}

/** The position of a check on the route map, either at a stop on the path or on a separate branch. */
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
  /** The action that has to succeed, as a human-readable sentence. */
  readonly title: string;
  /** How to verify the step if no check covers it. */
  readonly wouldShow: string;
}

/**
 * The steps that FortiAuthenticator and the user take to activate a licence or a token, in order. Each check declares
 * the steps that it covers. Fortinet's tips 194050 and 338841 describe the sequence.
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
