import type { EpochMs } from '../clock.ts';
import { addressInAny } from '../addresses.ts';

/**
 * Way in which a log line was received. The values are a closed set, because they are used as values of a metric label.
 */
export type LogSource = (typeof LOG_SOURCES)[number];

export const LOG_SOURCES = ['udp', 'tcp', 'tls', 'file'] as const;

/**
 * Classification of a log line. `ftm`: the line shows a known problem. `unrecognised`: the line is about FortiToken
 * Mobile, but its message is unknown. `other`: the line is irrelevant. `foreign`: the sender is not a configured
 * appliance. `unparsed`: the data is not a log line (binary or truncated). `dropped`: the line was lost, because the
 * kernel dropped it or the connection limit was reached.
 */
export type LogResult = (typeof LOG_RESULTS)[number];

export const LOG_RESULTS = ['ftm', 'unrecognised', 'other', 'foreign', 'unparsed', 'dropped'] as const;

/**
 * Result of a log connection. `accepted`: lines were accepted. `over-limit`: there were too many connections.
 * `timed-out`: a line was not completed in time. `refused`: the sender is unknown. `no-certificate`: TLS failed because
 * the certificate is missing. `failed-handshake`: TLS failed for another reason. The values are a closed set, because
 * they are used as values of a metric label.
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

/**
 * An event from the log. Identical lines that arrive together form one event with a count, so that floods of lines need
 * few resources.
 */
export type LogEvent = FtmEvent | FirewallEvidenceEvent | HeardEvent;

/** A known problem in an appliance's log. */
interface FtmEvent {
  readonly kind: 'ftm';
  /**
   * Configured name of the appliance. Null if no appliance is configured or the line does not identify the appliance.
   */
  readonly appliance: string | null;
  /** ID of the matching signature, from a closed set. */
  readonly signature: string;
  /** Time when the line arrived. If the line was read late from a file, the time when the line was logged. */
  readonly at: EpochMs;
  /** Number of identical lines that arrived together, at least 1. */
  readonly count: number;
  /**
   * The last of the identical lines, with control characters replaced and codes masked. Limited to 1024 characters. The
   * text is only displayed and never used as a label value.
   */
  readonly line: string;
  readonly source: LogSource;
}

/**
 * Evidence from a firewall log line that traffic to the licence server is inspected. Text from the line is untrusted.
 * Such text is only displayed and never used as a label value.
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
  /** Value of the field `devname`. If it is missing, the value of `devid`. */
  readonly device: string | null;
  readonly policy: string | null;
  /** Name of the SSL/SSH inspection profile. */
  readonly profile: string | null;
  readonly action: string | null;
  readonly sourceAddress: string | null;
  readonly destinationAddress: string | null;
  /** Value of the field `hostname`. If it is missing, the value of `sni`. */
  readonly hostName: string | null;
}

/** Event that an appliance logged any line. Created at most once per second for each appliance. */
interface HeardEvent {
  readonly kind: 'heard';
  readonly appliance: string | null;
  readonly at: EpochMs;
}

/** Destination of the traffic to watch, which is the licence server. */
export interface WatchedTraffic {
  /** Host names of the licence server. */
  readonly hosts: readonly string[];
  /** Addresses and CIDR blocks of the licence server. */
  readonly addresses: readonly string[];
}

/**
 * Reports whether a firewall's log line is about the licence server. A firewall logs inspection of all traffic, but
 * only inspected traffic to the licence server is evidence. The host name is compared. If the line has no host name,
 * the address is compared.
 */
export function concernsLicenseServer(evidence: FirewallEvidence, watched: WatchedTraffic): boolean {
  if (evidence.hostName !== null) {
    const name = evidence.hostName.toLowerCase();
    return watched.hosts.some((host) => host.toLowerCase() === name) || addressInAny(name, watched.addresses);
  }
  return evidence.destinationAddress !== null && addressInAny(evidence.destinationAddress, watched.addresses);
}

/**
 * APP-NAME in the log messages of ftm-watch (RFC 5424 §6.2.5). This name identifies messages that a relay sends back.
 */
export const OWN_PROGRAM = 'ftm-watch';
