import type { EpochMs } from '../clock.ts';
import { addressInAny } from '../addresses.ts';

/** The way a line came in: a closed set, used as a metric label. */
export type LogSource = (typeof LOG_SOURCES)[number];

export const LOG_SOURCES = ['udp', 'tcp', 'tls', 'file'] as const;

/**
 * What became of a line: `ftm` a known trouble, `unrecognised` about FortiToken Mobile, but no text that is known,
 * `other` nothing to us, `foreign` from a sender that no appliance names, `unparsed` not a log line at all (binary,
 * cut), `dropped` never seen: by the kernel, or a connection over the limit.
 */
export type LogResult = (typeof LOG_RESULTS)[number];

export const LOG_RESULTS = ['ftm', 'unrecognised', 'other', 'foreign', 'unparsed', 'dropped'] as const;

/**
 * What became of a connection that lines were to come by: `accepted`; closed since there were too many (`over-limit`),
 * since it did not end a line in time (`timed-out`), or since nobody knows the sender (`refused`); or no TLS came about,
 * for want of a certificate (`no-certificate`) or otherwise (`failed-handshake`). A closed set, used as a metric label.
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

/** What the log says. Equal lines that arrive together are one event with a count, so a flood stays cheap. */
export type LogEvent = FtmEvent | FirewallEvidenceEvent | HeardEvent;

/** A known trouble in an appliance's log. */
export interface FtmEvent {
  readonly kind: 'ftm';
  /** Configured name; null when none is configured or the line does not tell. */
  readonly appliance: string | null;
  /** Id of the signature: a closed set. */
  readonly signature: string;
  /** Arrival; for a line that was read late from a file, when it was logged. */
  readonly at: EpochMs;
  /** Lines alike that arrived together, at least 1. */
  readonly count: number;
  /** The last of them: control characters replaced, codes masked, cut to 1024 characters. For people, never a label. */
  readonly line: string;
  readonly source: LogSource;
}

/** A firewall says that it inspects traffic to the licence server. Its texts are hostile: for people, never a label. */
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
  /** `devname`, else `devid`. */
  readonly device: string | null;
  readonly policy: string | null;
  /** Name of the SSL/SSH inspection profile. */
  readonly profile: string | null;
  readonly action: string | null;
  readonly sourceAddress: string | null;
  readonly destinationAddress: string | null;
  /** `hostname`, else `sni`. */
  readonly hostName: string | null;
}

/** An appliance wrote something, whatever it was. At most one a second for each appliance. */
interface HeardEvent {
  readonly kind: 'heard';
  readonly appliance: string | null;
  readonly at: EpochMs;
}

/** The traffic that matters: FortiAuthenticator's to the licence server. */
export interface WatchedTraffic {
  /** Host names of the licence server. */
  readonly hosts: readonly string[];
  /** Its addresses and CIDR blocks. */
  readonly addresses: readonly string[];
}

/**
 * Whether a firewall's line is about the licence server. A firewall logs the inspection of every user's traffic; only
 * the licence server's proves anything. Its name decides, or its address where the line names no host.
 */
export function concernsLicenseServer(evidence: FirewallEvidence, watched: WatchedTraffic): boolean {
  if (evidence.hostName !== null) {
    const name = evidence.hostName.toLowerCase();
    return watched.hosts.some((host) => host.toLowerCase() === name) || addressInAny(name, watched.addresses);
  }
  return evidence.destinationAddress !== null && addressInAny(evidence.destinationAddress, watched.addresses);
}

/** The APP-NAME of our own lines (RFC 5424 §6.2.5), by which they are known when they come back through a relay. */
export const OWN_PROGRAM = 'ftm-watch';
