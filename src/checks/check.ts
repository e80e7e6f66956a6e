import type { CertificateRejection } from '../core/polling/log-event.ts';
import type { AgentHealth } from '../core/agent.ts';
import type { ApplianceFacts } from '../core/license/appliance.ts';
import type { FindingText, Assessment, Check, Finding } from '../engine/model.ts';
import type { ConnectorId, Picture } from '../connectors/picture.ts';
import type { WatchedConfig, Carrier, LicenseServerConfig } from '../config/schema/watched.ts';
import type { RoundObservations, PathObservation } from '../core/round.ts';
import type { FirewallObservation } from '../core/license/firewall.ts';
import type { PollingReport } from '../core/polling/report.ts';
import type { FaultSeen } from './polling/explained.ts';
import type { Severity } from '../core/severity.ts';
import type { ClockObservation, OwnClock } from '../core/observation.ts';
import type { OtherNames } from './name-resolution/other-names.ts';
import type { JudgedTlsPath, TlsKnowledge, TlsSurroundings } from './tls-genuine/judge-path.ts';
import type { HostPort } from '../core/addresses.ts';
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
  /** Changes this check's own result, based on observations from outside the round. */
  readonly adjust?: (own: Assessment, outside: OutsideFacts) => Assessment;
} & Judge;

export interface OutsideFacts {
  readonly licenseServer: HostPort;
  readonly picture: Picture;
  readonly log: {
    readonly report: PollingReport;
    /** Preconditions whose failure would explain the errors in FortiAuthenticator's log. */
    readonly complainedOf: readonly string[];
  } | null;
  /** Findings from firewall responses that are at least as recent as the fault. Null if no policy was evaluated. */
  readonly policies: readonly Finding[] | null;
}

type Judge =
  /** A check that runs for each target. Only the licence server's result determines the check's state. */
  | {
      readonly from: 'target';
      /**
       * Null if there was nothing to evaluate, in which case the precondition is unknown. If the list is empty, the
       * precondition is OK.
       */
      readonly judge: (facts: TargetFacts) => readonly Finding[] | null;
      /** Summary if there are no findings about the licence server. */
      readonly summary: (licenseServer: TargetFacts) => string;
      readonly delegate?: (licenseServer: TargetFacts) => Assessment['delegate'];
    }
  | { readonly from: 'round'; readonly judge: (facts: RoundFacts) => Judgement }
  /** A check based on data that is queried less often than once per round. */
  | {
      readonly from: 'units';
      readonly sources: readonly ConnectorId[];
      readonly judge: (facts: UnitFacts) => Judgement;
    }
  | { readonly from: 'log'; readonly judge: (facts: LogFacts) => Judgement }
  /** A check of the daemon itself. A single round has no daemon, so the check is then not configured. */
  | { readonly from: 'agent'; readonly judge: (facts: AgentHealth) => Judgement };

export type Judgement = Omit<Assessment, 'id'>;

export type LogFacts =
  | {
      readonly kind: 'heard';
      readonly config: WatchedConfig;
      readonly report: PollingReport;
      readonly firewall: readonly FirewallObservation[];
      readonly units?: Picture['appliances'];
      readonly peers?: Picture['peers'];
      readonly faultsSeen: readonly FaultSeen[];
      /** Faults of the other checks that are active. */
      readonly lasting: readonly FaultSeen[];
      /** Addresses of unknown senders whose log lines were rejected. */
      readonly unknownSenders: readonly string[];
      readonly certificateRejections?: readonly CertificateRejection[];
      readonly preconditionOf: (cause: string) => string;
    }
  | ({ readonly kind: 'unheard'; readonly config: WatchedConfig } & Unheard);

export interface Unheard {
  readonly reason: string;
  /** True if a log is configured but could not be read. */
  readonly isTrouble: boolean;
}

export interface RoundFacts {
  readonly config: WatchedConfig;
  readonly round: RoundObservations;
  /** Services that deliver codes. */
  readonly carriers: readonly CarrierFindings[];
  readonly clock: readonly ClockObservation[];
  /** Hosts that have responded since ftm-watch was started, as `host:port`. */
  readonly answered: ReadonlySet<string>;
}

/** What the path checks found about a host that delivers codes. */
export interface CarrierFindings {
  readonly carries: Carrier;
  readonly host: string;
  readonly port: number;
  readonly severity: Severity;
  /** By check. Null if there was nothing to evaluate. */
  readonly found: Readonly<Record<string, readonly Finding[] | null>>;
}

export interface TargetFacts {
  readonly path: PathObservation;
  readonly port: number;
  /** Null if the target is a service rather than the licence server. */
  readonly licenseServer: LicenseServerConfig | null;
  readonly tls: JudgedTlsPath;
  readonly knowledge: TlsKnowledge;
  readonly surroundings: TlsSurroundings;
  readonly controlHosts: ControlHosts;
  readonly otherNames: OtherNames;
}

/** Results of connections to unrelated hosts, made without a proxy. */
export interface ControlHosts {
  readonly accepting: number;
  /** Number of hosts that refused the connection at every address that was tried. */
  readonly refusing: number;
  readonly tried: number;
}

export interface UnitFacts {
  readonly config: WatchedConfig;
  readonly picture: Picture;
  readonly at: EpochMs;
  /** Null or absent if the round did not determine it. */
  readonly ownClock?: OwnClock | null;
  /** Appliances that are still sending log lines. */
  readonly speaking: readonly string[];
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
    wouldShow: 'Allow this machine to connect to the licence server.',
  },
  {
    id: 'tls',
    title: 'The TLS certificate is trusted by FortiAuthenticator',
    about: 'TLS to the licence server',
    wouldShow:
      'Allow this machine to connect to the licence server, using the same firewall policy as FortiAuthenticator.',
  },
  {
    id: 'license-server',
    title: 'The licence server answers',
    about: 'answer of the licence server',
    wouldShow: 'Allow this machine to connect to the licence server.',
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
