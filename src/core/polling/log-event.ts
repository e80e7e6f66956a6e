import type { EpochMs } from '../clock.ts';
import { addressInAny } from '../addresses.ts';

/** How a line was received. A closed set, used as a metric label. */
export type LogSource = (typeof LOG_SOURCES)[number];

export const LOG_SOURCES = ['udp', 'tcp', 'tls', 'file'] as const;

/**
 * How a line was classified. `ftm`: a known problem. `unrecognised`: about FortiToken Mobile, but not a known text.
 * `other`: irrelevant. `foreign`: from a sender that is not a configured appliance. `unparsed`: not a log line (binary,
 * truncated). `dropped`: never seen, because the kernel dropped it or the connection limit was reached.
 */
export type LogResult = (typeof LOG_RESULTS)[number];

export const LOG_RESULTS = ['ftm', 'unrecognised', 'other', 'foreign', 'unparsed', 'dropped'] as const;

/**
 * How a log connection ended up: `accepted`; closed because there were too many (`over-limit`), a line was not finished
 * in time (`timed-out`) or the sender is unknown (`refused`); or TLS failed because the certificate is missing
 * (`no-certificate`) or for another reason (`failed-handshake`). A closed set, used as a metric label.
 */
export type ConnectionResult = (typeof CONNECTION_RESULTS)[number];

export const CONNECTION_RESULTS = [
  'accepted',
  'over-limit',
  'timed-out',
  'refused',
  'no-certificate',
  'failed-handshake',
] as const;

/** An event from the log. Equal lines that arrive together are one event with a count, so that floods stay cheap. */
export type LogEvent = FtmEvent | FirewallEvidenceEvent | HeardEvent;

/** A known problem in an appliance's log. */
interface FtmEvent {
  readonly kind: 'ftm';
  /** Configured name. Null if none is configured or if the line does not identify the appliance. */
  readonly appliance: string | null;
  /** Id of the signature, from a closed set. */
  readonly signature: string;
  /** Time of arrival. For a line that was read late from a file, the time when it was logged. */
  readonly at: EpochMs;
  /** Number of identical lines that arrived together, at least 1. */
  readonly count: number;
  /**
   * The last of these lines: control characters replaced, codes masked, cut to 1024 characters. For people, never a
   * label.
   */
  readonly line: string;
  readonly source: LogSource;
}

/**
 * A firewall log line which shows that traffic to the licence server is inspected. Its texts are hostile: for people,
 * never a label.
 */
interface FirewallEvidenceEvent {
  readonly kind: 'firewall-evidence';
  readonly signature: string;
  readonly at: EpochMs;
  readonly count: number;
  readonly evidence: FirewallEvidence;
  readonly line: string;
  readonly source: LogSource;
}

export interface FirewallEvidence {
  /** `devname`, otherwise `devid`. */
  readonly device: string | null;
  readonly policy: string | null;
  /** Name of the SSL/SSH inspection profile. */
  readonly profile: string | null;
  readonly action: string | null;
  readonly sourceAddress: string | null;
  readonly destinationAddress: string | null;
  /** `hostname`, otherwise `sni`. */
  readonly hostName: string | null;
}

/** An appliance logged something, whatever it was. At most one event per second and appliance. */
interface HeardEvent {
  readonly kind: 'heard';
  readonly appliance: string | null;
  readonly at: EpochMs;
}

/** The relevant traffic: from FortiAuthenticator to the licence server. */
export interface WatchedTraffic {
  /** Host names of the licence server. */
  readonly hosts: readonly string[];
  /** Its addresses and CIDR blocks. */
  readonly addresses: readonly string[];
}

/**
 * Reports whether a firewall's line is about the licence server. A firewall logs the inspection of all users' traffic,
 * but only inspection of the licence server's traffic is evidence. The host name decides, or the address if the line
 * has no host name.
 */
export function concernsLicenseServer(evidence: FirewallEvidence, watched: WatchedTraffic): boolean {
  if (evidence.hostName !== null) {
    const name = evidence.hostName.toLowerCase();
    return watched.hosts.some((host) => host.toLowerCase() === name) || addressInAny(name, watched.addresses);
  }
  return evidence.destinationAddress !== null && addressInAny(evidence.destinationAddress, watched.addresses);
}

/** APP-NAME of our own lines (RFC 5424 §6.2.5), which identifies them when a relay sends them back. */
export const OWN_PROGRAM = 'ftm-watch';
