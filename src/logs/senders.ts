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
 * Who a sender is. `appliance`: a configured one, or null for a sender that is welcome without being one. `relay`: the
 * administrator named it, or the file, so that the host in each line is believed, a name or an address. `unproven`:
 * anybody; its lines may still be of an appliance that is configured by name. `foreign`: nobody knows it, whatever its
 * lines say.
 */
export type Origin =
  | { readonly kind: 'appliance'; readonly appliance: string | null }
  | { readonly kind: 'relay' }
  | { readonly kind: 'unproven' }
  | { readonly kind: 'foreign' };

/** Finds the appliance that a line belongs to. */
export interface Attribution {
  /** By the address that the operating system names. */
  sender(address: string): Origin;
  /** By the certificate that it has shown, which was verified; null: it proves nobody. */
  proven(certificate: X509Certificate): Origin | null;
  /** Whether somebody who is welcome has this address: he may be somebody else. */
  expects(address: string): boolean;
  /** For a file that the administrator named. */
  file(): Origin;
  /**
   * By a host as it stands in a line that is believed: an address, the whole name, or its first label. Undefined:
   * nobody's.
   */
  host(name: string): string | undefined;
  /** By a host as it stands in anybody's line. Not by an address: that is the sender's own, and not what he writes. */
  hostName(name: string): string | undefined;
  /**
   * The owner of a FortiAuthenticator line in such a file that names no known host: the only appliance, if there is
   * only one.
   */
  readonly only: string | null;
}

/** Senders that are welcome beside the appliances. */
interface OtherSenders {
  /** Addresses of firewalls that send their log here too: welcome, but no appliance. */
  readonly firewalls: readonly string[];
  /** Addresses and CIDR blocks of relays. With any, nobody else is believed who is not known by address. */
  readonly relays: readonly string[];
  /** Which certificates prove which appliance: one that is named here is known by nothing else over the network. */
  readonly certificates?: readonly BoundCertificate[];
}

interface BoundCertificate {
  /** A name in it, or its fingerprint. */
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
 * With no appliance configured every sender is welcome and nobody has a name. An only appliance without `logSources`
 * owns every line, since there is nothing to tell apart.
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

/** RFC 5425 §4.2.2: by the fingerprint; §5.2: by a DNS name, or the common name where there is none. */
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

/** `::ffff:10.0.0.5` and `10.0.0.5` are one sender; host names in lower case. @internal */
export function normalAddress(address: string): string {
  const bare = address.replace(/^\[(.*)\]$/u, '$1').replace(/%.*$/u, '');
  // isValid alone would take "5" for 0.0.0.5.
  return (bare.includes('.') || bare.includes(':')) && ipaddr.isValid(bare)
    ? ipaddr.process(bare).toString()
    : address.toLowerCase();
}

interface Sender {
  readonly origin: Origin;
  readonly source: LogSource;
}

/** The appliance that a line belongs to; null: it is welcome and of none by name, undefined: nobody's. */
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

/** A relay that keeps no header, or a file of one: the only appliance, since its line names no other. */
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
/** A time behind its date, a zone, or the year, where the host should be. */
const OF_TIME = /^(?:\d{2}:\d{2}:\d{2}|[A-Z]{3,4}:? |[+-]\d|(?:19|20)\d{2} )/u;
/** The headers of a line end well within this. */
const LONGEST_HEADERS = 512;

/**
 * The host name of a line, found as cheaply as it goes, since a relay's every line is asked: behind the priority and
 * the time (RFC 3164, ISO, RFC 5424), else the first word. Null where the tag stands instead.
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
 * The same for a line whose header is not as usual, or stands in front of another one; none where all of it was seen at
 * first.
 */
export function furtherHosts(text: string, start: number, end: number): readonly string[] {
  const head = text.slice(start, Math.min(end, start + LONGEST_HEADERS));
  return isPlain(head) ? [] : readEnvelope(head).hosts;
}

/**
 * FortiAuthenticator's line with its fields, and nothing that names a host: as a relay hands it on that keeps no
 * header.
 */
export function isNameless(text: string, start: number, end: number): boolean {
  const { hosts, body } = readEnvelope(text.slice(start, Math.min(end, start + LONGEST_HEADERS)));
  return hosts.length === 0 && body.kind === 'message' && body.complete;
}

/** One header of RFC 3164 or with an ISO time, and no other behind it. */
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

/** Behind `<14>`, and the version of RFC 5424. */
function afterPriority(text: string, start: number): number {
  if (text.charCodeAt(start) !== LESS_THAN) return start;
  const close = text.indexOf('>', start);
  if (close < 0 || close > start + 4) return start;
  return text.startsWith('1 ', close + 1) ? close + 3 : close + 1;
}

/** `Aug 14 22:32:52 ` has a fixed width; an ISO time is one word. */
function afterTime(text: string, at: number): number {
  if (text.charCodeAt(at + 9) === COLON && text.charCodeAt(at + 12) === COLON && text.charCodeAt(at + 15) === BLANK)
    return at + 16;
  const code = text.charCodeAt(at);
  const isDigit = code >= 0x30 && code <= 0x39;
  if (!isDigit || text.charCodeAt(at + 4) !== 0x2d || text.charCodeAt(at + 7) !== 0x2d) return at;
  const space = text.indexOf(' ', at);
  return space < 0 ? at : space + 1;
}

/** Tells about foreign senders, once each: the usual reason is an appliance whose `logSources` lack an address. */
export interface StrangerLog {
  note(from: string, line: FramedLine): void;
  /** Those that were told of last, in order. */
  senders(): readonly string[];
}

const MOST_TOLD = 50;
const WITHIN: Millis = 3_600_000;

/**
 * Notices about senders, once each and so many within an hour: an attacker can invent addresses for ever; the log must
 * not grow with them, and an honest sender have its turn.
 */

class SenderTurns {
  readonly #clock: Clock;
  readonly #told = new Map<string, Millis>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether a notice about this sender may be logged; counts as logged. */
  take(from: string): boolean {
    const now = this.#clock.elapsed();
    if (this.#told.has(from) || !this.#hasRoom(now)) return false;
    this.#told.set(from, now);
    return true;
  }

  /** Those that were told of last, in order. */
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
        'log lines belong to no appliance: name their sender in appliances[].logSources, or in logs.relays where ' +
          'it is a relay',
      );
    },
  };
}

/**
 * Tells about lines that hold an FTM keyword and match nothing, once for each sender and of 50 within an hour: an
 * envelope or a text that no signature knows. Anyone who fails to log in may put a keyword into a user name.
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
        'a log line seems to be about FortiToken Mobile and matches no signature: if it is an error, add one ' +
          '(logs.signatureFiles)',
      );
    },
  };
}

const MAX_SAMPLE = 1024;

/** Control characters, and those that turn, hide or break the text around them. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/**
 * A line fit for people, mail and terminals: nothing in it acts, nobody is named in it, no code or secret stands in it;
 * at most 1024 characters.
 */
export function sampleOf(line: string): string {
  const masked = maskedLine(line.replace(UNPRINTABLE, '\u{FFFD}'));
  const cut = masked.length > MAX_SAMPLE ? `${masked.slice(0, MAX_SAMPLE - 1)}…` : masked;
  // A cut may have halved a character.
  return cut.toWellFormed().trim();
}
