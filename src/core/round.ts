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
  /** Unrelated hosts, to distinguish a dead uplink from a blocked path. */
  readonly controls: readonly PathObservation[];
  /** The mail servers through which FortiAuthenticator sends activation codes. */
  readonly mail: readonly MailObservation[];
  /** Time from NTP servers. */
  readonly ntp: readonly ClockObservation[];
}

export interface RoundObservations extends RoundFacts {
  readonly startedAt: EpochMs;
  /** Our wall clock minus our monotonic clock at the start. Changes when our clock is set. */
  readonly clockBase: Millis;
  readonly durationMs: Millis;
  /** How long this process stalled during the round. */
  readonly stalledMs: Millis;
}

/** The paths to the servers that FortiAuthenticator uses, before they are judged. */
export interface PathFacts {
  readonly licenseServer: PathObservation;
  /** Additional connections to it, made immediately after a failure to measure how many fail. */
  readonly burst: readonly EndpointObservation[];
  /** In the order of the configuration. */
  readonly services: readonly PathObservation[];
  /** Connect times of control hosts that were measured again, only if the licence server refuses. */
  readonly controlConnects?: readonly Millis[];
  /**
   * A resolver's answers for other names, queried only if its answer for the licence server was an error or an
   * unexpected address. Also the system resolver's answer for the same name with a trailing dot.
   */
  readonly otherNames?: readonly DnsObservation[];
  /** Addresses of the licence server from the configuration, used because no resolver returned any. */
  readonly knownAddresses: readonly EndpointObservation[];
}

/** The path to one host: its name as resolved, then each of its addresses. */
export interface PathObservation {
  /** `host:port`, as configured. */
  readonly subject: string;
  readonly host: string;
  readonly names: readonly DnsObservation[];
  readonly endpoints: readonly EndpointObservation[];
  /** The licence server's certificate as seen on other paths, obtained only if the direct path looks wrong. */
  readonly references: readonly ReferenceObservation[];
  /** Set only if TLS to an address is blocked. It is from this round or from a recent one. */
  readonly closer?: CloserLook;
}

export interface ReferenceObservation {
  readonly kind: 'server-name' | 'resolver' | 'proxy' | 'tls-1.2';
  /** For people: the name, resolver or proxy; for `tls-1.2` the address. */
  readonly label: string;
  /**
   * True if observed in this round, so that it can be compared with the direct path. Otherwise it is from an earlier
   * check that is still valid.
   */
  readonly isFresh: boolean;
  readonly outcome: TlsOutcome;
  /** For `tls-1.2`: the chain that the same address sent in TLS 1.3 at that time. */
  readonly beside?: CapturedChain;
  /** For `tls-1.2`: further connections with both versions, in mixed order, made if the first ones differed. */
  readonly again?: VersionSeries;
}

/** Results of connections, by the highest TLS version that they offered. */
export interface VersionSeries {
  readonly older: readonly TlsOutcome[];
  readonly newer: readonly TlsOutcome[];
}

/** One run of one probe, as counted by metrics and history. */
export interface ProbeSample extends ProbeTarget {
  readonly durationMs: Millis;
  /** Null if it answered. */
  readonly failure: FailureReason | null;
}

/** One series in metrics and history. */
export interface ProbeTarget {
  /** Kind of probe, such as `dns` or `tcp`. A closed set that is defined in code. */
  readonly probe: string;
  /** Only from the configuration: a resolver, `host:port`, a mail server. */
  readonly target: string;
}

/** Returns the samples that metrics and history count for a round. */
export function samplesOf({ path, controls, mail, ntp }: RoundFacts): readonly ProbeSample[] {
  const paths = [path.licenseServer, ...path.services, ...controls];
  return [
    // Paths to the same host share the DNS answers.
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

/** An answer without an address is not a failure, but SERVFAIL and REFUSED are. */
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

/** An observation that records how long this process stalled during it. */
export interface Timed {
  readonly stalledMs: Millis;
}

/** A process that stalled for longer than this measured itself, not its targets. */
const TOLERATED_STALL: Millis = 1_000;

/** Reports whether a round is unusable because this process stalled during it. */
export function isInvalid({ stalledMs }: Timed): boolean {
  return stalledMs > TOLERATED_STALL;
}

/** Another ftm-watch instance's view of the same licence server. */
export type PeerObservation = PeerView | PeerUnreadable;

export interface PeerView {
  readonly kind: 'seen';
  /** Its configured name. */
  readonly peer: string;
  /** Time of its check, by its own clock. */
  readonly at: EpochMs;
  readonly preconditions: readonly PeerPrecondition[];
  readonly causes: readonly PeerCause[];
}

export interface PeerPrecondition {
  readonly id: string;
  readonly state: string;
  /**
   * Its result comes from one of its own peers. Two instances that trusted each other's results would never clear them.
   */
  readonly isHearsay: boolean;
  /** Its own check found no fault, regardless of its peers. */
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

/** Unreachable, refusing, outdated, or of an unsupported version. It proves nothing about the path. */
interface PeerUnreadable extends Failure {
  readonly peer: string;
}

/** Rule for a fault that a peer sees although this machine's own check found none. */
export const PEER_ALONE = 'peer-sees-no-fault';

/** The same, but this machine could not check for itself. */
export const PEER_INSTEAD = 'peer-sees-no-fault-instead';
