import { authority, type HostPort } from './addresses.ts';
import type { CapturedChain } from './certificate.ts';
import type { Millis, EpochMs } from './clock.ts';
import type {
  ClockObservation,
  CloserLook,
  DnsObservation,
  DnsReply,
  EndpointObservation,
  Failure,
  FailureReason,
  HttpOutcome,
  MailObservation,
  TlsOutcome,
} from './observation.ts';

/** Observations from one round, before they are evaluated. */
interface RoundFacts {
  readonly path: PathFacts;
  /**
   * Observations of unrelated hosts. Unrelated hosts help to distinguish a broken internet connection from a blocked
   * path.
   */
  readonly controls: readonly PathObservation[];
  /** Observations of the mail servers through which FortiAuthenticator sends activation codes. */
  readonly mail: readonly MailObservation[];
  /** Time readings from NTP servers. */
  readonly ntp: readonly ClockObservation[];
}

export interface RoundObservations extends RoundFacts {
  readonly startedAt: EpochMs;
  /**
   * Local wall clock minus local monotonic clock at the start of the round. The difference changes when the local clock
   * is set.
   */
  readonly clockBase: Millis;
  readonly durationMs: Millis;
  /** Time for which this process was stalled during the round. */
  readonly stalledMs: Millis;
}

/** Observations of the network paths to the servers that FortiAuthenticator uses, before they are evaluated. */
export interface PathFacts {
  readonly licenseServer: PathObservation;
  /** Additional connections to the licence server, made immediately after a failure to measure the failure rate. */
  readonly burst: readonly EndpointObservation[];
  /** Paths to the services, in the configured order. */
  readonly services: readonly PathObservation[];
  /**
   * Additional connect times of control hosts. Connect times are measured again only if the licence server refuses
   * connections.
   */
  readonly controlConnects?: readonly Millis[];
  /**
   * DNS answers for other names. A resolver is queried for other names only if its answer for the licence server was an
   * error or an unexpected address. The list also includes the system resolver's answer for the same name with a
   * trailing dot.
   */
  readonly otherNames?: readonly DnsObservation[];
  /** Connections to the licence server's configured addresses. Used only if no resolver returned any address. */
  readonly knownAddresses: readonly EndpointObservation[];
}

/**
 * Observations of the path to one host. Contains the DNS answers for its name, and the result of a connection to each
 * of its addresses.
 */
export interface PathObservation {
  /** Configured host, as `host:port`. */
  readonly subject: string;
  readonly host: string;
  readonly names: readonly DnsObservation[];
  readonly endpoints: readonly EndpointObservation[];
  /**
   * Certificates that the licence server presented on other paths. Other paths are tried only if the direct path looks
   * wrong.
   */
  readonly references: readonly ReferenceObservation[];
  /** Results of additional tests from this round or a recent one. Present only if TLS to the address is blocked. */
  readonly closer?: CloserLook;
}

export interface ReferenceObservation {
  readonly kind: 'server-name' | 'resolver' | 'proxy' | 'tls-1.2';
  /** Readable label that contains the name, the resolver or the proxy. For `tls-1.2`, the label is the address. */
  readonly label: string;
  /**
   * True if the certificate was received in this round. False if it is from an earlier round but still usable for
   * comparison.
   */
  readonly isFresh: boolean;
  readonly outcome: TlsOutcome;
  /** Chain that the same address sent over TLS 1.3 at that time. Present only for `tls-1.2`. */
  readonly beside?: CapturedChain;
  /**
   * Further connections with both TLS versions, in mixed order. Present only for `tls-1.2`, if the first two chains
   * differed.
   */
  readonly again?: VersionSeries;
}

/** Results of connections, by the highest TLS version that was offered. */
export interface VersionSeries {
  readonly older: readonly TlsOutcome[];
  readonly newer: readonly TlsOutcome[];
}

/** Result of a single probe, as counted in metrics and history. */
export interface ProbeSample extends ProbeTarget {
  readonly durationMs: Millis;
  /** Reason for the failure. Null if the target responded. */
  readonly failure: FailureReason | null;
}

/** A probe target with a separate series in metrics and history. */
export interface ProbeTarget {
  /** Kind of probe, for example `dns` or `tcp`. The kinds are a closed set, which is defined in the code. */
  readonly probe: string;
  /** Configured target, such as a resolver, `host:port` or a mail server. */
  readonly target: string;
}

/** Returns a round's samples for metrics and history. */
export function samplesOf({ path, controls, mail, ntp }: RoundFacts): readonly ProbeSample[] {
  const paths = [path.licenseServer, ...path.services, ...controls];
  return [
    // Paths to the same host share their DNS answers, so that each answer is counted once.
    ...[...new Set(paths.flatMap(({ names }) => names))].flatMap(dnsSamples),
    ...paths.flatMap(({ endpoints }) => endpoints.flatMap(endpointSamples)),
    ...mail.map(({ server, outcome }) => sampleOf('mail', server, outcome)),
    ...ntp.map(ntpSample),
  ];
}

/** Returns the probes that run for the path to a host. */
export function pathProbes(host: HostPort): readonly ProbeTarget[] {
  return ['tcp', 'tls', 'http'].map((probe) => ({ probe, target: authority(host) }));
}

function dnsSamples({ resolver, a, aaaa }: DnsObservation): readonly ProbeSample[] {
  return [a, aaaa].map((reply) => ({
    probe: 'dns',
    target: resolver,
    durationMs: reply.durationMs,
    failure: dnsFailure(reply),
  }));
}

/**
 * Returns the failure of a DNS query. An answer without an address is not a failure. SERVFAIL and REFUSED are failures.
 */
function dnsFailure(reply: DnsReply): FailureReason | null {
  if (reply.kind === 'failed') return reply.reason;
  return reply.rcode === 'NOERROR' || reply.rcode === 'NXDOMAIN' ? null : 'rejected';
}

function endpointSamples({ target, tcp, tls, http }: EndpointObservation): readonly ProbeSample[] {
  return [
    sampleOf('tcp', target, tcp),
    ...(tls === null ? [] : [sampleOf('tls', target, tls)]),
    ...(http === null ? [] : [httpSample(target, http)]),
  ];
}

function httpSample(target: string, http: HttpOutcome): ProbeSample {
  const answered = sampleOf('http', target, http);
  return http.kind === 'response' && http.status >= 500 ? { ...answered, failure: 'rejected' } : answered;
}

function sampleOf(
  probe: string,
  target: string,
  outcome: Failure | { readonly kind: string; readonly durationMs: Millis },
): ProbeSample {
  return { probe, target, durationMs: outcome.durationMs, failure: 'reason' in outcome ? outcome.reason : null };
}

function ntpSample({ source, outcome }: ClockObservation): ProbeSample {
  return outcome.kind === 'failed'
    ? sampleOf('ntp', source, outcome)
    : { probe: 'ntp', target: source, durationMs: 2 * outcome.precisionMs, failure: null };
}

/** An observation that also records for how long this process was stalled. */
export interface Timed {
  readonly stalledMs: Millis;
}

/**
 * Longest process stall that does not invalidate a round. After a longer stall, results reflect the stall instead of
 * the targets.
 */
const TOLERATED_STALL: Millis = 1_000;

/** Reports whether a round is unusable because this process was stalled. */
export function isInvalid({ stalledMs }: Timed): boolean {
  return stalledMs > TOLERATED_STALL;
}

/** Another ftm-watch instance's result for the same licence server. */
export type PeerObservation = PeerView | PeerUnreadable;

export interface PeerView {
  readonly kind: 'seen';
  /** Configured name of the peer. */
  readonly peer: string;
  /** Time of the peer's check, according to the peer's clock. */
  readonly at: EpochMs;
  readonly preconditions: readonly PeerPrecondition[];
  readonly causes: readonly PeerCause[];
}

export interface PeerPrecondition {
  readonly id: string;
  readonly state: string;
  /**
   * True if the peer's result comes from one of its own peers. Such results are ignored, because two instances that
   * trusted each other's results would never clear a fault.
   */
  readonly isHearsay: boolean;
  /** True if the peer's own check found no fault. Results from the peer's own peers are ignored. */
  readonly seesNoFault: boolean;
}

export interface PeerCause {
  readonly id: string;
  readonly precondition: string;
  readonly confidence: 'confirmed' | 'suspected';
  readonly severity: 'critical' | 'warning' | 'info';
  readonly subject: string;
  readonly product: string | null;
  readonly summary: string;
}

/**
 * Result for a peer that is unreachable, refuses access, is outdated, or has an unsupported version. Such a result
 * proves nothing about the network path.
 */
interface PeerUnreadable extends Failure {
  readonly peer: string;
}

/** Rule for a fault that a peer found although this machine's own check did not. */
export const PEER_ALONE = 'peer-sees-no-fault';

/** Rule for a fault that a peer found while this machine's own check was not possible. */
export const PEER_INSTEAD = 'peer-sees-no-fault-instead';
