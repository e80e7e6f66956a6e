import type { BlockPage } from './block-page.ts';
import type { CapturedChain, Certificate, DistinguishedName } from './certificate.ts';
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

/** A closed set, because the reasons are values of a metric label. `internal` means a problem in ftm-watch itself. */
export type FailureReason = (typeof FAILURE_REASONS)[number];

/** `message` is only displayed and never used as a label value. */
export interface Failure {
  readonly kind: 'failed';
  readonly reason: FailureReason;
  readonly message: string;
  readonly durationMs: Millis;
}

/** A failed query of a system's API. */
export interface ApiFailure extends Failure {
  /** What is wrong with the system's certificate. `untrusted`: another authority or key than the trusted ones. */
  readonly certificate?: 'untrusted' | 'invalid';
}

/**
 * `absent`: the firmware does not have the resource (404) or does not allow reading it (405). `denied`: the key (401) or the account's permission (403) is
 * not sufficient to read it.
 */
export type Resource<T> =
  | { readonly kind: 'read'; readonly value: T }
  | { readonly kind: 'absent' }
  | { readonly kind: 'denied'; readonly status: number; readonly message: string }
  | Failure;

export function valueOf<T>(resource: Resource<T>): T | null {
  return resource.kind === 'read' ? resource.value : null;
}

/** The check was cancelled, or failed because of a bug in ftm-watch, so it proves nothing about the target. */
export function isOwnTrouble(reason: FailureReason): boolean {
  return reason === 'aborted' || reason === 'internal';
}

/** Like {@link isOwnTrouble}, but also true if this machine has no route to the target. */
export function isOfThisMachine(reason: FailureReason): boolean {
  return isOwnTrouble(reason) || reason === 'no-route';
}

/** The server answered, although not as expected. */
export function hasAnswered(reason: FailureReason): boolean {
  return reason === 'tls' || reason === 'protocol' || reason === 'rejected';
}

// --- Names

/** One resolver's answers for one name, for both address families. */
export interface DnsObservation {
  /** As configured, for example `system` or `udp://10.0.0.53:53`. */
  readonly resolver: string;
  readonly name: string;
  readonly a: DnsReply;
  readonly aaaa: DnsReply;
}

export type DnsReply = DnsAnswer | DnsSilence;

export interface DnsAnswer {
  readonly kind: 'answer';
  /** For example `NOERROR` or `NXDOMAIN`. The error codes of getaddrinfo are translated. */
  readonly rcode: string;
  readonly addresses: readonly string[];
  /** Excludes the queried name. */
  readonly cnames: readonly string[];
  /** Lowest TTL in the CNAME chain. Null if the resolver does not report it (getaddrinfo). */
  readonly ttlSeconds: number | null;
  /** Up to four (RFC 8914). */
  readonly extendedErrors?: readonly ExtendedError[];
  /** Number of records in the authority and additional sections, if the resolver reports it. */
  readonly beside?: { readonly authority: number; readonly additional: number };
  readonly durationMs: Millis;
  /** Number of queries, including retries after lost packets, as sent by every stub resolver. */
  readonly attempts: number;
}

/** RFC 8914 */
export interface ExtendedError {
  /** INFO-CODE */
  readonly code: number;
  /** EXTRA-TEXT, made safe to display and limited to 100 characters. Can be empty. */
  readonly text: string;
}

interface DnsSilence extends Failure {
  readonly attempts: number;
  /** The UDP answer was truncated (TC), and the subsequent TCP query (RFC 1035 §4.2.1) failed. */
  readonly truncated?: true;
}

// --- The path to one address

/** One connection to one address. A stage is null if the previous stage failed or if it was not requested. */
export interface EndpointObservation {
  /** As configured, `host:port`. */
  readonly target: string;
  readonly address: string;
  readonly family: 4 | 6;
  /** CONNECT proxy, without credentials. */
  readonly proxy: string | null;
  readonly tcp: TcpOutcome;
  readonly tls: TlsOutcome | null;
  readonly http: HttpOutcome | null;
}

export type TcpOutcome = { readonly kind: 'open'; readonly durationMs: Millis } | TcpFailure;

export interface TcpFailure extends Failure {
  /**
   * The failure is `no-route` although this machine has a route. A device on the path reported the error (ICMP), or the
   * next hop is unreachable.
   */
  readonly beyond?: true;
  /** Present if the proxy did not open a tunnel. */
  readonly proxyAnswer?: ProxyAnswer;
}

export interface ProxyAnswer {
  readonly status: number;
  /** Schemes that the proxy offers (RFC 9110 §11.1), spelled as in the response, for example `Basic`. */
  readonly schemes: readonly string[];
  /** A user name and a password were sent to the proxy. */
  readonly hasLogin: boolean;
  /** The proxy's error page on one line, at most 512 characters. The text is untrusted. */
  readonly page: string | null;
}

/**
 * `established` does not mean that the certificate is trusted. With `client-certificate-demanded`, the server works.
 * `failed` includes the chain if it was received.
 */
export type TlsOutcome =
  | (TlsFacts & { readonly kind: 'established' })
  | (TlsFacts & { readonly kind: 'client-certificate-demanded' })
  | (Failure & {
      readonly serverName: string;
      /** TLS alert that the peer sent (RFC 8446 §6), for example `handshake_failure`. */
      readonly alert: string | null;
      readonly chain: CapturedChain | null;
      /** Number of bytes received before the failure, at most 16 KiB. Absent if nothing was received. */
      readonly receivedBytes?: number;
      /**
       * The beginning of a response that is not TLS, such as a block page or a banner. Up to 512 printable ASCII
       * characters.
       */
      readonly plaintext: string | null;
    });

export interface TlsFacts {
  readonly serverName: string;
  readonly chain: CapturedChain;
  /** For example `TLSv1.3`. Null if the handshake ended before the version was negotiated. */
  readonly protocol: string | null;
  readonly cipher: string | null;
  /**
   * Why OpenSSL rejects the chain under the target's trusted authorities, for example `PATH_LENGTH_EXCEEDED`. If there
   * are several reasons, the last one found. Absent if OpenSSL accepts the chain or was not asked.
   */
  readonly refusal?: string;
  /** From the time when the TCP connection was established to the end of the handshake. */
  readonly durationMs: Millis;
}

interface HttpFraming {
  /** For example `1.1`. */
  readonly version: string;
  readonly contentLength: number | null;
  /** Null if the body was not received completely. */
  readonly bodyBytes: number | null;
}

export type HttpOutcome =
  | {
      readonly kind: 'response';
      readonly status: number;
      /** `Date` header (RFC 9110 §6.6.1). */
      readonly date: EpochMs | null;
      /** Local time when the response headers arrived. */
      readonly receivedAt: EpochMs;
      readonly server: string | null;
      /** Names of headers that only proxies and filters add, for example `x-bluecoat-via`, and the value of `via`. */
      readonly proxyTraces: readonly string[];
      readonly blockPage: BlockPage | null;
      /** Only displayed. No finding depends on it. */
      readonly framing?: HttpFraming;
      readonly durationMs: Millis;
    }
  | { readonly kind: 'client-certificate-demanded'; readonly durationMs: Millis }
  | Failure;

// --- Mail

/** A partial SMTP session, which ends before a message is sent. */
export interface MailObservation {
  /** `host:port` */
  readonly server: string;
  readonly security: 'starttls' | 'tls' | 'none';
  /** True if this server must work even if another mail server works. */
  readonly required: boolean;
  /** Time that FortiAuthenticator waits for the mail server's replies. */
  readonly patience: Millis;
  readonly outcome: MailOutcome;
  /** Earliest expiry date in the chain. Null if TLS was not used or the chain was not verified. */
  readonly certificateNotAfter: EpochMs | null;
  /** Absent if TLS was not used, or if the handshake ended before a certificate was received. */
  readonly tls?: MailTls;
  /** Root authorities that the server recently began to use, newest first. */
  readonly newRoots?: readonly NewRoot[];
  /**
   * Greylisting delay. Present only if the server has deferred mail from this machine for at least the shortest
   * possible code lifetime.
   */
  readonly deferral?: MailDeferral;
  /** FortiAuthenticator's API reported the server but does not report the login. */
  readonly isLoginUnknown?: true;
}

export interface MailTls {
  /** Followed by the root, if the root is known. */
  readonly chain: CapturedChain;
  /** The root authority to which the chain leads. Null if it is unknown. */
  readonly root: Certificate | null;
  /** The certificate was issued for the server's name by a trusted authority. */
  readonly isVerified: boolean;
  /** `appliance`: verified only against the authorities that FortiAuthenticator trusts. */
  readonly trust: 'machine' | 'appliance';
}

export interface NewRoot {
  readonly root: Certificate;
  /** The roots that were used until then. */
  readonly former: readonly Certificate[];
}

interface MailDeferral {
  /** From the first check that the server deferred to the first check that it accepted, or until now. */
  readonly lasted: Millis;
  /** Lifetime of an activation code, as reported by FortiAuthenticator. */
  readonly codeLife: Millis | null;
}

export type MailStage = 'connect' | 'greeting' | 'ehlo' | 'tls' | 'login' | 'sender' | 'recipient';

export type MailOutcome =
  | {
      readonly kind: 'accepted';
      readonly durationMs: Millis;
      /**
       * Duration of the slowest step: connecting, the greeting (including everything up to encryption), or a command.
       */
      readonly slowestMs: Millis;
      readonly greeting: string;
    }
  | (Failure & {
      readonly stage: MailStage;
      /** SMTP reply code (RFC 5321 §4.2), if the server sent one. */
      readonly code: number | null;
      /**
       * In the stage `tls`, for example `DEPTH_ZERO_SELF_SIGNED_CERT`. `NO_STARTTLS` means that STARTTLS was not
       * offered.
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
  /** `host:port` */
  readonly source: string;
  readonly protocol: 'ntp' | 'http' | 'certificate';
  readonly outcome:
    | {
        readonly kind: 'offset';
        /** Positive if the other clock is ahead. */
        readonly offsetMs: Millis;
        /**
         * Maximum error of `offsetMs`, which is half the round-trip time. For a `Date` header, half a second is added,
         * because the header contains only whole seconds.
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

export type BlockedOutcome = Extract<TlsOutcome, { readonly kind: 'failed' }>;

/** `cut`: the connection was reset or closed, or an alert ended it. `silence`: nothing was received. */
export type Ending = 'cut' | 'silence';

const BLOCKING: ReadonlySet<FailureReason> = new Set<FailureReason>([
  'timeout',
  'reset',
  'closed',
  'tls',
  'protocol',
  'rejected',
]);

/** The TLS handshake ended before any certificate was received. */
export function isBlocked(outcome: TlsOutcome | null): outcome is BlockedOutcome {
  return outcome?.kind === 'failed' && outcome.chain === null && BLOCKING.has(outcome.reason);
}

export function endingOf({ reason }: BlockedOutcome): Ending {
  return reason === 'timeout' ? 'silence' : 'cut';
}

/**
 * IPv4 if this machine has a route to any of the addresses (including NAT64), otherwise IPv6. Fortinet does not
 * document which family FortiAuthenticator prefers, but FortiAuthenticator always has IPv4.
 */
export function decidingAddresses(endpoints: readonly EndpointObservation[]): readonly EndpointObservation[] {
  const ipv6 = endpoints.filter(({ address }) => servedFamily(address) === 6);
  const ipv4 = endpoints.filter((endpoint) => !ipv6.includes(endpoint));
  const canTry = (family: readonly EndpointObservation[]): boolean =>
    family.some((endpoint) => !isWithoutRoute(endpoint));
  return ipv4.length === 0 || (!canTry(ipv4) && canTry(ipv6)) ? ipv6 : ipv4;
}

/** This machine could not even try to connect, which proves nothing about the target. */
export function isWithoutRoute({ tcp }: EndpointObservation): boolean {
  return tcp.kind === 'failed' && tcp.reason === 'no-route' && tcp.beyond !== true;
}

/** For all other reasons, the message is shown. */
const WORDS: Readonly<Partial<Record<FailureReason, (failure: Failure) => string>>> = {
  timeout: ({ durationMs }) => `no answer within ${spanText(durationMs)}`,
  refused: () => 'connection refused',
  reset: ({ durationMs }) => `reset after ${spanText(durationMs)}`,
  closed: ({ durationMs }) => `closed by the peer after ${spanText(durationMs)}`,
  'no-route': ({ message }) => `no route (${message})`,
  aborted: () => 'cancelled',
  internal: ({ message }) => `could not be checked (${message})`,
};

/** For example `no answer within 3 s`, `connection refused` or `reset after 12 ms`. */
export function describeFailure(failure: Failure): string {
  return WORDS[failure.reason]?.(failure) ?? failure.message;
}

/**
 * Additional tests for an address whose TLS handshake ended before any certificate was received. A field is null if the
 * test was not made, or if the port was closed.
 */
export interface CloserLook {
  readonly address: string;
  /** The same ClientHello, sent again. */
  readonly again: TlsOutcome | null;
  /** A ClientHello with a different server name, or with none. */
  readonly otherName: { readonly name: string | null; readonly outcome: TlsOutcome } | null;
  /** A ClientHello that every server must reject with a reply that is only a few bytes long. */
  readonly refusable: TlsOutcome | null;
  /** Control hosts whose port was open. */
  readonly controls: readonly TlsOutcome[];
}
