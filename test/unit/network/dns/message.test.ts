import { decode, encode } from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeQuery, isDnsName, readReply } from '../../../../src/network/dns/message.ts';
import type { DnsQuery } from '../../../../src/network/dns/message.ts';

const query: DnsQuery = encodeQuery({ id: 4711, name: 'license.example.test', type: 'A' }, true);

const questions = [{ name: 'license.example.test', type: 'A' as const, class: 'IN' as const }];
const answers = [
  { type: 'CNAME' as const, name: 'license.example.test', class: 'IN' as const, ttl: 30, data: 'edge.example.test' },
  { type: 'A' as const, name: 'edge.example.test', class: 'IN' as const, ttl: 60, data: '173.243.138.84' },
];
const good = encode({
  type: 'response',
  id: 4711,
  questions,
  answers,
  authorities: [{ type: 'NS', name: 'example.test', class: 'IN', ttl: 5, data: 'ns.example.test' }],
  additionals: [
    {
      type: 'OPT',
      name: '.',
      udpPayloadSize: 1232,
      extendedRcode: 0,
      ednsVersion: 0,
      flags: 0,
      flag_do: false,
      options: [],
    },
  ],
});

describe('encodeQuery', () => {
  test('asks for recursion, and with EDNS only where told', () => {
    expect(decode(query.bytes)).toMatchObject({
      id: 4711,
      flag_rd: true,
      questions: [{ name: 'license.example.test', type: 'A' }],
    });
    expect(decode(query.bytes).additionals).toHaveLength(1);
    expect(decode(encodeQuery(query, false).bytes).additionals).toHaveLength(0);
  });
});

describe('readReply', () => {
  test('reads an answer', () => {
    expect(readReply(good, query)).toEqual({
      kind: 'answer',
      beside: { authority: 1, additional: 0 },
      rcode: 'NOERROR',
      addresses: ['173.243.138.84'],
      cnames: ['edge.example.test'],
      ttlSeconds: 30,
    });
  });

  test('takes the upper bits of the rcode from OPT', () => {
    const opt = {
      type: 'OPT' as const,
      name: '.',
      udpPayloadSize: 512,
      extendedRcode: 1,
      ednsVersion: 0,
      flags: 0,
      flag_do: false,
      options: [],
    };
    const bytes = encode({ type: 'response', id: 4711, questions, additionals: [opt] });
    expect(readReply(bytes, query)).toMatchObject({ kind: 'answer', rcode: 'BADVERS' });
  });

  test('knows a truncated answer even where it is cut in the middle of a record', () => {
    const cut = Buffer.from(good.subarray(0, good.length - 30));
    cut.writeUInt16BE(cut.readUInt16BE(2) | 0x0200, 2);
    expect(readReply(cut, query)).toEqual({ kind: 'truncated' });
  });

  test('takes an error without a question section, but no address without one', () => {
    expect(readReply(encode({ type: 'response', id: 4711, flags: 2 }), query)).toMatchObject({
      kind: 'answer',
      rcode: 'SERVFAIL',
    });
    expect(readReply(encode({ type: 'response', id: 4711, answers }), query)).toMatchObject({ kind: 'foreign' });
  });

  test('counts a TTL with the highest bit as zero', () => {
    const huge = [
      { type: 'A' as const, name: 'license.example.test', class: 'IN' as const, ttl: 0x8000_0001, data: '192.0.2.1' },
    ];
    expect(readReply(encode({ type: 'response', id: 4711, questions, answers: huge }), query)).toMatchObject({
      ttlSeconds: 0,
    });
  });

  test('keeps 64 addresses of a huge answer', () => {
    const many = Array.from({ length: 500 }, (_, index) => ({
      type: 'A' as const,
      name: 'license.example.test',
      class: 'IN' as const,
      ttl: 1,
      data: `10.0.${String(index >> 8)}.${String(index & 255)}`,
    }));
    const reading = readReply(encode({ type: 'response', id: 4711, questions, answers: many }), query);
    expect(reading.kind === 'answer' ? reading.addresses.length : 0).toBe(64);
  });

  test('shows a hostile alias without control characters', () => {
    const hostile = [
      { ...answers[0], type: 'CNAME' as const, name: 'license.example.test', data: 'a\u001B[2J\u202Eb.test' },
    ];
    const reading = readReply(encode({ type: 'response', id: 4711, questions, answers: hostile }), query);
    expect(reading).toMatchObject({ cnames: ['a\\u{1B}[2J\\u{202E}b.test'] });
  });

  test('never throws and never believes another id, whatever happens to the bytes', () => {
    const change = fc.tuple(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 }));
    fc.assert(
      fc.property(
        fc.array(change, { minLength: 1, maxLength: 12 }),
        fc.nat({ max: good.length }),
        (changes, length) => {
          const bytes = Buffer.from(good.subarray(0, length));
          for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
          const reading = readReply(bytes, query);
          const ours = bytes.length >= 12 && bytes.readUInt16BE(0) === 4711;
          expect(ours || reading.kind === 'foreign').toBe(true);
        },
      ),
      { numRuns: 5000 },
    );
  });

  test('never throws on random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        expect(['answer', 'truncated', 'foreign', 'unusable']).toContain(readReply(Buffer.from(bytes), query).kind);
      }),
      { numRuns: 2000 },
    );
  });
});

test.each([
  ['license.example.test', true],
  ['license.example.test.', true],
  ['localhost', true],
  ['', false],
  ['.', false],
  ['a..b', false],
  [`${'a'.repeat(63)}.test`, true],
  [`${'a'.repeat(64)}.test`, false],
  [Array.from({ length: 40 }, () => 'abcdef').join('.'), false],
])('isDnsName(%j) is %s', (name, expected) => {
  expect(isDnsName(name)).toBe(expected);
});
