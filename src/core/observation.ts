import type { BlockPage } from './block-page.ts';
import type { CapturedChain, DistinguishedName } from './certificate.ts';
import type { EpochMs, Millis } from './clock.ts';
import { servedFamily } from './addresses.ts';
import { spanText } from './time-text.ts';

export const FAILURE_REASONS = [
  'timeout',
  'refused',
  'reset',
  'closed',
  'no-route',
  'name-not-resolved',
  'tls',
  'protocol',
  'rejected',
  'aborted',
  'internal',
] as const;

/**
 * Reason for a failure. The reasons are a closed set, because they are used as values of a metric label. `internal` is
 * a problem of ftm-watch itself.
 */
export type FailureReason = (typeof FAILURE_REASONS)[number];

/** A failure with its reason. `message` is only displayed and never used as a label value. */
export interface Failure {
  readonly kind: 'failed';
  readonly reason: FailureReason;
  readonly message: string;
  readonly durationMs: Millis;
}

/**
 * Reports whether the check was cancelled or failed because of a bug in ftm-watch. In both cases, the result proves
 * nothing about the target.
 */
export function isOwnTrouble(reason: FailureReason): boolean {
  return reason === 'aborted' || reason === 'internal';
}

/**
 * Reports whether a failure was caused by this machine. Like {@link isOwnTrouble}, but also returns true if this
 * machine has no route to the target.
 */
export function isOfThisMachine(reason: FailureReason): boolean {
  return isOwnTrouble(reason) || reason === 'no-route';
}

// --- Names

/** One resolver's answers for one name, for both address families. */
export interface DnsObservation {
  /** Resolver as configured, for example `system` or `udp://10.0.0.53:53`. */
  readonly resolver: string;
  readonly name: string;
  readonly a: DnsReply;
  readonly aaaa: DnsReply;
}

export type DnsReply = DnsAnswer | DnsSilence;

export interface DnsAnswer {
  readonly kind: 'answer';
  /** Response code such as `NOERROR`, `NXDOMAIN` or `SERVFAIL`. The error codes of getaddrinfo are translated. */
  readonly rcode: string;
  readonly addresses: readonly string[];
  /** Names in the CNAME chain, excluding the queried name. */
  readonly cnames: readonly string[];
  /** Lowest TTL in the CNAME chain, in seconds. Null if the resolver does not report it (getaddrinfo). */
  readonly ttlSeconds: number | null;
  /** Up to four extended DNS errors (RFC 8914), if the resolver sent any. */
  readonly extendedErrors?: readonly ExtendedError[];
  /**
   * Number of records in the authority and additional sections. Absent if the resolver does not report these numbers.
   */
  readonly beside?: { readonly authority: number; readonly additional: number };
  readonly durationMs: Millis;
  /** Number of queries that were sent, including retries. Lost packets are sent again, as in every stub resolver. */
  readonly attempts: number;
}

/** An extended DNS error (RFC 8914). */
export interface ExtendedError {
  /** Value of the INFO-CODE field. */
  readonly code: number;
  /** Value of the EXTRA-TEXT field, made safe to display and limited to 100 characters. Can be empty. */
  readonly text: string;
}

interface DnsSilence extends Failure {
  readonly attempts: number;
  /** Present if the UDP answer was truncated (TC) and the subsequent TCP query (RFC 1035 §4.2.1) failed. */
  readonly truncated?: true;
}

// --- The path to one address

/**
 * Result of one connection to one address. The result of a stage is null if the previous stage failed or if the stage
 * was not requested.
 */
export interface EndpointObservation {
  /** Configured target, as `host:port`. */
  readonly target: string;
  readonly address: string;
  readonly family: 4 | 6;
  /** CONNECT proxy in use, excluding credentials. */
  readonly proxy: string | null;
  readonly tcp: TcpOutcome;
  readonly tls: TlsOutcome | null;
  readonly http: HttpOutcome | null;
}

export type TcpOutcome = { readonly kind: 'open'; readonly durationMs: Millis } | TcpFailure;

export interface TcpFailure extends Failure {
  /**
   * Present if the failure is `no-route` although this machine has a route. In this case, a device on the path reported
   * the error (ICMP) or the next hop is unreachable.
   */
  readonly beyond?: true;
  /** Response from the proxy if it did not open a tunnel. */
  readonly proxyAnswer?: ProxyAnswer;
}

export interface ProxyAnswer {
  /** HTTP status of the response (RFC 9110 §15). */
  readonly status: number;
  /** Authentication schemes that the proxy offers (RFC 9110 §11.1), spelled as in the response, for example `Basic`. */
  readonly schemes: readonly string[];
  /** True if a user name and a password were sent to the proxy. */
  readonly hasLogin: boolean;
  /**
   * Text of the proxy's error page on one line, at most 512 characters. Null if there is no page. The text is
   * untrusted.
   */
  readonly page: string | null;
}

/**
 * Result of a TLS handshake. `established`: the handshake was completed. A completed handshake does not mean that the
 * certificate is trusted. `client-certificate-demanded`: the server works, but requires a client certificate. `failed`:
 * the handshake failed. The chain is included if it was received.
 */
export type TlsOutcome =
  | (TlsFacts & { readonly kind: 'established' })
  | (TlsFacts & { readonly kind: 'client-certificate-demanded' })
  | (Failure & {
      readonly serverName: string;
      /**
       * Name of the TLS alert that the peer sent (RFC 8446 §6), for example `handshake_failure`. Null if no alert was
       * received.
       */
      readonly alert: string | null;
      readonly chain: CapturedChain | null;
      /** Number of bytes received before the failure, at most 16 KiB. Absent if nothing was received. */
      readonly receivedBytes?: number;
      /**
       * Beginning of a response that is not TLS, such as a block page or a banner. Up to 512 printable ASCII
       * characters. Null if there is no such response.
       */
      readonly plaintext: string | null;
    });

export interface TlsFacts {
  readonly serverName: string;
  readonly chain: CapturedChain;
  /** TLS version, for example `TLSv1.3`. Null if the handshake ended before the version was negotiated. */
  readonly protocol: string | null;
  readonly cipher: string | null;
  /** Time from the established TCP connection to the end of the handshake. */
  readonly durationMs: Millis;
}

interface HttpFraming {
  /** HTTP version, for example `1.1`. */
  readonly version: string;
  /** Value of the Content-Length header. Null if the header is absent. */
  readonly contentLength: number | null;
  /** Size of the response body. Null if the body was not received completely. */
  readonly bodyBytes: number | null;
}

export type HttpOutcome =
  | {
      readonly kind: 'response';
      readonly status: number;
      /** Time from the `Date` header (RFC 9110 §6.6.1). Null if the header is absent or invalid. */
      readonly date: EpochMs | null;
      /** Local time when the response headers arrived, for comparison with `date`. */
      readonly receivedAt: EpochMs;
      readonly server: string | null;
      /**
       * Names of headers that only proxies and filters add, for example `x-bluecoat-via`. Also includes the value of
       * `via`.
       */
      readonly proxyTraces: readonly string[];
      /** Recognised block page. Null if the response is not one. */
      readonly blockPage: BlockPage | null;
      /** Message framing of the response. The framing is only displayed, and no finding depends on it. */
      readonly framing?: HttpFraming;
      readonly durationMs: Millis;
    }
  | { readonly kind: 'client-certificate-demanded'; readonly durationMs: Millis }
  | Failure;

// --- Mail

/** Result of a partial SMTP session with a mail server. The session ends before a message is sent. */
export interface MailObservation {
  /** Configured server, as `host:port`. */
  readonly server: string;
  readonly security: 'starttls' | 'tls' | 'none';
  /** True if this server must work even if another mail server works. */
  readonly required: boolean;
  /** Time that FortiAuthenticator waits for the mail server's replies. */
  readonly patience: Millis;
  readonly outcome: MailOutcome;
  /** Earliest expiry date in the server's certificate chain. Null if TLS was not used or the chain was not verified. */
  readonly certificateNotAfter: EpochMs | null;
  /**
   * Greylisting delay. Present only if the server has deferred mail from this machine for at least the shortest
   * possible code lifetime.
   */
  readonly deferral?: MailDeferral;
  /**
   * Present if FortiAuthenticator reported the server. FortiAuthenticator's API does not report how it logs in to the
   * server.
   */
  readonly isLoginUnknown?: true;
}

/** Delay by a mail server that asked the client to try again later (greylisting). */
interface MailDeferral {
  /** Time from the first deferred check to the first accepted check, or until now if no check was accepted. */
  readonly lasted: Millis;
  /** Lifetime of an activation code, as reported by FortiAuthenticator. Null if it is not reported. */
  readonly codeLife: Millis | null;
}

export type MailStage = 'connect' | 'greeting' | 'ehlo' | 'tls' | 'login' | 'sender' | 'recipient';

export type MailOutcome =
  | {
      readonly kind: 'accepted';
      readonly durationMs: Millis;
      /**
       * Duration of the slowest step in the session. Steps are connecting, the greeting (including everything up to
       * encryption), and each command.
       */
      readonly slowestMs: Millis;
      readonly greeting: string;
    }
  | (Failure & {
      readonly stage: MailStage;
      /** SMTP reply code (RFC 5321 §4.2), if the server sent one. */
      readonly code: number | null;
      /**
       * TLS error in the stage `tls`, for example `DEPTH_ZERO_SELF_SIGNED_CERT`. `NO_STARTTLS` means that STARTTLS was
       * not offered.
       */
      readonly tlsError: string | null;
      /** Issuer of the certificate that could not be verified. */
      readonly issuer?: DistinguishedName;
    });

// --- Clock

/**
 * Time on another machine, from a control host's `Date` header or an NTP server. The kind `certificate` is used for an
 * authenticated server whose certificate is valid at the server's time but not at local time.
 */
export interface ClockObservation {
  /** Configured time source, as `host:port`. */
  readonly source: string;
  readonly protocol: 'ntp' | 'http' | 'certificate';
  readonly outcome:
    | {
        readonly kind: 'offset';
        /** Difference between the other machine's time and local time. Positive if the other clock is ahead. */
        readonly offsetMs: Millis;
        /**
         * Maximum error of `offsetMs`, calculated as half of the round-trip time. For a `Date` header, half a second is
         * added, because the header contains whole seconds.
         */
        readonly precisionMs: Millis;
      }
    | Failure;
}

export interface ClockEstimate {
  /** Median time of the sources minus this machine's time. */
  readonly offsetMs: Millis;
  readonly precisionMs: Millis;
  /** Time sources that agree with the estimate, each as `host:port`. */
  readonly supporters: readonly string[];
  /** True if an NTP server, an authenticated server, or two different sources agree on the estimate. */
  readonly trusted: boolean;
}

export interface OwnClock {
  /** Null if no source returned the time. */
  readonly estimate: ClockEstimate | null;
  /** Wall clock minus monotonic clock at the start of the round. */
  readonly clockBase: Millis;
}

/** Result of verifying a chain with OpenSSL. */
export interface OpensslWord {
  /** OpenSSL's error code, for example `PATH_LENGTH_EXCEEDED`. Null if the chain was accepted. */
  readonly refusal: string | null;
}

export type BlockedOutcome = Extract<TlsOutcome, { readonly kind: 'failed' }>;

/**
 * Way in which a TLS handshake was blocked. `cut`: the connection was reset or closed, or an alert ended it. `silence`:
 * nothing was received.
 */
export type Ending = 'cut' | 'silence';

const BLOCKING: ReadonlySet<FailureReason> = new Set<FailureReason>([
  'timeout',
  'reset',
  'closed',
  'tls',
  'protocol',
  'rejected',
]);

/** Reports whether the peer ended the TLS handshake before any certificate was received. */
export function isBlocked(outcome: TlsOutcome | null): outcome is BlockedOutcome {
  return outcome?.kind === 'failed' && outcome.chain === null && BLOCKING.has(outcome.reason);
}

export function endingOf({ reason }: BlockedOutcome): Ending {
  return reason === 'timeout' ? 'silence' : 'cut';
}

/**
 * Returns the decisive addresses, which determine whether a target works. The IPv4 addresses are decisive if this
 * machine has a route to any of them (including NAT64). Otherwise, the IPv6 addresses are decisive. Fortinet does not
 * document which family FortiAuthenticator prefers, but FortiAuthenticator always has IPv4.
 */
export function decidingAddresses(endpoints: readonly EndpointObservation[]): readonly EndpointObservation[] {
  const ipv6 = endpoints.filter(({ address }) => servedFamily(address) === 6);
  const ipv4 = endpoints.filter((endpoint) => !ipv6.includes(endpoint));
  const canTry = (family: readonly EndpointObservation[]): boolean =>
    family.some((endpoint) => !isWithoutRoute(endpoint));
  return ipv4.length === 0 || (!canTry(ipv4) && canTry(ipv6)) ? ipv6 : ipv4;
}

/**
 * Reports whether this machine has no route, so that it could not even try to connect. Such a result proves nothing
 * about the target.
 */
export function isWithoutRoute({ tcp }: EndpointObservation): boolean {
  return tcp.kind === 'failed' && tcp.reason === 'no-route' && tcp.beyond !== true;
}

/** Descriptions for failures, based on their reason and duration. For all other failures, the message is shown. */
const WORDS: Readonly<Partial<Record<FailureReason, (failure: Failure) => string>>> = {
  timeout: ({ durationMs }) => `no answer within ${spanText(durationMs)}`,
  refused: () => 'connection refused',
  reset: ({ durationMs }) => `reset after ${spanText(durationMs)}`,
  closed: ({ durationMs }) => `closed by the peer after ${spanText(durationMs)}`,
  'no-route': ({ message }) => `no route (${message})`,
  aborted: () => 'called off',
  internal: ({ message }) => `could not be checked (${message})`,
};

/**
 * Describes a failure for an administrator, for example `no answer within 3 s`, `connection refused` or `reset after 12
 * ms`.
 */
export function describeFailure(failure: Failure): string {
  return WORDS[failure.reason]?.(failure) ?? failure.message;
}

/**
 * Results of additional tests for an address whose TLS handshake ended before any certificate was received. A field is
 * null if the test was not made, or if the port was closed during the test.
 */
export interface CloserLook {
  readonly address: string;
  /** Connect time of each TCP connection to the address. Empty if a proxy is used or nothing was received. */
  readonly connects: readonly Millis[];
  /** Longest stall of this process during the tests. */
  readonly stalledMs: Millis;
  /** Result of sending the same ClientHello again. */
  readonly again: TlsOutcome | null;
  /** Result of a ClientHello with another server name, or without a server name (`name` is null). */
  readonly otherName: { readonly name: string | null; readonly outcome: TlsOutcome } | null;
  /** Result of a ClientHello that every server must reject with a reply of a few bytes. */
  readonly refusable: TlsOutcome | null;
  /** TLS results for the control hosts whose port was open. */
  readonly controls: readonly TlsOutcome[];
}

/**
 * Connect time from which the SYN packet must have been retransmitted. The first retransmission occurs after one second
 * (RFC 6298 §2).
 */
const REPEATED_SYN: Millis = 1000;
/** Shortest meaningful round-trip time. Shorter measurements are dominated by timers and scheduling. */
const SHORTEST: Millis = 4;

/**
 * Returns a lower bound for the round-trip time, calculated from connect times. Returns null if there are fewer than
 * `fewest` connect times. The stall time is subtracted, because a stalled process detects a connection late.
 */
export function leastRoundTrip(connects: readonly Millis[], stalledMs: Millis, fewest: number): Millis | null {
  const single = connects.filter((ms) => ms < REPEATED_SYN);
  const least = Math.min(...single) - stalledMs;
  return single.length < fewest || least < SHORTEST ? null : least;
}
