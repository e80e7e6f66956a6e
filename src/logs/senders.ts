import type { X509Certificate } from 'node:crypto';
import ipaddr from 'ipaddr.js';
import type { ApplianceConfig } from '../config/schema/connectors.ts';
import { addressInAny } from '../core/addresses.ts';
import type { LogSource } from '../core/polling/log-event.ts';
import type { FramedLine } from './framing.ts';
import { readEnvelope } from './envelope.ts';
import type { Clock, Millis } from '../core/clock.ts';
import type { IntakeLogger } from './tally.ts';
import { maskedLine } from '../text/mask.ts';

/**
 * Trust level of a sender. `appliance`: a configured appliance, or null for an accepted sender that is not an
 * appliance. `relay`: a sender or file that the administrator configured, so that the host name or address in each line
 * is trusted. `unproven`: any other sender; its lines may still belong to an appliance that is configured by name.
 * `foreign`: an unknown sender, whose lines are never accepted.
 */
export type Origin =
  | { readonly kind: 'appliance'; readonly appliance: string | null }
  | { readonly kind: 'relay' }
  | { readonly kind: 'unproven' }
  | { readonly kind: 'foreign' };

/** Finds the appliance to which a line belongs. */
export interface Attribution {
  /** Returns the trust level of a sender by its address, as reported by the operating system. */
  sender(address: string): Origin;
  /** Returns the trust level of a sender by its verified certificate. Null if the certificate is not assigned. */
  proven(certificate: X509Certificate): Origin | null;
  /** Reports whether an accepted sender has this address. Other senders may have the same address. */
  expects(address: string): boolean;
  /** Returns the trust level of a file that the administrator configured. */
  file(): Origin;
  /**
   * Returns the appliance for the host in a trusted line. The host is an address, the whole name, or the first label of
   * the name. Returns undefined if the host does not belong to an appliance.
   */
  host(name: string): string | undefined;
  /**
   * Returns the appliance for the host name in an untrusted line. Addresses are not evaluated, because the connection
   * shows the sender's actual address.
   */
  hostName(name: string): string | undefined;
  /**
   * Appliance for a FortiAuthenticator line in a configured file if the line contains no known host. If exactly one
   * appliance is configured, the line is attributed to that appliance.
   */
  readonly only: string | null;
}

/** Senders that are accepted in addition to the appliances. */
interface OtherSenders {
  /** Addresses of firewalls that also send their logs. Firewalls are accepted as senders, but are not appliances. */
  readonly firewalls: readonly string[];
  /**
   * Addresses and CIDR blocks of relays. If there are any relays, other senders are trusted only if their address is
   * known.
   */
  readonly relays: readonly string[];
  /**
   * Certificates that are assigned to appliances. An appliance in this list is recognised over the network only by its
   * certificate.
   */
  readonly certificates?: readonly BoundCertificate[];
}

interface BoundCertificate {
  /** A name in the certificate, or the fingerprint of the certificate. */
  readonly name: string;
  readonly appliance: string;
}

export const NO_OTHERS: OtherSenders = { firewalls: [], relays: [] };

type Appliances = readonly Pick<ApplianceConfig, 'name' | 'logSources'>[];
type Sources = Readonly<Record<'addresses' | 'names', ReadonlyMap<string, string>>>;

const ANYBODY: Origin = { kind: 'appliance', appliance: null };
const RELAY: Origin = { kind: 'relay' };
const UNPROVEN: Origin = { kind: 'unproven' };
const FOREIGN: Origin = { kind: 'foreign' };

/**
 * Creates the attribution. If no appliances are configured, every sender is accepted and lines have no owner. A single
 * appliance without `logSources` owns every line.
 */
export function createAttribution(appliances: Appliances, others: OtherSenders): Attribution {
  const { firewalls, relays, certificates = [] } = others;
  const sources = sourcesOf(appliances);
  const { addresses } = sources;
  const bound = new Set(certificates.map(({ appliance }) => appliance));
  const open = sourcesOf(appliances.filter(({ name }) => !bound.has(name)));
  const byAddress = new Map<string, Origin>(firewalls.map((address) => [normalAddress(address), ANYBODY]));
  for (const [address, appliance] of open.addresses) byAddress.set(address, { kind: 'appliance', appliance });
  const only = appliances.length === 1 ? (appliances[0]?.name ?? null) : null;
  const believed = addresses.size + sources.names.size > 0 ? RELAY : originWithoutSources(appliances, only);
  const strangers = relays.length > 0 ? FOREIGN : originOfStrangers(open, bound.size > 0 ? FOREIGN : believed);

  return {
    sender: (address) => {
      const normal = normalAddress(address);
      return byAddress.get(normal) ?? (addressInAny(normal, relays) ? believed : strangers);
    },
    proven: (certificate) => {
      const found = certificates.find(({ name }) => isOf(certificate, name));
      return found === undefined ? null : { kind: 'appliance', appliance: found.appliance };
    },
    expects: (address) => {
      const normal = normalAddress(address);
      return addresses.has(normal) || byAddress.has(normal) || addressInAny(normal, relays);
    },
    file: () => believed,
    host: (name) =>
      byName(sources, name) ??
      addresses.get(name) ??
      (name.includes(':') ? addresses.get(normalAddress(name)) : undefined),
    hostName: (name) => byName(open, name),
    only,
  };
}

/**
 * Compares a certificate with its fingerprint (RFC 5425 §4.2.2) or a DNS name. If the certificate has no DNS name, the
 * common name is compared (§5.2).
 */
function isOf(certificate: X509Certificate, name: string): boolean {
  const [, fingerprint] = /^sha-256:(.+)$/iu.exec(name) ?? [];
  return fingerprint === undefined
    ? certificate.checkHost(name) !== undefined
    : certificate.fingerprint256 === fingerprint.toUpperCase();
}

function byName({ names }: Sources, name: string): string | undefined {
  const normal = name.toLowerCase();
  return names.get(normal) ?? names.get(normal.split('.', 1)[0] ?? '');
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
  return only === null ? FOREIGN : { kind: 'appliance', appliance: only };
}

function originOfStrangers({ addresses, names }: Sources, believed: Origin): Origin {
  if (names.size > 0) return UNPROVEN;
  return addresses.size > 0 ? FOREIGN : believed;
}

/**
 * Normalises an address, for example `::ffff:10.0.0.5` to `10.0.0.5`. Host names are converted to lower case. @internal
 */
export function normalAddress(address: string): string {
  const bare = address.replace(/^\[(.*)\]$/u, '$1').replace(/%.*$/u, '');
  // Without this check, isValid would accept "5" as 0.0.0.5.
  return (bare.includes('.') || bare.includes(':')) && ipaddr.isValid(bare)
    ? ipaddr.process(bare).toString()
    : address.toLowerCase();
}

interface Sender {
  readonly origin: Origin;
  readonly source: LogSource;
}

/**
 * Returns the appliance to which a line belongs. Returns null if the line is accepted without a name, and undefined if
 * it does not belong to any appliance.
 */
export function ownerOf(
  line: FramedLine,
  { origin, source }: Sender,
  attribution: Attribution,
): string | null | undefined {
  switch (origin.kind) {
    case 'appliance':
      return origin.appliance;
    case 'foreign':
      return undefined;
    case 'unproven':
      return named(line, (host) => attribution.hostName(host));
    case 'relay':
      return named(line, (host) => attribution.host(host)) ?? nameless(line, source, attribution);
  }
}

function named(
  { text, start, end }: FramedLine,
  ownerOfHost: (host: string) => string | undefined,
): string | undefined {
  const host = hostInLine(text, start, end);
  const owner = host === null ? undefined : ownerOfHost(host);
  if (owner !== undefined) return owner;
  for (const further of furtherHosts(text, start, end)) {
    const found = ownerOfHost(further);
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * Returns the only appliance for a line without a host. Lines without a host come from a relay that removes headers, or
 * from a file of such a relay.
 */
function nameless({ text, start, end }: FramedLine, source: LogSource, { only }: Attribution): string | undefined {
  if (only === null) return undefined;
  const isOnlys = (source === 'file' && hostInLine(text, start, end) === null) || isNameless(text, start, end);
  return isOnlys ? only : undefined;
}

const LESS_THAN = 0x3c;
const COLON = 0x3a;
const CLOSING_BRACKET = 0x5d;
const BLANK = 0x20;
const MAX_HOST = 255;
/** Text that is found in place of the host: a time after its date, a time zone, or the year. */
const OF_TIME = /^(?:\d{2}:\d{2}:\d{2}|[A-Z]{3,4}:? |[+-]\d|(?:19|20)\d{2} )/u;
/** Maximum length of the headers of a line. */
const LONGEST_HEADERS = 512;

/**
 * Returns the host name of a line, which is the word after the priority and the time (RFC 3164, ISO, RFC 5424),
 * otherwise the first word. Returns null if that word is the tag. This function must be fast, because it is called for
 * every line of a relay.
 */
export function hostInLine(text: string, start: number, end: number): string | null {
  const at = afterTime(text, afterPriority(text, start));
  const space = text.indexOf(' ', at);
  const stop = space < 0 || space > end ? end : space;
  if (stop <= at || stop - at > MAX_HOST) return null;
  const last = text.charCodeAt(stop - 1);
  return last === COLON || last === CLOSING_BRACKET ? null : text.slice(at, stop);
}

/**
 * Returns further hosts in a line with an unusual header or several headers. Returns an empty list if `hostInLine`
 * covers all hosts.
 */
export function furtherHosts(text: string, start: number, end: number): readonly string[] {
  const head = text.slice(start, Math.min(end, start + LONGEST_HEADERS));
  return isPlain(head) ? [] : readEnvelope(head).hosts;
}

/**
 * Reports whether this is a FortiAuthenticator line that has its fields but no host. Relays that remove headers forward
 * such lines.
 */
export function isNameless(text: string, start: number, end: number): boolean {
  const { hosts, body } = readEnvelope(text.slice(start, Math.min(end, start + LONGEST_HEADERS)));
  return hosts.length === 0 && body.kind === 'message' && body.complete;
}

/** Reports whether there is exactly one header, with an RFC 3164 or ISO time. */
function isPlain(head: string): boolean {
  const at = afterPriority(head, 0);
  const host = afterTime(head, at);
  if (host === at || head.startsWith('1 ', at - 2)) return false;
  const message = head.indexOf(' ', host) + 1;
  return (
    head.indexOf('<', at) < 0 &&
    afterTime(head, message) === message &&
    !head.includes('\t') &&
    !OF_TIME.test(head.slice(host))
  );
}

/** Returns the position after the priority, such as `<14>`, and the version of RFC 5424. */
function afterPriority(text: string, start: number): number {
  if (text.charCodeAt(start) !== LESS_THAN) return start;
  const close = text.indexOf('>', start);
  if (close < 0 || close > start + 4) return start;
  return text.startsWith('1 ', close + 1) ? close + 3 : close + 1;
}

/** Returns the position after the time. `Aug 14 22:32:52 ` has a fixed width, and an ISO time is one word. */
function afterTime(text: string, at: number): number {
  if (text.charCodeAt(at + 9) === COLON && text.charCodeAt(at + 12) === COLON && text.charCodeAt(at + 15) === BLANK)
    return at + 16;
  const code = text.charCodeAt(at);
  const isDigit = code >= 0x30 && code <= 0x39;
  if (!isDigit || text.charCodeAt(at + 4) !== 0x2d || text.charCodeAt(at + 7) !== 0x2d) return at;
  const space = text.indexOf(' ', at);
  return space < 0 ? at : space + 1;
}

/** Logs each unknown sender once. The usual cause is an address that is missing in an appliance's `logSources`. */
export interface StrangerLog {
  note(from: string, line: FramedLine): void;
  /** Returns the senders that were reported most recently, in order. */
  senders(): readonly string[];
}

const MOST_TOLD = 50;
const WITHIN: Millis = 3_600_000;

/**
 * Limits messages about senders to one per sender and a fixed number per hour. An attacker can forge any number of
 * addresses, and must not be able to fill the log or suppress messages about legitimate senders.
 */

class SenderTurns {
  readonly #clock: Clock;
  readonly #told = new Map<string, Millis>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Reports whether a message about this sender may be logged. If so, the message is counted as logged. */
  take(from: string): boolean {
    const now = this.#clock.elapsed();
    if (this.#told.has(from) || !this.#hasRoom(now)) return false;
    this.#told.set(from, now);
    return true;
  }

  senders(): readonly string[] {
    return [...this.#told.keys()];
  }

  #hasRoom(now: Millis): boolean {
    const oldest = this.#told.entries().next().value;
    if (this.#told.size < MOST_TOLD || oldest === undefined) return true;
    const [from, at] = oldest;
    return now - at >= WITHIN && this.#told.delete(from);
  }
}

export function createStrangerLog({
  clock,
  logger,
}: {
  readonly clock: Clock;
  readonly logger: IntakeLogger;
}): StrangerLog {
  const turns = new SenderTurns(clock);
  return {
    senders: () => turns.senders(),
    note: (from, line) => {
      if (!turns.take(from)) return;
      const host = hostInLine(line.text, line.start, Math.min(line.end, line.start + 512));
      logger.warn(
        { sender: from, hostInLine: host === null ? null : sampleOf(host) },
        'Log lines do not belong to any appliance. Add their sender to appliances[].logSources, or to logs.relays if ' +
          'it is a relay',
      );
    },
  };
}

/**
 * Logs lines that contain an FTM keyword but have no matching signature, once per sender and for at most 50 senders per
 * hour. The header or the text may be unknown. However, anyone who fails to log in can also use a keyword as user name.
 */
export interface UnrecognisedLog {
  note(from: string, line: string): void;
}

export function createUnrecognisedLog({
  clock,
  logger,
}: {
  readonly clock: Clock;
  readonly logger: IntakeLogger;
}): UnrecognisedLog {
  const turns = new SenderTurns(clock);
  return {
    note: (from, line) => {
      if (!turns.take(from)) return;
      logger.warn(
        { sender: from, line: sampleOf(line) },
        'A log line seems to be about FortiToken Mobile but has no matching signature. If it is an error, add a ' +
          'signature (logs.signatureFiles)',
      );
    },
  };
}

const MAX_SAMPLE = 1024;

/** Control characters, and characters that reverse, hide or break the surrounding text. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/**
 * Returns a line that is safe to display in mails and terminals. Control characters, names, codes and secrets are
 * removed, and the line is limited to 1024 characters.
 */
export function sampleOf(line: string): string {
  const masked = maskedLine(line.replace(UNPRINTABLE, '\u{FFFD}'));
  const cut = masked.length > MAX_SAMPLE ? `${masked.slice(0, MAX_SAMPLE - 1)}…` : masked;
  // The cut may have split a character.
  return cut.toWellFormed().trim();
}
