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

/** What one round saw, before anybody judged it. */
interface RoundFacts {
  readonly path: PathFacts;
  /** Unrelated hosts: they tell a dead uplink from a path that is blocked. */
  readonly controls: readonly PathObservation[];
  /** The mail servers that FortiAuthenticator sends activation codes through. */
  readonly mail: readonly MailObservation[];
  /** The time of NTP servers. */
  readonly ntp: readonly ClockObservation[];
}

export interface RoundObservations extends RoundFacts {
  readonly startedAt: EpochMs;
  /** Our wall clock minus our monotonic clock when it began: it changes when our clock is set. */
  readonly clockBase: Millis;
  readonly durationMs: Millis;
  /** How long this process itself stood still during the round. */
  readonly stalledMs: Millis;
}

/** The paths to what FortiAuthenticator talks to, before anybody judged them. */
export interface PathFacts {
  readonly licenseServer: PathObservation;
  /** Further connections to it, made at once after a failure to learn how many fail. */
  readonly burst: readonly EndpointObservation[];
  /** In the order of the configuration. */
  readonly services: readonly PathObservation[];
  /** Connect times of control hosts that were measured once more, only when the licence server refuses. */
  readonly controlConnects?: readonly Millis[];
  /**
   * What a resolver says of other names, asked only where it answered for the licence server with an error or a strange
   * address; and the system's of the same name with a dot at its end.
   */
  readonly otherNames?: readonly DnsObservation[];
  /** Addresses of the licence server known from the configuration, dialled because no resolver gave any. */
  readonly knownAddresses: readonly EndpointObservation[];
}

/** The path to one host: its names as resolved, then each of its addresses. */
export interface PathObservation {
  /** `host:port`, as configured. */
  readonly subject: string;
  readonly host: string;
  readonly names: readonly DnsObservation[];
  readonly endpoints: readonly EndpointObservation[];
  /** The licence server's certificate by other ways, taken only when the straight way looks wrong. */
  readonly references: readonly ReferenceObservation[];
  /** Taken only when TLS to an address is blocked: in this round, or in one a short while ago. */
  readonly closer?: CloserLook;
}

export interface ReferenceObservation {
  readonly kind: 'server-name' | 'resolver' | 'proxy' | 'tls-1.2';
  /** For people: which name, resolver or proxy; for `tls-1.2` at which address. */
  readonly label: string;
  /**
   * Seen in this round, so that it is a witness of what the straight way shows; else it is an earlier look that still
   * stands.
   */
  readonly isFresh: boolean;
  readonly outcome: TlsOutcome;
  /** For `tls-1.2`: what the same address showed in TLS 1.3 at that moment. */
  readonly beside?: CapturedChain;
  /** For `tls-1.2`: further connections in both versions, in mixed order, where the first ones differed. */
  readonly again?: VersionSeries;
}

/** What connections showed by the version of TLS that they offered at most. */
export interface VersionSeries {
  readonly older: readonly TlsOutcome[];
  readonly newer: readonly TlsOutcome[];
}

/** One run of one probe, as metrics and history count it. */
export interface ProbeSample extends ProbeTarget {
  readonly durationMs: Millis;
  /** null: it answered. */
  readonly failure: FailureReason | null;
}

/** One series of metrics and history. */
export interface ProbeTarget {
  /** What was done: `dns`, `tcp`. A closed set: the rounds name it in their code. */
  readonly probe: string;
  /** From the configuration only: a resolver, `host:port`, a mail server. */
  readonly target: string;
}

/** What metrics and history count of a round. */
export function samplesOf({ path, controls, mail, ntp }: RoundFacts): readonly ProbeSample[] {
  const paths = [path.licenseServer, ...path.services, ...controls];
  return [
    // Paths to one host share the answers to one question.
    ...[...new Set(paths.flatMap(({ names }) => names))].flatMap(dnsSamples),
    ...paths.flatMap(({ endpoints }) => endpoints.flatMap(endpointSamples)),
    ...mail.map(({ server, outcome }) => sampleOf('mail', server, outcome)),
    ...ntp.map(ntpSample),
  ];
}

/** The runs that the path to a host takes. */
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

/** An answer without an address is an answer; SERVFAIL and REFUSED are not. */
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

/** What says of itself how long this process stood still during it. */
export interface Timed {
  readonly stalledMs: Millis;
}

/** A process that stood still for longer than this measured itself, not its targets. */
const TOLERATED_STALL: Millis = 1_000;

/** Whether a round says nothing about its targets, because this process stood still during it. */
export function isInvalid({ stalledMs }: Timed): boolean {
  return stalledMs > TOLERATED_STALL;
}

/** What another ftm-watch sees of the same licence server. */
export type PeerObservation = PeerView | PeerUnreadable;

export interface PeerView {
  readonly kind: 'seen';
  /** Its name in the configuration. */
  readonly peer: string;
  /** When it looked, by its own clock. */
  readonly at: EpochMs;
  readonly preconditions: readonly PeerPrecondition[];
  readonly causes: readonly PeerCause[];
}

export interface PeerPrecondition {
  readonly id: string;
  readonly state: string;
  /** What it says is what it was told by a peer of its own: two that believe each other would never stop. */
  readonly isHearsay: boolean;
  /** By its own check, whatever its peers told it. */
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

/** Silent, refusing, old, or of a version that is not understood: it says nothing about the path. */
interface PeerUnreadable extends Failure {
  readonly peer: string;
}

/** The rule of a fault that a peer sees, while this machine's own check found none. */
export const PEER_ALONE = 'peer-sees-no-fault';

/** The same while this machine could not check for itself. */
export const PEER_INSTEAD = 'peer-sees-no-fault-instead';
