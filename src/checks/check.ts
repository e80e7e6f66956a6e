import type { CertificateRejection } from '../core/polling/log-event.ts';
import type { AgentHealth } from '../core/agent.ts';
import type { ApplianceFacts } from '../core/license/appliance.ts';
import type { FindingText, Assessment, Check, Finding } from '../engine/model.ts';
import type { ConnectorId, Picture } from '../connectors/picture.ts';
import type { WatchedConfig, LicenseServerConfig, ServiceConfig } from '../config/schema/watched.ts';
import type { RoundObservations, PathObservation } from '../core/round.ts';
import type { PollingReport } from '../core/polling/report.ts';
import type { ClockObservation, OwnClock } from '../core/observation.ts';
import type { AnswerFaults } from './intermittent/answers.ts';
import type { Sampling } from './intermittent/sampling.ts';
import type { OtherNames } from './name-resolution/other-names.ts';
import type { JudgedTlsPath, TlsKnowledge, TlsSurroundings } from './tls-genuine/judge-path.ts';
import type { EpochMs } from '../core/clock.ts';

/** Returns a finding's content about a unit, with additional facts. */
export function withAppliance(
  { appliance, system }: ApplianceFacts,
  told: FindingText,
): FindingText & Pick<Finding, 'subject'> {
  return { ...told, subject: appliance, facts: { appliance, serial: system.serial, ...told.facts } };
}

export type Declaration<Id extends string = string, C extends string = string> = Check<Id, C> & {
  readonly place: Place;
  /** Null if no step of an activation depends on the check. */
  readonly step: StepId | null;
  readonly causeSteps?: Readonly<Partial<Record<C, StepId>>>;
  /** The check has a new result if one of these has. */
  readonly sources: readonly CheckSource[];
  /** Pure. Called again if a fact arrives late. */
  readonly judge: (facts: Facts) => Judgement;
};

/** `agent` is the daemon itself. */
export type CheckSource = 'round' | 'log' | 'agent' | ConnectorId;

export type Judgement = Omit<Assessment, 'id'>;

/** Everything that is known when a round is evaluated. */
export interface Facts {
  readonly config: WatchedConfig;
  /** The start of the round. */
  readonly at: EpochMs;
  readonly round: RoundFacts;
  /** Results that are queried less often than once per round. */
  readonly picture: Picture;
  /** The results from after the start of a fault, used to decide between two explanations. Null without a fault. */
  readonly deciding: Picture | null;
  readonly log: LogFacts;
  /** Null if no round has determined it. */
  readonly ownClock: OwnClock | null;
  /** Appliances that are still sending log lines. */
  readonly speaking: readonly string[];
  /** Null in a single round without the daemon. */
  readonly agent: AgentHealth | null;
  /** Checks whose faults were seen only once, because the time ran out. */
  readonly unconfirmed: readonly string[];
}

export interface RoundFacts {
  readonly observations: RoundObservations;
  /** The licence server, then the services in the configured order. */
  readonly targets: readonly [TargetFacts, ...TargetFacts[]];
  readonly clock: readonly ClockObservation[];
  /** Hosts that have responded since ftm-watch was started, as `host:port`. */
  readonly answered: ReadonlySet<string>;
}

export interface TargetFacts {
  readonly path: PathObservation;
  readonly port: number;
  /** Null if the target is a service. */
  readonly licenseServer: LicenseServerConfig | null;
  /** Null if the target is the licence server. */
  readonly service: ServiceConfig | null;
  readonly tls: JudgedTlsPath;
  readonly knowledge: TlsKnowledge;
  readonly surroundings: TlsSurroundings;
  readonly controlHosts: ControlHosts;
  readonly otherNames: OtherNames;
  /** Addresses at which every stage succeeded. */
  readonly clean: readonly string[];
  /** The connections of this and earlier rounds. Empty for a service. */
  readonly sampling: Sampling;
  /** Faults in the DNS answers of this and earlier rounds. Empty for a service. */
  readonly answers: AnswerFaults;
}

/** Results of connections to unrelated hosts, made without a proxy. */
export interface ControlHosts {
  readonly accepting: number;
  /** Number of hosts that refused the connection at every address that was tried. */
  readonly refusing: number;
  readonly tried: number;
}

export type LogFacts = HeardLog | UnheardLog;

export interface HeardLog {
  readonly kind: 'heard';
  readonly report: PollingReport;
  /** Faults that were found in two consecutive rounds, have a confirmed cause, or belong to an incident. */
  readonly faultsSeen: readonly FaultSeen[];
  /**
   * Active faults: those of the previous round, or of an earlier one if the check has been unknown since. For the check
   * of the log itself, those of this round.
   */
  readonly lasting: readonly FaultSeen[];
  /** Addresses of unknown senders whose log lines were rejected. */
  readonly unknownSenders: readonly string[];
  readonly certificateRejections?: readonly CertificateRejection[];
  readonly preconditionOf: (cause: string) => string;
}

/** A current or past fault that causes errors in FortiAuthenticator's log. */
export interface FaultSeen {
  readonly precondition: string;
  /** The only affected appliance. Null if all appliances may be affected. */
  readonly appliance: string | null;
  /** Time of the first of the consecutive rounds that detected the fault. A fault that returns is another fault. */
  readonly since: EpochMs;
  /** Time when the fault was last detected. */
  readonly at: EpochMs;
}

export interface UnheardLog {
  readonly kind: 'unheard';
  readonly reason: string;
  /** True if a log is configured but could not be read. */
  readonly isTrouble: boolean;
}

/** `carries`: traffic to the licence server passes through the stop, unlike FortiAuthenticator's own API. */
export const STOPS = [
  { id: 'fortiauthenticator', name: 'FortiAuthenticator', hint: 'where it starts', carries: false },
  { id: 'resolver', name: 'Resolver', hint: 'finds the address', carries: true },
  { id: 'firewall', name: 'Firewall', hint: 'must not inspect', carries: true },
  { id: 'internet', name: 'Internet', hint: 'the way out', carries: true },
  { id: 'license-server', name: 'Licence server', hint: 'at Fortinet', carries: true },
] as const;

type StopId = (typeof STOPS)[number]['id'];

export type Place =
  | { readonly kind: 'stop'; readonly stop: StopId }
  | { readonly kind: 'branch'; readonly name: string; readonly hint: string }
  /** Not part of the map, because the check concerns ftm-watch itself. */
  | { readonly kind: 'agent' };

/**
 * The steps for activating a licence or a token (Fortinet tips 194050 and 338841). `about`: what a failing step
 * concerns. `wouldShow`: how to verify the step if no check covers it.
 */
export const STEPS = [
  {
    id: 'registration',
    title: 'The licence is registered to this unit and can still be redeemed',
    about: 'registration of the licence',
    wouldShow: 'Configure "registration", and set "redeemBy" in appliances[].certificates.',
  },
  {
    id: 'resolver',
    title: 'A resolver returns the address of the licence server',
    about: 'name resolution',
    wouldShow: 'In "resolvers", list the resolvers that FortiAuthenticator uses.',
  },
  {
    id: 'connect',
    title: 'A TCP connection to the licence server opens',
    about: 'connection to the licence server',
    wouldShow: 'Allow ftm-watch to connect to the licence server.',
  },
  {
    id: 'tls',
    title: 'The TLS certificate is trusted by FortiAuthenticator',
    about: 'TLS to the licence server',
    wouldShow:
      'Allow ftm-watch to connect to the licence server, using the same firewall policy as FortiAuthenticator.',
  },
  {
    id: 'license-server',
    title: 'The licence server answers',
    about: 'answer of the licence server',
    wouldShow: 'Allow ftm-watch to connect to the licence server.',
  },
  {
    id: 'tokens',
    title: 'FortiAuthenticator has tokens left',
    about: 'free tokens',
    wouldShow: 'Configure a FortiAuthenticator REST API user in "appliances[].api".',
  },
  {
    id: 'provisioning',
    title: 'FortiAuthenticator itself reaches the licence server',
    about: "FortiAuthenticator's own connection",
    wouldShow: 'Send the FortiAuthenticator log to the daemon, and configure "logs.syslog".',
  },
  {
    id: 'code',
    title: 'The activation code reaches the user before it expires',
    about: 'delivery of the code',
    wouldShow: 'In "mail", list the mail servers that FortiAuthenticator uses.',
  },
  {
    id: 'phone',
    title: 'The phone redeems the code with Fortinet',
    about: 'redemption on the phone',
    wouldShow: "Activate one token with a phone. The phone's network cannot be checked from here.",
  },
] as const;

export type StepId = (typeof STEPS)[number]['id'];
