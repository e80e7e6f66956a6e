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

/** Adds the appliance to a finding about one whose API answers. */
export function toldOf({ appliance, system }: ApplianceFacts, told: Told): FindingContent<never> {
  return { ...told, subject: appliance, facts: { appliance, serial: system.serial } };
}

/** The complete declaration of a check, which is the only export of its `check.ts`. */
export type Declaration<Id extends string = string, C extends string = string> = Check<Id, C> & {
  readonly place: Place;
  /** The activation step that the check covers. */
  readonly step: StepId;
  /** The activation steps that its causes break, if different. */
  readonly causeSteps?: Readonly<Partial<Record<C, StepId>>>;
  /** Adjusts the result of the round with all other observations. */
  readonly adjust?: (own: Assessment, everything: Everything) => Assessment;
} & Judge;

/** All observations outside the round. */
export interface Everything {
  readonly licenseServer: HostPort;
  readonly picture: Picture;
  /** Null if nothing listened to the log. */
  readonly log: {
    readonly report: PollingReport;
    /** Preconditions that can be the reason for FortiAuthenticator's errors. */
    readonly complainedOf: readonly string[];
  } | null;
  /** Findings about the firewall policies, from answers that are not older than the fault; null if not judged. */
  readonly policies: readonly Finding[] | null;
}

type Judge = TargetJudge | RoundJudge | UnitsJudge | LogJudge;

/** Runs for each target, the licence server first. The licence server determines whether anything was judged. */
interface TargetJudge {
  readonly from: 'target';
  /** Returns null if there was nothing to judge. */
  readonly judge: (facts: TargetFacts) => readonly Finding[] | null;
  /** The good state of the licence server, used if there are no findings. */
  readonly summary: (licenseServer: TargetFacts) => string;
}

interface RoundJudge {
  readonly from: 'round';
  readonly judge: (facts: RoundFacts) => Judgement;
}

/** Judges data that is queried on separate, slower schedules. */
interface UnitsJudge {
  readonly from: 'units';
  /** Connectors whose new data means new data for this precondition. */
  readonly sources: readonly ConnectorId[];
  readonly judge: (facts: UnitFacts) => Judgement;
}

interface LogJudge {
  readonly from: 'log';
  readonly judge: (facts: LogFacts) => Judgement;
}

/** An assessment without the id of its check. */
export type Judgement = Omit<Assessment, 'id'>;

export type LogFacts =
  | {
      readonly kind: 'heard';
      readonly config: WatchedConfig;
      readonly report: PollingReport;
      /** Answers of the FortiGates about the policies for its traffic. */
      readonly firewall: readonly FirewallObservation[];
      /** Data reported by the units themselves. */
      readonly units?: Picture['appliances'];
      /** Notes about what was left out of the report. */
      readonly notes: readonly Finding[];
      /** Unknown senders whose lines were rejected. */
      readonly strangers: readonly string[];
      readonly preconditionOf: (cause: string) => string;
    }
  | ({ readonly kind: 'unheard'; readonly config: WatchedConfig } & Unheard);

/** The reason why nothing listened to the log. */
export interface Unheard {
  readonly reason: string;
  /** There was a log that should have been read. */
  readonly isTrouble: boolean;
}

/** Facts of one round, apart from those about targets. */
export interface RoundFacts {
  readonly config: WatchedConfig;
  readonly round: RoundObservations;
  /** The services that deliver codes, and the findings of the path checks about them. */
  readonly carriers: readonly CarrierFindings[];
  /** The time from NTP servers and HTTP answers. */
  readonly clock: readonly ClockObservation[];
  /** Hosts that have answered in an earlier round since the start, `host:port`. */
  readonly answered: ReadonlySet<string>;
}

/** Facts of one round about one target: the licence server or a service. */
export interface TargetFacts {
  readonly path: PathObservation;
  readonly port: number;
  /** Null if the target is a service. */
  readonly licenseServer: LicenseServerConfig | null;
  /** Verdicts on its certificates, shared by several checks. */
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
  /** The clock to compare the units with; null or absent if the round did not determine it. */
  readonly ownClock?: OwnClock | null;
  /** Names of the appliances whose log is still arriving. */
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
  /** Traffic to the licence server passes through it. FortiAuthenticator's own API may fail while its traffic flows. */
  readonly carries: boolean;
}

/** Position of a check on the route map: at a stop on the path, or on a separate branch. */
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
  /** Human-readable, as an action that has to succeed. */
  readonly title: string;
  /** How to verify the step if no check covers it. */
  readonly wouldShow: string;
}

/**
 * The actions of FortiAuthenticator and the user when a licence or a token is activated, in order. Each check declares
 * which of them it covers. Their sequence is described in Fortinet's tips 194050 and 338841.
 */
export const STEPS: readonly StepPlan[] = [
  {
    id: 'registration',
    title: 'The licence is registered to this unit and may still be redeemed',
    wouldShow: 'Name the registration service in "registration", and "redeemBy" of appliances[].certificates.',
  },
  {
    id: 'resolver',
    title: 'A resolver gives the address of the licence server',
    wouldShow: 'Name the resolvers of FortiAuthenticator in "resolvers".',
  },
  {
    id: 'connect',
    title: 'TCP opens to the licence server',
    wouldShow: 'Let this machine connect to the licence server.',
  },
  {
    id: 'tls',
    title: 'TLS shows a certificate that FortiAuthenticator trusts',
    wouldShow: 'Let this machine connect to the licence server, behind the same policy as FortiAuthenticator.',
  },
  {
    id: 'license-server',
    title: 'The licence server answers',
    wouldShow: 'Let this machine connect to the licence server.',
  },
  {
    id: 'tokens',
    title: 'FortiAuthenticator has tokens left',
    wouldShow: 'Give "appliances[].api" a user of the REST API of FortiAuthenticator.',
  },
  {
    id: 'provisioning',
    title: 'FortiAuthenticator itself reaches the licence server',
    wouldShow: 'Send the log of FortiAuthenticator to the daemon: "logs.syslog".',
  },
  {
    id: 'code',
    title: 'The activation code reaches the user before it ends',
    wouldShow: 'Name the mail servers of FortiAuthenticator in "mail".',
  },
  {
    id: 'phone',
    title: 'The phone redeems the code at Fortinet',
    wouldShow: 'Activate one token with a phone: its own network cannot be seen from here.',
  },
];
