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

/** Why something did not answer. A closed set, used as a metric label. `internal` is a problem of our own. */
export type FailureReason = (typeof FAILURE_REASONS)[number];

/** A failure and its reason. `message` is for people and never used as a label. */
export interface Failure {
  readonly kind: 'failed';
  readonly reason: FailureReason;
  readonly message: string;
  readonly durationMs: Millis;
}

/**
 * Reports whether the check was cancelled or failed because of our own bug. Neither proves anything about the target.
 */
export function isOwnTrouble(reason: FailureReason): boolean {
  return reason === 'aborted' || reason === 'internal';
}

/** Like {@link isOwnTrouble}, but also true if this machine has no route to the target. */
export function isOfThisMachine(reason: FailureReason): boolean {
  return isOwnTrouble(reason) || reason === 'no-route';
}

// --- Names

/** One resolver's answers for one name, for both address families. */
export interface DnsObservation {
  /** As configured: `system`, `udp://10.0.0.53:53`. */
  readonly resolver: string;
  readonly name: string;
  readonly a: DnsReply;
  readonly aaaa: DnsReply;
}

export type DnsReply = DnsAnswer | DnsSilence;

export interface DnsAnswer {
  readonly kind: 'answer';
  /** `NOERROR`, `NXDOMAIN`, `SERVFAIL`, …; getaddrinfo's error codes are translated. */
  readonly rcode: string;
  readonly addresses: readonly string[];
  /** Names along the CNAME chain, without the queried name. */
  readonly cnames: readonly string[];
  /** Minimum TTL along the chain, in seconds. Null if the resolver does not report it (getaddrinfo). */
  readonly ttlSeconds: number | null;
  /** Explanations of the answer (RFC 8914), if the resolver sent any. At most four. */
  readonly extendedErrors?: readonly ExtendedError[];
  /** Number of records outside the answer section. Absent if the resolver does not report them. */
  readonly beside?: { readonly authority: number; readonly additional: number };
  readonly durationMs: Millis;
  /** 1 if the first packet was answered. Lost packets are repeated, as in every stub resolver, and counted here. */
  readonly attempts: number;
}

/** An extended DNS error (RFC 8914). */
export interface ExtendedError {
  /** INFO-CODE. */
  readonly code: number;
  /** EXTRA-TEXT, made safe to display, at most 100 characters. Can be empty. */
  readonly text: string;
}

interface DnsSilence extends Failure {
  readonly attempts: number;
  /**
   * The answer over UDP was truncated (TC), and the query over TCP, which is required then (RFC 1035 §4.2.1), failed.
   */
  readonly truncated?: true;
}

// --- The path to one address

/** What one connection to one address showed. A stage is null if the previous one failed or if it was not requested. */
export interface EndpointObservation {
  /** `host:port`, as configured. */
  readonly target: string;
  readonly address: string;
  readonly family: 4 | 6;
  /** The CONNECT proxy in use, without credentials. */
  readonly proxy: string | null;
  readonly tcp: TcpOutcome;
  readonly tls: TlsOutcome | null;
  readonly http: HttpOutcome | null;
}

export type TcpOutcome = { readonly kind: 'open'; readonly durationMs: Millis } | TcpFailure;

export interface TcpFailure extends Failure {
  /**
   * For `no-route`: this machine has a route, so the error was reported by a device on the path (ICMP), or the next hop
   * is gone.
   */
  readonly beyond?: true;
  /** The proxy's answer if it answered CONNECT without opening a tunnel. */
  readonly proxyAnswer?: ProxyAnswer;
}

export interface ProxyAnswer {
  /** RFC 9110 §15. */
  readonly status: number;
  /** Authentication schemes that it offers (RFC 9110 §11.1), as it spells them: `Basic`, `Negotiate`. */
  readonly schemes: readonly string[];
  /** A username and a password were sent to it. */
  readonly hasLogin: boolean;
  /** Text of its page on one line, at most 512 characters. Null if there is none. Hostile. */
  readonly page: string | null;
}

/**
 * `established`: the handshake was completed (this does not imply trust). `client-certificate-demanded`: the server
 * requires a client certificate, which we don't have; the server is alive. `failed`: includes the chain if one was
 * received.
 */
export type TlsOutcome =
  | (TlsFacts & { readonly kind: 'established' })
  | (TlsFacts & { readonly kind: 'client-certificate-demanded' })
  | (Failure & {
      readonly serverName: string;
      /** Name of the TLS alert (RFC 8446 §6), such as `handshake_failure`, if the peer sent one. */
      readonly alert: string | null;
      readonly chain: CapturedChain | null;
      /** Size of an incomplete answer, at most 16 KiB. Absent if nothing was received. */
      readonly receivedBytes?: number;
      /** First bytes of an answer that was not TLS (a block page, a banner), as printable ASCII, at most 512. */
      readonly plaintext: string | null;
    });

export interface TlsFacts {
  readonly serverName: string;
  readonly chain: CapturedChain;
  /** For example `TLSv1.3`. Null if the handshake ended before the version was known. */
  readonly protocol: string | null;
  readonly cipher: string | null;
  /** From the connected socket to the end of the handshake. */
  readonly durationMs: Millis;
}

interface HttpFraming {
  /** For example `1.1`. */
  readonly version: string;
  /** Value of the header. Null if absent. */
  readonly contentLength: number | null;
  /** Null if the body was not read to its end. */
  readonly bodyBytes: number | null;
}

export type HttpOutcome =
  | {
      readonly kind: 'response';
      readonly status: number;
      /** Time from the `Date` header (RFC 9110 §6.6.1). Null if absent or unreadable. */
      readonly date: EpochMs | null;
      /** Time on this machine when the header arrived, for comparison with `date`. */
      readonly receivedAt: EpochMs;
      readonly server: string | null;
      /** Names of headers that only proxies and filters add (`x-bluecoat-via`), and the value of `via`. */
      readonly proxyTraces: readonly string[];
      /** Null if none was recognized. */
      readonly blockPage: BlockPage | null;
      /** How the answer was framed. For information only; no finding depends on it. */
      readonly framing?: HttpFraming;
      readonly durationMs: Millis;
    }
  | { readonly kind: 'client-certificate-demanded'; readonly durationMs: Millis }
  | Failure;

// --- Mail

/** How far one mail server got in accepting a message. No message is sent. */
export interface MailObservation {
  /** `host:port`, as configured. */
  readonly server: string;
  readonly security: 'starttls' | 'tls' | 'none';
  /** True if a different working server is not a substitute. */
  readonly required: boolean;
  /** How long FortiAuthenticator waits for the server. */
  readonly patience: Millis;
  readonly outcome: MailOutcome;
  /**
   * When the first certificate in its chain to expire expires. Null if there was no TLS or if the chain was not
   * verified.
   */
  readonly certificateNotAfter: EpochMs | null;
  /** Whether FortiAuthenticator's built-in mailer could be used instead. Checked only while no server works. */
  readonly recipientServers: readonly RecipientServerObservation[];
  /** Absent if the server never deferred mail from this machine for as long as the shortest lifetime of a code. */
  readonly deferral?: MailDeferral;
  /** The server was reported by FortiAuthenticator, whose API does not report whether and how it logs in. */
  readonly isLoginUnknown?: true;
}

/** A server that asked to retry later (greylisting). */
interface MailDeferral {
  /** From the first check that was deferred to the one that was accepted, or until now. */
  readonly lasted: Millis;
  /** Lifetime of an activation code, as reported by FortiAuthenticator. Null if not reported. */
  readonly codeLife: Millis | null;
}

/** Whether a mail server of a recipient domain greets this machine. */
export interface RecipientServerObservation {
  readonly domain: string;
  /** The hosts that were tried, in order of preference. */
  readonly hosts: readonly string[];
  readonly outcome: { readonly kind: 'greets'; readonly durationMs: Millis } | Failure;
}

export type MailStage = 'connect' | 'greeting' | 'ehlo' | 'tls' | 'login' | 'sender' | 'recipient';

export type MailOutcome =
  | {
      readonly kind: 'accepted';
      readonly durationMs: Millis;
      /** The slowest step: connecting, greeting (including everything up to encryption), or a command. */
      readonly slowestMs: Millis;
      readonly greeting: string;
    }
  | (Failure & {
      readonly stage: MailStage;
      /** SMTP reply code (RFC 5321 §4.2), if the server sent one. */
      readonly code: number | null;
      /** For stage `tls`: `DEPTH_ZERO_SELF_SIGNED_CERT` and the like; `NO_STARTTLS` if STARTTLS was not offered. */
      readonly tlsError: string | null;
      /** Issuer of the certificate that could not be verified. */
      readonly issuer?: DistinguishedName;
    });

// --- Clock

/**
 * The time of another machine: a control host's `Date` header or an NTP server. `certificate`: the header of an
 * authenticated server whose certificate is valid at its own time but not at ours.
 */
export interface ClockObservation {
  /** `host:port`, as configured. */
  readonly source: string;
  readonly protocol: 'ntp' | 'http' | 'certificate';
  readonly outcome:
    | {
        readonly kind: 'offset';
        /** Their clock minus ours. */
        readonly offsetMs: Millis;
        /** Maximum error of the offset (a `Date` header has whole seconds; half the round trip). */
        readonly precisionMs: Millis;
      }
    | Failure;
}

/** OpenSSL's verdict on a chain. */
export interface OpensslWord {
  /** Its error code, such as `PATH_LENGTH_EXCEEDED`. Null if the chain was accepted. */
  readonly refusal: string | null;
}

export type BlockedOutcome = Extract<TlsOutcome, { readonly kind: 'failed' }>;

/** `cut`: reset, closed, or ended by an alert. `silence`: nothing was received. */
export type Ending = 'cut' | 'silence';

const BLOCKING: ReadonlySet<FailureReason> = new Set<FailureReason>([
  'timeout',
  'reset',
  'closed',
  'tls',
  'protocol',
  'rejected',
]);

/** Reports whether the other side ended the handshake before any certificate was received. */
export function isBlocked(outcome: TlsOutcome | null): outcome is BlockedOutcome {
  return outcome?.kind === 'failed' && outcome.chain === null && BLOCKING.has(outcome.reason);
}

export function endingOf({ reason }: BlockedOutcome): Ending {
  return reason === 'timeout' ? 'silence' : 'cut';
}

/**
 * Returns the addresses of a target that decide whether it works: IPv4 if the name has IPv4 addresses and this machine
 * has a route to one of them (including NAT64), otherwise IPv6. It is not documented which family FortiAuthenticator
 * prefers, but it always has IPv4.
 */
export function decidingAddresses(endpoints: readonly EndpointObservation[]): readonly EndpointObservation[] {
  const ipv6 = endpoints.filter(({ address }) => servedFamily(address) === 6);
  const ipv4 = endpoints.filter((endpoint) => !ipv6.includes(endpoint));
  const canTry = (family: readonly EndpointObservation[]): boolean =>
    family.some((endpoint) => !isWithoutRoute(endpoint));
  return ipv4.length === 0 || (!canTry(ipv4) && canTry(ipv6)) ? ipv6 : ipv4;
}

/** Reports whether this machine cannot even try to connect, so the result proves nothing about the target. */
export function isWithoutRoute({ tcp }: EndpointObservation): boolean {
  return tcp.kind === 'failed' && tcp.reason === 'no-route' && tcp.beyond !== true;
}

/** Failures that are described by kind and duration. For all others, the message is shown. */
const WORDS: Readonly<Partial<Record<FailureReason, (failure: Failure) => string>>> = {
  timeout: ({ durationMs }) => `no answer within ${spanText(durationMs)}`,
  refused: () => 'connection refused',
  reset: ({ durationMs }) => `reset after ${spanText(durationMs)}`,
  closed: ({ durationMs }) => `closed by the peer after ${spanText(durationMs)}`,
  'no-route': ({ message }) => `no route (${message})`,
  aborted: () => 'called off',
  internal: ({ message }) => `could not be looked at (${message})`,
};

/** Describes a failure for an administrator: `no answer within 3 s`, `connection refused`, `reset after 12 ms`. */
export function describeFailure(failure: Failure): string {
  return WORDS[failure.reason]?.(failure) ?? failure.message;
}

/**
 * Additional tests of one address whose handshake ended before any certificate. A field is null if the test was not
 * made or if the port did not open that time.
 */
export interface CloserLook {
  readonly address: string;
  /** How long each TCP connection to the address took. Empty through a proxy, and after silence. */
  readonly connects: readonly Millis[];
  /** Longest stall of this process in that time. */
  readonly stalledMs: Millis;
  /** The same ClientHello, repeated. */
  readonly again: TlsOutcome | null;
  /** A ClientHello with another server name, or without one (`name` null). */
  readonly otherName: { readonly name: string | null; readonly outcome: TlsOutcome } | null;
  /** A ClientHello that a server can only reject, with an answer of a few bytes. */
  readonly refusable: TlsOutcome | null;
  /** Results of the control hosts whose port opened. */
  readonly controls: readonly TlsOutcome[];
}

/** From one second on, the SYN was repeated (RFC 6298 §2: the first repetition is after one second). */
const REPEATED_SYN: Millis = 1000;
/** Below this, timers and scheduling take longer than the measured time. */
const SHORTEST: Millis = 4;

/**
 * Returns a lower bound of the round trip from connect times. Null if there are fewer than `fewest` of them, which is
 * too few for a conclusion. The stall time is subtracted, because a busy process notices an open connection late.
 */
export function leastRoundTrip(connects: readonly Millis[], stalledMs: Millis, fewest: number): Millis | null {
  const single = connects.filter((ms) => ms < REPEATED_SYN);
  const least = Math.min(...single) - stalledMs;
  return single.length < fewest || least < SHORTEST ? null : least;
}
