import type { ApplianceFacts } from '../core/license/appliance.ts';
import type { FindingContent, Told, Assessment, Check, Finding } from '../engine/model.ts';
import type { ConnectorId, Picture } from '../connectors/picture.ts';
import type { WatchedConfig } from '../config/schema/watched.ts';
import type { RoundObservations } from '../core/round.ts';
import type { FirewallObservation } from '../core/license/firewall.ts';
import type { PollingReport } from '../core/polling/report.ts';
import type { CarrierFindings } from './delivery/judge-carrier.ts';
import type { ClockObservation } from '../core/observation.ts';
import type { LicenseServerConfig } from '../config/schema/path.ts';
import type { PathObservation } from '../core/round.ts';
import type { OtherNames } from './name-resolution/other-names.ts';
import type { ControlHosts } from './reachability/explain-shut-ports.ts';
import type { JudgedTlsPath, TlsKnowledge, TlsSurroundings } from './tls-genuine/judge-path.ts';
import type { HostPort } from '../core/addresses.ts';
import type { EpochMs } from '../core/clock.ts';
import type { OwnClock } from './clock/estimate.ts';

/** What was found at an appliance that answers. */
export function toldOf({ appliance, system }: ApplianceFacts, told: Told): FindingContent<never> {
  return { ...told, subject: appliance, facts: { appliance, serial: system.serial } };
}

/** All that a check says of itself: the one export of its `check.ts`. */
export type Declaration<Id extends string = string, C extends string = string> = Check<Id, C> & {
  readonly place: Place;
  /** The step of an activation that it watches. */
  readonly step: StepId;
  /** The steps that its causes break, where it is another one. */
  readonly causeSteps?: Readonly<Partial<Record<C, StepId>>>;
  /** What else was found out changes what the round found out. */
  readonly adjust?: (own: Assessment, everything: Everything) => Assessment;
} & Judge;

/** All that was found out besides the round. */
export interface Everything {
  readonly licenseServer: HostPort;
  readonly picture: Picture;
  /** Null: nobody listened. */
  readonly log: {
    readonly report: PollingReport;
    /** The preconditions that can be the matter, for what FortiAuthenticator complains of. */
    readonly complainedOf: readonly string[];
  } | null;
  /** What the firewall policies are found to do, by answers that are no older than the fault; null: not judged. */
  readonly policies: readonly Finding[] | null;
}

type Judge = TargetJudge | RoundJudge | UnitsJudge | LogJudge;

/** It is repeated for each target: the licence server first, which decides whether anything was judged. */
interface TargetJudge {
  readonly from: 'target';
  /** Null: there was nothing to judge. */
  readonly judge: (facts: TargetFacts) => readonly Finding[] | null;
  /** What holds of the licence server when there is no finding. */
  readonly summary: (licenseServer: TargetFacts) => string;
}

interface RoundJudge {
  readonly from: 'round';
  readonly judge: (facts: RoundFacts) => Judgement;
}

/** What is asked on slower schedules of its own. */
interface UnitsJudge {
  readonly from: 'units';
  /** Which of them it judges: news of these are news of its precondition. */
  readonly sources: readonly ConnectorId[];
  readonly judge: (facts: UnitFacts) => Judgement;
}

interface LogJudge {
  readonly from: 'log';
  readonly judge: (facts: LogFacts) => Judgement;
}

/** An assessment by the check that it belongs to. */
export type Judgement = Omit<Assessment, 'id'>;

export type LogFacts =
  | {
      readonly kind: 'heard';
      readonly config: WatchedConfig;
      readonly report: PollingReport;
      /** What the FortiGates said of the policies for its traffic. */
      readonly firewall: readonly FirewallObservation[];
      /** What the units say of themselves. */
      readonly units?: Picture['appliances'];
      /** What was left out of the report, as notes. */
      readonly notes: readonly Finding[];
      /** Unknown senders whose lines were refused. */
      readonly strangers: readonly string[];
      /** The precondition that a cause breaks. */
      readonly preconditionOf: (cause: string) => string;
    }
  | ({ readonly kind: 'unheard'; readonly config: WatchedConfig } & Unheard);

/** Why nobody has listened. */
export interface Unheard {
  readonly reason: string;
  /** There is something that should have been read. */
  readonly isTrouble: boolean;
}

/** What one round knows beside the targets. */
export interface RoundFacts {
  readonly config: WatchedConfig;
  readonly round: RoundObservations;
  /** The services that carry codes, and what the checks of the path found at them. */
  readonly carriers: readonly CarrierFindings[];
  /** The time as NTP servers and HTTP answers told it. */
  readonly clock: readonly ClockObservation[];
  /** Hosts that have answered in a round before this one since the start, `host:port`. */
  readonly answered: ReadonlySet<string>;
}

/** What one round knows of one target: the licence server or a service. */
export interface TargetFacts {
  readonly path: PathObservation;
  readonly port: number;
  /** Null: the target is a service. */
  readonly licenseServer: LicenseServerConfig | null;
  /** The verdicts on its certificates, which its readers share. */
  readonly tls: JudgedTlsPath;
  readonly knowledge: TlsKnowledge;
  readonly surroundings: TlsSurroundings;
  readonly controlHosts: ControlHosts;
  readonly otherNames: OtherNames;
}

export interface UnitFacts {
  readonly config: WatchedConfig;
  readonly picture: Picture;
  /** When the round began. */
  readonly at: EpochMs;
  /** What the clocks of the units are compared with; null or absent: the round did not find it out. */
  readonly ownClock?: OwnClock | null;
  /** Names of the appliances whose log has arrived until now. */
  readonly speaking: readonly string[];
}

type StopId = 'fortiauthenticator' | 'resolver' | 'firewall' | 'internet' | 'license-server';

/** The stops of the way that an activation takes through the network, in order. */
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
  /** Traffic to the licence server goes through it. FortiAuthenticator's own API may fail while its traffic flows. */
  readonly carries: boolean;
}

/** Where a check stands on the route map: at a stop of the way, or as a branch of its own beside it. */
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
  /** For a person, as what has to happen. */
  readonly title: string;
  /** How to see it where no check looks at it. */
  readonly wouldShow: string;
}

/**
 * What FortiAuthenticator and the user do when a licence or a token is activated, in order. A check says which of them
 * it watches; how they follow one another is in Fortinet's tips 194050 and 338841.
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
