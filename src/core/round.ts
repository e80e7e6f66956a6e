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

/** The observations of one round, before they are judged. */
interface RoundFacts {
  readonly path: PathFacts;
  /** Unrelated hosts, used to distinguish a broken internet connection from a blocked path. */
  readonly controls: readonly PathObservation[];
  /** Mail servers that FortiAuthenticator uses to send activation codes. */
  readonly mail: readonly MailObservation[];
  /** Time from NTP servers. */
  readonly ntp: readonly ClockObservation[];
}

export interface RoundObservations extends RoundFacts {
  readonly startedAt: EpochMs;
  /** Local wall clock minus local monotonic clock at the start of the round. Changes when the local clock is set. */
  readonly clockBase: Millis;
  readonly durationMs: Millis;
  /** Time during which this process was stalled in the round. */
  readonly stalledMs: Millis;
}

/** The paths to the servers that FortiAuthenticator uses, before they are judged. */
export interface PathFacts {
  readonly licenseServer: PathObservation;
  /** Additional connections to the licence server, made immediately after a failure to measure the failure rate. */
  readonly burst: readonly EndpointObservation[];
  /** In the order of the configuration. */
  readonly services: readonly PathObservation[];
  /** Connect times of control hosts, measured again only if the licence server refuses connections. */
  readonly controlConnects?: readonly Millis[];
  /**
   * A resolver's answers for other names. Other names are queried only if the answer for the licence server was an
   * error or an unexpected address. Also includes the system resolver's answer for the same name with a trailing dot.
   */
  readonly otherNames?: readonly DnsObservation[];
  /** Configured addresses of the licence server, used because no resolver returned any address. */
  readonly knownAddresses: readonly EndpointObservation[];
}

/** The path to one host: the DNS answers for its name, and a connection to each of its addresses. */
export interface PathObservation {
  /** `host:port` as it is configured. */
  readonly subject: string;
  readonly host: string;
  readonly names: readonly DnsObservation[];
  readonly endpoints: readonly EndpointObservation[];
  /** The licence server's certificate as received on other paths, requested only if the direct path looks wrong. */
  readonly references: readonly ReferenceObservation[];
  /** Present only if TLS to an address is blocked. The result is from this round or from a recent round. */
  readonly closer?: CloserLook;
}

export interface ReferenceObservation {
  readonly kind: 'server-name' | 'resolver' | 'proxy' | 'tls-1.2';
  /** Readable label, which contains the name, the resolver or the proxy. For `tls-1.2`, the label is the address. */
  readonly label: string;
  /**
   * Whether the certificate was received in this round, so that it can be compared with the direct path. Otherwise, the
   * certificate is from an earlier round and still valid.
   */
  readonly isFresh: boolean;
  readonly outcome: TlsOutcome;
  /** Only for `tls-1.2`. Contains the chain that the same address sent in TLS 1.3 at that time. */
  readonly beside?: CapturedChain;
  /**
   * Only for `tls-1.2`. Further connections with both versions, in mixed order, made if the first two chains differed.
   */
  readonly again?: VersionSeries;
}

/** Results of connections, by the highest TLS version that was offered. */
export interface VersionSeries {
  readonly older: readonly TlsOutcome[];
  readonly newer: readonly TlsOutcome[];
}

/** One run of a probe, as counted in metrics and history. */
export interface ProbeSample extends ProbeTarget {
  readonly durationMs: Millis;
  /** Null if the target responded. */
  readonly failure: FailureReason | null;
}

/** A target that has its own series in metrics and history. */
export interface ProbeTarget {
  /** Kind of probe, for example `dns` or `tcp`. The kinds are a closed set that is defined in code. */
  readonly probe: string;
  /** A target from the configuration: a resolver, `host:port`, or a mail server. */
  readonly target: string;
}

/** Returns a round's samples for metrics and history. */
export function samplesOf({ path, controls, mail, ntp }: RoundFacts): readonly ProbeSample[] {
  const paths = [path.licenseServer, ...path.services, ...controls];
  return [
    // Paths to the same host share their DNS answers.
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

/** An observation that records how long this process was stalled in the meantime. */
export interface Timed {
  readonly stalledMs: Millis;
}

/**
 * Maximum stall that is tolerated. After a longer stall of this process, results reflect the stall instead of the
 * targets.
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
   * Whether the peer's result comes from one of its own peers. If two instances trusted each other's results, neither
   * would ever clear a fault.
   */
  readonly isHearsay: boolean;
  /** Whether the peer's own check found no fault, regardless of the results of its peers. */
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
 * The peer is unreachable, refuses access, is outdated, or has an unsupported version. Such a result proves nothing
 * about the path.
 */
interface PeerUnreadable extends Failure {
  readonly peer: string;
}

/** Rule for a fault that was found by a peer, but not by this machine's own check. */
export const PEER_ALONE = 'peer-sees-no-fault';

/** Rule for a fault that was found by a peer when this machine's own check was not possible. */
export const PEER_INSTEAD = 'peer-sees-no-fault-instead';
