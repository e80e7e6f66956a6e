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

/** Why something did not answer: a closed set, used as a metric label. `internal` is our own trouble. */
export type FailureReason = (typeof FAILURE_REASONS)[number];

/** It did not work, and why. `message` is for people: never a label. */
export interface Failure {
  readonly kind: 'failed';
  readonly reason: FailureReason;
  readonly message: string;
  readonly durationMs: Millis;
}

/** Called off, or a bug of ours: it says nothing about the target. */
export function isOwnTrouble(reason: FailureReason): boolean {
  return reason === 'aborted' || reason === 'internal';
}

/** The same, and a machine without a route to the target. */
export function isOfThisMachine(reason: FailureReason): boolean {
  return isOwnTrouble(reason) || reason === 'no-route';
}

// --- Names

/** One resolver asked for one name, for both address families. */
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
  /** `NOERROR`, `NXDOMAIN`, `SERVFAIL`, …; getaddrinfo's codes are translated. */
  readonly rcode: string;
  readonly addresses: readonly string[];
  /** Names along the CNAME chain, the asked name left out. */
  readonly cnames: readonly string[];
  /** Seconds, the minimum along the chain; null where the resolver does not tell (getaddrinfo). */
  readonly ttlSeconds: number | null;
  /** Why it is as it is (RFC 8914), where the resolver says so: four at most. */
  readonly extendedErrors?: readonly ExtendedError[];
  /** Records beside the answer. Absent where the resolver does not tell them. */
  readonly beside?: { readonly authority: number; readonly additional: number };
  readonly durationMs: Millis;
  /** 1 when the first packet was answered; a lost packet is repeated as every stub resolver does, and shows here. */
  readonly attempts: number;
}

/** An extended DNS error (RFC 8914). */
export interface ExtendedError {
  /** INFO-CODE. */
  readonly code: number;
  /** EXTRA-TEXT, made safe to show, 100 characters at most. May be empty. */
  readonly text: string;
}

export interface DnsSilence extends Failure {
  readonly attempts: number;
  /**
   * An answer came over UDP, cut short (TC), and it failed over TCP, where the rest has to be fetched (RFC 1035
   * §4.2.1).
   */
  readonly truncated?: true;
}

// --- The path to one address

/**
 * What one connection to one address showed: each stage is null when the one before it failed or it was not asked for.
 */
export interface EndpointObservation {
  /** `host:port`, as configured. */
  readonly target: string;
  readonly address: string;
  readonly family: 4 | 6;
  /** The CONNECT proxy that was used, without credentials. */
  readonly proxy: string | null;
  readonly tcp: TcpOutcome;
  readonly tls: TlsOutcome | null;
  readonly http: HttpOutcome | null;
}

export type TcpOutcome = { readonly kind: 'open'; readonly durationMs: Millis } | TcpFailure;

export interface TcpFailure extends Failure {
  /** Of `no-route`: this machine has a route, so that something on the way said so (ICMP), or the next hop is gone. */
  readonly beyond?: true;
  /** The proxy answered CONNECT, and did not open a tunnel. */
  readonly proxyAnswer?: ProxyAnswer;
}

export interface ProxyAnswer {
  /** RFC 9110 §15. */
  readonly status: number;
  /** What it offers for a login, by the names of RFC 9110 §11.1 as it writes them: `Basic`, `Negotiate`. */
  readonly schemes: readonly string[];
  /** A user and a password were sent to it. */
  readonly hasLogin: boolean;
  /** The text of its page on one line, 512 characters at most; null: there is none. Hostile. */
  readonly page: string | null;
}

/**
 * `established`: the handshake was finished (it says nothing about trust). `client-certificate-demanded`: the server
 * insisted on a certificate that we do not have; it is alive. `failed`: with the chain, where one was sent before.
 */
export type TlsOutcome =
  | (TlsFacts & { readonly kind: 'established' })
  | (TlsFacts & { readonly kind: 'client-certificate-demanded' })
  | (Failure & {
      readonly serverName: string;
      /** TLS alert by its RFC 8446 §6 name, `handshake_failure`, where the peer sent one. */
      readonly alert: string | null;
      readonly chain: CapturedChain | null;
      /** Of an answer that was not finished, 16 KiB at most; left out where nothing came. */
      readonly receivedBytes?: number;
      /** First bytes of an answer that was not TLS (a block page, a banner), as printable ASCII, 512 at most. */
      readonly plaintext: string | null;
    });

export interface TlsFacts {
  readonly serverName: string;
  readonly chain: CapturedChain;
  /** `TLSv1.3`; null when the handshake ended before it was known. */
  readonly protocol: string | null;
  readonly cipher: string | null;
  /** From the connected socket to the end of the handshake. */
  readonly durationMs: Millis;
}

interface HttpFraming {
  /** `1.1`. */
  readonly version: string;
  /** As the header says; null: it says nothing. */
  readonly contentLength: number | null;
  /** Null: the body was not read to its end. */
  readonly bodyBytes: number | null;
}

export type HttpOutcome =
  | {
      readonly kind: 'response';
      readonly status: number;
      /** The `Date` header (RFC 9110 §6.6.1) as an instant; null when absent or unreadable. */
      readonly date: EpochMs | null;
      /** Clock of this machine when the header arrived, to compare `date` with. */
      readonly receivedAt: EpochMs;
      readonly server: string | null;
      /** Names of headers that only proxies and filters add (`x-bluecoat-via`), and the value of `via`. */
      readonly proxyTraces: readonly string[];
      /** Null when none was recognised. */
      readonly blockPage: BlockPage | null;
      /** How the answer was framed; nothing is concluded from it. */
      readonly framing?: HttpFraming;
      readonly durationMs: Millis;
    }
  | { readonly kind: 'client-certificate-demanded'; readonly durationMs: Millis }
  | Failure;

// --- Mail

/** How far one mail server went in accepting a message. Nothing is sent. */
export interface MailObservation {
  /** `host:port`, as configured. */
  readonly server: string;
  readonly security: 'starttls' | 'tls' | 'none';
  /** Whether another server that works is no substitute. */
  readonly required: boolean;
  /** How long FortiAuthenticator waits for it. */
  readonly patience: Millis;
  readonly outcome: MailOutcome;
  /** When the first certificate of its chain ends; null: there was no TLS, or the chain was not verified. */
  readonly certificateNotAfter: EpochMs | null;
  /** Whether FortiAuthenticator's own mailer may do instead, looked at only while no server works. */
  readonly recipientServers: readonly RecipientServerObservation[];
  /** Left out where it never put this machine off for as long as the shortest life of a code. */
  readonly deferral?: MailDeferral;
  /** FortiAuthenticator named the server, and its API does not tell whether and how it logs in. */
  readonly isLoginUnknown?: true;
}

/** A server that asked to come back later (greylisting). */
export interface MailDeferral {
  /** From the first look that it put off until the one that it took, or until now. */
  readonly lasted: Millis;
  /** How long an activation code lives, by what FortiAuthenticator says; null: it does not say. */
  readonly codeLife: Millis | null;
}

/** Whether a mail server of a domain of recipients greets this machine. */
export interface RecipientServerObservation {
  readonly domain: string;
  /** Those that were tried, the most preferred first. */
  readonly hosts: readonly string[];
  readonly outcome: { readonly kind: 'greets'; readonly durationMs: Millis } | Failure;
}

export type MailStage = 'connect' | 'greeting' | 'ehlo' | 'tls' | 'login' | 'sender' | 'recipient';

export type MailOutcome =
  | {
      readonly kind: 'accepted';
      readonly durationMs: Millis;
      /** The longest that it let one step wait: connection, greeting with all up to the encryption, a command. */
      readonly slowestMs: Millis;
      readonly greeting: string;
    }
  | (Failure & {
      readonly stage: MailStage;
      /** SMTP reply code (RFC 5321 §4.2), where the server gave one. */
      readonly code: number | null;
      /** `DEPTH_ZERO_SELF_SIGNED_CERT` and the like, for stage `tls`; `NO_STARTTLS` when it was not offered. */
      readonly tlsError: string | null;
      /** Who issued the certificate that does not verify. */
      readonly issuer?: DistinguishedName;
    });

// --- Clock

/**
 * The time of somebody else: a control host's `Date` header or an NTP server. `certificate`: the header of a server
 * that proved who it is, whose certificate is valid at its own time and not at ours.
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
        /** How far off the figure may be by itself (a `Date` header has whole seconds; half the round trip). */
        readonly precisionMs: Millis;
      }
    | Failure;
}

/** What OpenSSL says of a chain. */
export interface OpensslWord {
  /** Its code, `PATH_LENGTH_EXCEEDED`; null: it takes the chain. */
  readonly refusal: string | null;
}

export type BlockedOutcome = Extract<TlsOutcome, { readonly kind: 'failed' }>;

/** `cut`: reset, closed, or ended by an alert; `silence`: nothing came. */
export type Ending = 'cut' | 'silence';

const BLOCKING: ReadonlySet<FailureReason> = new Set<FailureReason>([
  'timeout',
  'reset',
  'closed',
  'tls',
  'protocol',
  'rejected',
]);

/** Ended before any certificate, by somebody else than us. */
export function isBlocked(outcome: TlsOutcome | null): outcome is BlockedOutcome {
  return outcome?.kind === 'failed' && outcome.chain === null && BLOCKING.has(outcome.reason);
}

export function endingOf({ reason }: BlockedOutcome): Ending {
  return reason === 'timeout' ? 'silence' : 'cut';
}

/**
 * The addresses of a target that decide whether it works. IPv4 does where the name has IPv4 addresses and this machine
 * a route to one of them, NAT64 included, else IPv6: which family FortiAuthenticator prefers is documented nowhere, and
 * IPv4 is what it always has.
 */
export function decidingAddresses(endpoints: readonly EndpointObservation[]): readonly EndpointObservation[] {
  const ipv6 = endpoints.filter(({ address }) => servedFamily(address) === 6);
  const ipv4 = endpoints.filter((endpoint) => !ipv6.includes(endpoint));
  const canTry = (family: readonly EndpointObservation[]): boolean =>
    family.some((endpoint) => !isWithoutRoute(endpoint));
  return ipv4.length === 0 || (!canTry(ipv4) && canTry(ipv6)) ? ipv6 : ipv4;
}

/** It says nothing about the target: this machine cannot even try. */
export function isWithoutRoute({ tcp }: EndpointObservation): boolean {
  return tcp.kind === 'failed' && tcp.reason === 'no-route' && tcp.beyond !== true;
}

/** Where the message says less than the kind of failure and its time; otherwise the message is shown as it is. */
const WORDS: Readonly<Partial<Record<FailureReason, (failure: Failure) => string>>> = {
  timeout: ({ durationMs }) => `no answer within ${spanText(durationMs)}`,
  refused: () => 'connection refused',
  reset: ({ durationMs }) => `reset after ${spanText(durationMs)}`,
  closed: ({ durationMs }) => `closed by the peer after ${spanText(durationMs)}`,
  'no-route': ({ message }) => `no route (${message})`,
  aborted: () => 'called off',
  internal: ({ message }) => `could not be looked at (${message})`,
};

/** What a failure looks like to an administrator: `no answer within 3 s`, `connection refused`, `reset after 12 ms`. */
export function describeFailure(failure: Failure): string {
  return WORDS[failure.reason]?.(failure) ?? failure.message;
}

/**
 * What more was asked of one address at which the handshake ended before any certificate. Null: it was not asked, or
 * its port did not open that time.
 */
export interface CloserLook {
  readonly address: string;
  /** How long each TCP connection to the address took to open; empty through a proxy, and after silence. */
  readonly connects: readonly Millis[];
  /** The longest that this process stalled meanwhile. */
  readonly stalledMs: Millis;
  /** The same hello once more. */
  readonly again: TlsOutcome | null;
  /** A hello with another server name, or without one (`name` null). */
  readonly otherName: { readonly name: string | null; readonly outcome: TlsOutcome } | null;
  /** A hello that a server can only refuse, in a few bytes. */
  readonly refusable: TlsOutcome | null;
  /** What the control hosts showed whose port opened. */
  readonly controls: readonly TlsOutcome[];
}

/** From a second on it is a SYN that was repeated (RFC 6298 §2: the first is repeated after one second). */
const REPEATED_SYN: Millis = 1000;
/** Below that, timers and scheduling are larger than what is measured. */
const SHORTEST: Millis = 4;

/**
 * The round trip at the least, by how long connects took; null: with less than `fewest` of them it is not known well
 * enough to conclude anything from it. A busy process notices late that a connection is open: by so much it may have
 * been faster.
 */
export function leastRoundTrip(connects: readonly Millis[], stalledMs: Millis, fewest: number): Millis | null {
  const single = connects.filter((ms) => ms < REPEATED_SYN);
  const least = Math.min(...single) - stalledMs;
  return single.length < fewest || least < SHORTEST ? null : least;
}
