import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { ApplianceConfig } from '../config/schema/watched.ts';
import { addressInAny } from '../core/addresses.ts';
import type { LogSource } from '../core/polling/log-event.ts';
import { readEnvelope, readHeaders, type Envelope } from './envelope.ts';
import type { Clock, Millis } from '../core/clock.ts';
import type { IntakeLogger } from './tally.ts';
import { maskedLine } from '../text/mask.ts';

/**
 * `appliance`: a configured appliance, or null for an accepted sender that is not an appliance. `isKnown` is false if
 * the sender is accepted only because no sender is configured. `firewall`: the host of a configured firewall. `relay`:
 * a configured sender or file. The host in its lines is trusted. `unproven`: its lines may still belong to an appliance
 * that is configured by name. `foreign`: its lines are never accepted.
 */
export type Origin =
  | { readonly kind: 'appliance'; readonly appliance: string | null; readonly isKnown: boolean }
  | { readonly kind: 'firewall' }
  | { readonly kind: 'relay' }
  | { readonly kind: 'unproven' }
  | { readonly kind: 'foreign' };

export interface Attribution {
  /** Identifies a sender by its IP address, as reported by the operating system. */
  sender(address: string): Origin;
  /** Identifies a sender by its verified certificate. Null if the certificate is not assigned. */
  proven(certificate: X509Certificate): Origin | null;
  /** True if a sender that is always accepted has this address. Other senders may share the address. */
  expects(address: string): boolean;
  /** Returns the address in an appliance's `logSources` from which a sender connects, or null. */
  logSource(address: string): string | null;
  file(): Origin;
  /** Looks up the host in a trusted line. The host can be an address, a full name, or the first label of a name. */
  readonly host: OwnerOfHost;
  /**
   * Looks up the host name in an untrusted line. Addresses are ignored, because the connection shows the sender's
   * actual address.
   */
  readonly hostName: OwnerOfHost;
  /** The hosts in a line's headers, as in its envelope. */
  readonly hostsIn: (line: string) => Envelope['hosts'];
  /** Returns whether a host in a line's headers is one of the configured relays. */
  isRelay(host: string): boolean;
  /**
   * The appliance, if only one is configured. FortiAuthenticator lines in a configured file are attributed to this
   * appliance if they contain no known host.
   */
  readonly only: string | null;
}

interface OtherSenders {
  readonly firewalls: readonly string[];
  /**
   * Addresses, CIDR blocks, and the names that relays write about themselves. If there is an address, other senders are
   * trusted only if their address is known.
   */
  readonly relays: readonly string[];
  /**
   * For each of these appliances, lines from the network are accepted only if the sender presents the appliance's
   * certificate.
   */
  readonly certificates?: readonly BoundCertificate[];
}

interface BoundCertificate {
  /** A name in the certificate, or the certificate's fingerprint. */
  readonly name: string;
  readonly appliance: string;
}

type Appliances = readonly Pick<ApplianceConfig, 'name' | 'logSources'>[];
type Sources = Readonly<Record<'addresses' | 'names', ReadonlyMap<string, string>>>;

const ANYBODY: Origin = { kind: 'appliance', appliance: null, isKnown: false };
const FIREWALL: Origin = { kind: 'firewall' };
const RELAY: Origin = { kind: 'relay' };
const UNPROVEN: Origin = { kind: 'unproven' };
const FOREIGN: Origin = { kind: 'foreign' };

/**
 * If no appliances are configured, every sender is accepted and lines are not attributed. If the only appliance has no
 * `logSources`, all lines are attributed to that appliance.
 */
export function createAttribution(appliances: Appliances, others: OtherSenders): Attribution {
  const { firewalls, relays, certificates = [] } = others;
  const sources = sourcesOf(appliances);
  const { addresses } = sources;
  const bound = new Set(certificates.map(({ appliance }) => appliance));
  const open = sourcesOf(appliances.filter(({ name }) => !bound.has(name)));
  const byAddress = new Map<string, Origin>(firewalls.map((address) => [normalAddress(address), FIREWALL]));
  for (const [address, appliance] of open.addresses)
    byAddress.set(address, { kind: 'appliance', appliance, isKnown: true });
  const only = appliances.length === 1 ? (appliances[0]?.name ?? null) : null;
  const believed = addresses.size + sources.names.size > 0 ? RELAY : originWithoutSources(appliances, only);
  const configured: Origin = believed.kind === 'appliance' ? { ...believed, isKnown: true } : believed;
  const relayNames = new Set(relays.map((relay) => relay.toLowerCase()));
  const unknownSenders = relays.some((relay) => isIP(relay.replace(/\/.*$/u, '')) !== 0)
    ? FOREIGN
    : originOfUnknownSenders(open, bound.size > 0 ? FOREIGN : believed);

  return {
    sender: (address) => {
      const normal = normalAddress(address);
      return byAddress.get(normal) ?? (addressInAny(normal, relays) ? configured : unknownSenders);
    },
    proven: (certificate) => {
      const found = certificates.find(({ name }) => isOf(certificate, name));
      return found === undefined ? null : { kind: 'appliance', appliance: found.appliance, isKnown: true };
    },
    expects: (address) => {
      const normal = normalAddress(address);
      return addresses.has(normal) || byAddress.has(normal) || addressInAny(normal, relays);
    },
    logSource: (address) => (addresses.has(normalAddress(address)) ? normalAddress(address) : null),
    file: () => configured,
    host: (name) =>
      byName(sources, name) ??
      addresses.get(name) ??
      (name.includes(':') ? addresses.get(normalAddress(name)) : undefined),
    hostName: (name) => byName(open, name),
    hostsIn: createHostReader(),
    isRelay: (host) => {
      const normal = normalAddress(host);
      return relayNames.has(normal) || relayNames.has(firstLabel(normal)) || addressInAny(normal, relays);
    },
    only,
  };
}

/** Compares the fingerprint (RFC 5425 §4.2.2), the DNS names, or the common name if there is no DNS name (§5.2). */
function isOf(certificate: X509Certificate, name: string): boolean {
  const [, fingerprint] = /^sha-256:(.+)$/iu.exec(name) ?? [];
  return fingerprint === undefined
    ? certificate.checkHost(name) !== undefined
    : certificate.fingerprint256 === fingerprint.toUpperCase();
}

/** FortiAuthenticator's first field. */
const FIRST_FIELD = 'category="';
const MOST_HEADERS_KEPT = 1_024;

/** A unit's lines of one second mostly have the same headers, so headers in front of its fields are read once. */
function createHostReader(): Attribution['hostsIn'] {
  const known = new Map<string, Envelope['hosts']>();
  return (line) => {
    const end = line.indexOf(FIRST_FIELD);
    const head = line.slice(0, end + FIRST_FIELD.length);
    // A collector can have moved the fields to structured data, which is part of the header (RFC 5424 §6.3).
    if (end < 0 || head.includes(' [')) return readHeaders(line).hosts;
    const kept = known.get(head);
    if (kept !== undefined) return kept;
    const { hosts } = readHeaders(head);
    if (known.size >= MOST_HEADERS_KEPT) known.clear();
    known.set(head, hosts);
    return hosts;
  };
}

function byName({ names }: Sources, name: string): string | undefined {
  const normal = name.toLowerCase();
  return names.get(normal) ?? names.get(firstLabel(normal));
}

function firstLabel(name: string): string {
  return name.split('.', 1)[0] ?? '';
}

function sourcesOf(appliances: Appliances): Sources {
  const addresses = new Map<string, string>();
  const names = new Map<string, string>();
  for (const { name, logSources } of appliances) {
    for (const source of logSources) {
      const normal = normalAddress(source);
      (ipaddr.isValid(normal) ? addresses : names).set(normal, name);
    }
  }
  return { addresses, names };
}

function originWithoutSources(appliances: Appliances, only: string | null): Origin {
  if (appliances.length === 0) return ANYBODY;
  return only === null ? FOREIGN : { kind: 'appliance', appliance: only, isKnown: false };
}

function originOfUnknownSenders({ addresses, names }: Sources, believed: Origin): Origin {
  if (names.size > 0) return UNPROVEN;
  return addresses.size > 0 ? FOREIGN : believed;
}

/** For example, converts `::ffff:10.0.0.5` to `10.0.0.5`. Host names are converted to lower case. */
function normalAddress(address: string): string {
  const bare = address.replace(/^\[(.*)\]$/u, '$1').replace(/%.*$/u, '');
  // isValid accepts "5" as 0.0.0.5.
  return (bare.includes('.') || bare.includes(':')) && ipaddr.isValid(bare)
    ? ipaddr.process(bare).toString()
    : address.toLowerCase();
}

interface Sender {
  readonly origin: Origin;
  readonly source: LogSource;
}

/**
 * Returns whether nobody else can easily write lines in this sender's name: a followed file, or a connection from a
 * configured address or with a configured certificate. A handshake verifies the address of a connection, but nothing
 * verifies the address of a datagram.
 */
export function isReliable({ origin, source }: Sender): boolean {
  switch (source) {
    case 'udp':
      return false;
    case 'file':
      return true;
    case 'tcp':
    case 'tls':
      return origin.kind === 'appliance' ? origin.isKnown : origin.kind === 'relay' || origin.kind === 'firewall';
  }
}

/** Returns null if the line is accepted but not attributed, and undefined if it does not belong to any appliance. */
export function ownerOf(line: string, { origin, source }: Sender, attribution: Attribution): string | null | undefined {
  switch (origin.kind) {
    case 'appliance':
      return origin.appliance;
    case 'firewall':
      return null;
    case 'foreign':
      return undefined;
    case 'unproven':
      return ownerInHeaders(attribution.hostsIn(line), attribution.hostName, attribution);
    case 'relay': {
      const hosts = attribution.hostsIn(line);
      if (hosts.length > 0) return ownerInHeaders(hosts, attribution.host, attribution);
      return isOfOnlyUnit(line, source) ? (attribution.only ?? undefined) : undefined;
    }
  }
}

/** Lines without a host come from a relay that removes headers, or from a file that such a relay wrote. */
function isOfOnlyUnit(line: string, source: LogSource): boolean {
  const { tagged, body } = readEnvelope(line);
  return (source === 'file' && tagged) || (body.kind === 'message' && body.complete);
}

type OwnerOfHost = (host: string) => string | undefined;

/**
 * A relay writes a header in front of the line that it received. Therefore, the first header that is not a relay's
 * shows who sent the line. The text behind that header was written by the sender, and is ignored.
 */
export function ownerInHeaders(
  headers: Envelope['hosts'],
  ownerOfHost: OwnerOfHost,
  { isRelay }: Pick<Attribution, 'isRelay'>,
): string | undefined {
  for (const hosts of headers) {
    const owner = hosts.map(ownerOfHost).find((known) => known !== undefined);
    if (owner !== undefined || !hosts.some(isRelay)) return owner;
  }
  return undefined;
}

interface SenderLogDeps {
  readonly clock: Clock;
  readonly logger: IntakeLogger;
}

const MOST_TOLD = 50;
const WITHIN: Millis = 3_600_000;

/**
 * Allows one message per sender and a fixed number per hour. Otherwise, an attacker could fill the log by sending lines
 * from many forged addresses.
 */
function senderTurns(clock: Clock): {
  readonly told: ReadonlyMap<string, Millis>;
  readonly take: (from: string) => boolean;
} {
  const told = new Map<string, Millis>();

  function hasRoom(now: Millis): boolean {
    const oldest = told.entries().next().value;
    if (told.size < MOST_TOLD || oldest === undefined) return true;
    const [from, at] = oldest;
    return now - at >= WITHIN && told.delete(from);
  }

  return {
    told,
    take: (from) => {
      const now = clock.elapsed();
      if (told.has(from) || !hasRoom(now)) return false;
      told.set(from, now);
      return true;
    },
  };
}

export type UnknownSenderLog = ReturnType<typeof createUnknownSenderLog>;

/** Logs each unknown sender once. The usual cause is a missing address in an appliance's `logSources`. */
export function createUnknownSenderLog({ clock, logger }: SenderLogDeps): {
  note(from: string, line: string): void;
  /** The most recently logged senders, in order. */
  senders(): readonly string[];
} {
  const { told, take } = senderTurns(clock);
  return {
    senders: () => [...told.keys()],
    note: (from, line) => {
      if (!take(from)) return;
      const [[host = null] = []] = readHeaders(line).hosts;
      logger.warn(
        { event: 'log-lines-not-attributed', sender: from, hostInLine: host === null ? null : sampleOf(host) },
        'Log lines do not belong to any appliance. Add the sender and the host in the line to logs.relays if they are ' +
          'a relay, or otherwise to appliances[].logSources',
      );
    },
  };
}

export type UnrecognisedLog = ReturnType<typeof createUnrecognisedLog>;

/**
 * Logs lines that contain an FTM keyword but match no signature, once per sender. Such a line may have a new format, or
 * may come from an attacker who used a keyword as a user name.
 */
export function createUnrecognisedLog({ clock, logger }: SenderLogDeps): (from: string, line: string) => void {
  const { take } = senderTurns(clock);
  return (from, line) => {
    if (!take(from)) return;
    logger.warn(
      { event: 'log-line-not-recognised', sender: from, line: sampleOf(line) },
      'A log line seems to be about FortiToken Mobile but has no matching signature. If it is an error, add a ' +
        'signature (logs.signatureFiles)',
    );
  };
}

const MAX_SAMPLE = 1024;

/** Includes characters that reverse, hide or break text. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/**
 * Makes a line safe to display in mails and terminals. Control characters, names, codes and secrets are removed, and
 * the line is limited to 1024 characters.
 */
export function sampleOf(line: string): string {
  const masked = maskedLine(line.replace(UNPRINTABLE, '\u{FFFD}'));
  const cut = masked.length > MAX_SAMPLE ? `${masked.slice(0, MAX_SAMPLE - 1)}…` : masked;
  // The text may have been cut in the middle of a character.
  return cut.toWellFormed().trim();
}
