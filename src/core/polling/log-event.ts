import type { EpochMs, Millis } from '../clock.ts';
import { addressInAny } from '../addresses.ts';

/** A closed set, because the values are used as a metric label. */
export type LogSource = (typeof LOG_SOURCES)[number];

export const LOG_SOURCES = ['udp', 'tcp', 'tls', 'file'] as const;

/**
 * `ftm`: a known problem. `unrecognised`: about FortiToken Mobile, but the message is unknown. `foreign`: the sender is
 * not a configured appliance. `unparsed`: binary or truncated. `dropped`: lost in the kernel or at the connection
 * limit.
 */
export type LogResult = (typeof LOG_RESULTS)[number];

export const LOG_RESULTS = ['ftm', 'unrecognised', 'other', 'foreign', 'unparsed', 'dropped'] as const;

/**
 * `over-limit`: there were too many connections. `timed-out`: a line was not completed. `refused`: the sender is
 * unknown. `no-certificate`, `failed-handshake`: TLS failed because there was no certificate, or for a different
 * reason.
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

/** Identical lines that arrive together form one event with a count, so that floods of lines need few resources. */
export type LogEvent = FtmEvent | FirewallEvidenceEvent | HeardEvent;

export interface FtmEvent {
  readonly kind: 'ftm';
  /** Null if no appliance is configured or the line does not identify one. */
  readonly appliance: string | null;
  readonly signature: string;
  /** Time when the line arrived. If the line was read late from a file, the time when it was logged. */
  readonly at: EpochMs;
  /** How far the line's own time is ahead of this machine's clock. Absent if it is not ahead. */
  readonly ahead?: Millis;
  /** Number of identical lines that arrived together. */
  readonly count: number;
  /**
   * The last of the identical lines, with control characters replaced and codes masked. At most 1024 characters. Only
   * displayed, and never used as a label value.
   */
  readonly line: string;
  /** Whether nobody else can easily write lines in the sender's name (`isReliable` in `logs/senders.ts`). */
  readonly reliable: boolean;
}

/** Inspection of traffic to the licence server. Text from the line is untrusted and only displayed. */
interface FirewallEvidenceEvent {
  readonly kind: 'firewall-evidence';
  readonly signature: string;
  readonly at: EpochMs;
  readonly count: number;
  readonly evidence: FirewallEvidence;
  readonly line: string;
  /** As for an `ftm` event. */
  readonly reliable: boolean;
  /** False if the traffic does not come from a unit, as far as the configuration shows (`isOfUnit`). */
  readonly ofUnit: boolean;
}

export interface FirewallEvidence {
  /** `devname`, or `devid` if it is missing. */
  readonly device: string | null;
  readonly policy: string | null;
  /** SSL/SSH inspection profile. */
  readonly profile: string | null;
  readonly action: string | null;
  readonly sourceAddress: string | null;
  readonly destinationAddress: string | null;
  /** `hostname`, or `sni` if it is missing. */
  readonly hostName: string | null;
}

/**
 * An appliance logged a line, whatever its content. Created at most once per second for each appliance, separately for
 * reliable and other lines.
 */
interface HeardEvent {
  readonly kind: 'heard';
  readonly appliance: string | null;
  readonly at: EpochMs;
  /** As for an `ftm` event. False for a firewall, whose lines do not show what an appliance logs. */
  readonly reliable: boolean;
}

/** TLS handshakes that an appliance ended because it does not accept the certificate of the syslog listener. */
export interface CertificateRejection {
  readonly appliance: string;
  readonly count: number;
  readonly lastAt: EpochMs;
  /** DNS names and addresses in the certificate. */
  readonly names: readonly string[];
}

/** Hosts and addresses that identify traffic to the licence server. */
export interface WatchedTraffic {
  readonly hosts: readonly string[];
  /** Addresses and CIDR blocks. */
  readonly addresses: readonly string[];
  /** Addresses from which the units connect. Empty if the address of any unit is unknown. */
  readonly sources: readonly string[];
}

/**
 * A firewall logs the inspection of any traffic, but only inspected traffic to the licence server is evidence. If the
 * line has no host name, the address is compared.
 */
export function concernsLicenseServer(evidence: FirewallEvidence, watched: WatchedTraffic): boolean {
  if (evidence.hostName !== null) {
    const name = evidence.hostName.toLowerCase();
    return watched.hosts.some((host) => host.toLowerCase() === name) || addressInAny(name, watched.addresses);
  }
  return evidence.destinationAddress !== null && addressInAny(evidence.destinationAddress, watched.addresses);
}

/**
 * Returns whether the traffic can come from FortiAuthenticator. Any user of the network can request the licence server's
 * name through a firewall that inspects users on purpose.
 */
export function isOfUnit(
  { sourceAddress, destinationAddress }: FirewallEvidence,
  { addresses, sources }: WatchedTraffic,
): boolean {
  const isOther = (address: string | null, known: readonly string[]): boolean =>
    address !== null && known.length > 0 && !addressInAny(address, known);
  return !isOther(sourceAddress, sources) && !isOther(destinationAddress, addresses);
}

/** APP-NAME (RFC 5424 §6.2.5), which identifies ftm-watch's own messages if a relay sends them back. */
export const OWN_PROGRAM = 'ftm-watch';
