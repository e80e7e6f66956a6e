import { authority, type HostPort } from './addresses.ts';
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

interface RoundFacts {
  readonly path: PathFacts;
  /** Unrelated hosts, which help to distinguish a broken internet connection from a blocked path. */
  readonly controls: readonly PathObservation[];
  readonly mail: readonly MailObservation[];
  readonly ntp: readonly ClockObservation[];
}

export interface RoundObservations extends RoundFacts {
  readonly startedAt: EpochMs;
  /** Local wall clock minus local monotonic clock at the start. The difference changes when the local clock is set. */
  readonly clockBase: Millis;
  readonly durationMs: Millis;
  /** Time for which this process was stalled during the round. */
  readonly stalledMs: Millis;
}

export interface PathFacts {
  readonly licenseServer: PathObservation;
  /** Additional connections to the licence server after a failure, to measure the failure rate. */
  readonly burst: readonly EndpointObservation[];
  /** In the configured order. */
  readonly services: readonly PathObservation[];
  /**
   * A resolver is queried for other names only if its answer for the licence server was an error or an unexpected
   * address. Includes the system resolver's answer for the same name with a trailing dot.
   */
  readonly otherNames?: readonly DnsObservation[];
  /** Connections to the configured addresses, made only if no resolver returned any address. */
  readonly knownAddresses: readonly EndpointObservation[];
}

export interface PathObservation {
  /** As configured, `host:port`. */
  readonly subject: string;
  readonly host: string;
  readonly names: readonly DnsObservation[];
  readonly endpoints: readonly EndpointObservation[];
  /** The licence server's certificates on other paths, which are tried only if the direct path looks wrong. */
  readonly references: readonly ReferenceObservation[];
  /** From this round or a recent one. Present only if TLS to the address is blocked. */
  readonly closer?: CloserLook;
}

/** Expiry date of the certificate that the target presented; of several, the earliest. Null if it presented none. */
export function certificateEnd({ endpoints }: Pick<PathObservation, 'endpoints'>): EpochMs | null {
  const ends = endpoints
    .flatMap(({ tls }) => tls?.chain?.certificates.slice(0, 1) ?? [])
    .map(({ notAfter }) => notAfter);
  return ends.length === 0 ? null : Math.min(...ends);
}

export interface ReferenceObservation {
  /** `tls-1.2`, `tls-1.3`: the newest version that was offered. */
  readonly kind: 'server-name' | 'tls-1.2' | 'tls-1.3';
  /** The name. For a TLS version, the address. */
  readonly label: string;
  readonly outcome: TlsOutcome;
}

export interface ProbeSample extends ProbeTarget {
  readonly durationMs: Millis;
  readonly failure: FailureReason | null;
}

/** Each target has a separate series in metrics and history. */
export interface ProbeTarget {
  /** For example `dns` or `tcp`. The kinds are a closed set. */
  readonly probe: string;
  /** As configured, for example a resolver, `host:port` or a mail server. */
  readonly target: string;
}

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

/** An answer without an address is not a failure. SERVFAIL and REFUSED are failures. */
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

export interface Timed {
  readonly stalledMs: Millis;
}

/** After a longer stall, results reflect the stall instead of the targets. */
const TOLERATED_STALL: Millis = 1_000;

export function isInvalid({ stalledMs }: Timed): boolean {
  return stalledMs > TOLERATED_STALL;
}

/** Another ftm-watch instance's result for the same licence server. */
export type PeerObservation = PeerView | PeerUnreadable;

export interface PeerView {
  readonly kind: 'seen';
  readonly peer: string;
  /** According to the peer's clock. */
  readonly at: EpochMs;
  readonly preconditions: readonly PeerPrecondition[];
  readonly causes: readonly PeerCause[];
}

export interface PeerPrecondition {
  readonly id: string;
  readonly state: string;
  /**
   * True if the result comes from one of the peer's own peers. Such results are ignored, because two instances that
   * trusted each other's results would never clear a fault.
   */
  readonly isHearsay: boolean;
  /** According to the peer's own check, not its peers' checks. */
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
 * The peer is unreachable, refuses access, is outdated, or runs an unsupported version. This proves nothing about the
 * path.
 */
interface PeerUnreadable extends Failure {
  readonly peer: string;
}

/** A peer found a fault that this machine's own check did not find. */
export const PEER_ALONE = 'peer-sees-no-fault';

/** A peer found a fault while this machine's own check was not possible. */
export const PEER_INSTEAD = 'peer-sees-no-fault-instead';
