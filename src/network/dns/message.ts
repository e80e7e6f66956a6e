import { isIP } from 'node:net';
import { RECURSION_DESIRED, decode, encode, type Answer, type DecodedPacket, type StringAnswer } from 'dns-packet';
import type { DnsAnswer, ExtendedError } from '../../core/observation.ts';
import { visibleText } from '../../core/visible-text.ts';

type RecordType = 'A' | 'AAAA';

export interface DnsQuery {
  readonly id: number;
  readonly name: string;
  readonly type: RecordType;
  readonly bytes: Buffer;
}

export type DnsReading =
  | Omit<DnsAnswer, 'durationMs' | 'attempts'>
  /** The TC bit is set, so the query must be sent again over TCP (RFC 1035 §4.2.1). */
  | { readonly kind: 'truncated' }
  /** The packet is forged, malformed or a reply to a different query. Such packets must be ignored. */
  | { readonly kind: 'foreign'; readonly why: string }
  /** The packet is a reply to the query, but its content cannot be used. */
  | { readonly kind: 'unusable'; readonly why: string };

export type BelievableReading = Exclude<DnsReading, { kind: 'foreign' }>;

/** Maximum size of a UDP answer that avoids fragmentation (RFC 9715 §3.1, DNS flag day 2020). */
const UDP_PAYLOAD = 1232;

const HEADER_BYTES = 12;
const QR = 0x8000;
const OPCODE = 0x7800;
const TC = 0x0200;

/** Maximum length of a CNAME chain. Resolvers have similar limits (BIND stops at 16). */
const MAX_CNAMES = 16;

/** Maximum number of addresses that are read from an answer. A malicious answer can contain thousands of addresses. */
const MAX_ADDRESSES = 64;

const MAX_NAME_LENGTH = 253;
const MAX_LABEL_LENGTH = 63;

/**
 * Names of DNS response codes (https://www.iana.org/assignments/dns-parameters/dns-parameters.xhtml#dns-parameters-6).
 */
const RCODES: readonly string[] = [
  'NOERROR',
  'FORMERR',
  'SERVFAIL',
  'NXDOMAIN',
  'NOTIMP',
  'REFUSED',
  'YXDOMAIN',
  'YXRRSET',
  'NXRRSET',
  'NOTAUTH',
  'NOTZONE',
  'DSOTYPENI',
];
const BADVERS = 16;

/** Returns whether a name is short enough for a DNS query (RFC 1035 §2.3.4). */
export function isDnsName(name: string): boolean {
  const labels = withoutRoot(name).split('.');
  return (
    Buffer.byteLength(name) <= MAX_NAME_LENGTH + 1 &&
    labels.every((label) => label.length > 0 && Buffer.byteLength(label) <= MAX_LABEL_LENGTH)
  );
}

/** @param edns whether to offer answers of up to 1232 bytes (RFC 6891); old servers reply FORMERR */
export function encodeQuery(question: Pick<DnsQuery, 'id' | 'name' | 'type'>, edns: boolean): DnsQuery {
  const bytes = encode({
    type: 'query',
    id: question.id,
    flags: RECURSION_DESIRED,
    questions: [{ name: question.name, type: question.type, class: 'IN' }],
    additionals: edns
      ? [
          {
            type: 'OPT',
            name: '.',
            udpPayloadSize: UDP_PAYLOAD,
            extendedRcode: 0,
            ednsVersion: 0,
            flags: 0,
            flag_do: false,
            options: [],
          },
        ]
      : [],
  });
  return { ...question, bytes };
}

/** Never throws, even for invalid bytes. */
export function readReply(bytes: Buffer, query: DnsQuery): DnsReading {
  if (bytes.length < HEADER_BYTES) return foreign('the packet is shorter than a DNS header');
  const flags = bytes.readUInt16BE(2);
  if (bytes.readUInt16BE(0) !== query.id) return foreign('the packet has a different ID');
  if ((flags & QR) === 0 || (flags & OPCODE) !== 0) return foreign('the packet is not a response');
  // The TC bit is checked before decoding, because a server may cut a truncated answer in the middle of a record.
  if ((flags & TC) !== 0) return { kind: 'truncated' };
  let packet: DecodedPacket;
  try {
    packet = decode(bytes);
  } catch {
    return foreign('the packet cannot be decoded');
  }
  const rcode = rcodeOf(packet, flags & 0xf);
  if (!answersQuestion(packet, query, rcode)) return foreign('the packet answers a different question');
  const reading = followChain(packet.answers ?? [], query, rcode);
  return reading.kind === 'answer' ? { ...reading, ...extendedErrorsOf(packet), beside: besideOf(packet) } : reading;
}

/** Option code of extended DNS errors (RFC 8914 §2). */
const EXTENDED_ERROR = 15;
const MAX_EXTENDED_ERRORS = 4;
const MAX_EXTRA_TEXT = 100;

function extendedErrorsOf({ additionals = [] }: DecodedPacket): Pick<DnsAnswer, 'extendedErrors'> {
  const extendedErrors = additionals
    .flatMap((record) => (record.type === 'OPT' ? record.options : []))
    .flatMap(({ code, data }): readonly ExtendedError[] => {
      if (Number(code) !== EXTENDED_ERROR || data === undefined || data.length < 2) return [];
      // RFC 8914 does not allow a trailing NUL byte, but some servers send one.
      const text = data.subarray(2).toString('utf8').replace(/\0+$/u, '');
      return [{ code: data.readUInt16BE(0), text: visibleText(text, MAX_EXTRA_TEXT) }];
    })
    .slice(0, MAX_EXTENDED_ERRORS);
  return extendedErrors.length === 0 ? {} : { extendedErrors };
}

/** OPT is ignored, because it is a pseudo-record (RFC 6891 §6.1.1). */
function besideOf({ authorities = [], additionals = [] }: DecodedPacket): NonNullable<DnsAnswer['beside']> {
  return { authority: authorities.length, additional: additionals.filter(({ type }) => type !== 'OPT').length };
}

function foreign(why: string): DnsReading {
  return { kind: 'foreign', why };
}

function rcodeOf(packet: DecodedPacket, low: number): string {
  const opt = packet.additionals?.find((record) => record.type === 'OPT');
  // The upper eight bits of the response code are in the OPT record (RFC 6891 §6.1.3).
  const code = opt === undefined ? low : (opt.extendedRcode << 4) | low;
  return code === BADVERS ? 'BADVERS' : (RCODES[code] ?? `RCODE${String(code)}`);
}

function answersQuestion(packet: DecodedPacket, query: DnsQuery, rcode: string): boolean {
  const questions = packet.questions ?? [];
  const [question] = questions;
  // A server that returns an error may omit the question section.
  if (question === undefined) return rcode !== 'NOERROR' && rcode !== 'NXDOMAIN';
  return (
    questions.length === 1 &&
    question.type === query.type &&
    question.class === 'IN' &&
    sameName(question.name, query.name)
  );
}

type Chain = Extract<DnsReading, { kind: 'answer' | 'unusable' }>;

function followChain(answers: readonly Answer[], query: DnsQuery, rcode: string): Chain {
  const records = answers.filter(isChainRecord).filter((record) => record.class === 'IN');
  const seen = new Set([canonicalName(query.name)]);
  const cnames: string[] = [];
  const ttls: number[] = [];
  let owner = query.name;
  for (;;) {
    const alias = records.find((record) => record.type === 'CNAME' && sameName(record.name, owner));
    if (alias === undefined) break;
    owner = alias.data;
    if (seen.has(canonicalName(owner)) || cnames.length === MAX_CNAMES)
      return { kind: 'unusable', why: 'the CNAME chain is too long or circular' };
    seen.add(canonicalName(owner));
    cnames.push(visibleText(owner, MAX_NAME_LENGTH));
    ttls.push(ttlOf(alias));
  }
  const found = records
    .filter((record) => record.type === query.type && sameName(record.name, owner) && isIP(record.data) !== 0)
    .slice(0, MAX_ADDRESSES);
  ttls.push(...found.map(ttlOf));
  return {
    kind: 'answer',
    rcode,
    addresses: [...new Set(found.map((record) => record.data))],
    cnames,
    ttlSeconds: ttls.length === 0 ? null : Math.min(...ttls),
  };
}

function isChainRecord(record: Answer): record is StringAnswer {
  return (record.type === 'A' || record.type === 'AAAA' || record.type === 'CNAME') && typeof record.data === 'string';
}

/** A TTL with the highest bit set counts as zero (RFC 2181 §8). */
function ttlOf(record: StringAnswer): number {
  const ttl = record.ttl ?? 0;
  return ttl > 0x7fff_ffff ? 0 : ttl;
}

function sameName(left: string, right: string): boolean {
  return canonicalName(left) === canonicalName(right);
}

function canonicalName(name: string): string {
  return withoutRoot(name).toLowerCase();
}

function withoutRoot(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name;
}
