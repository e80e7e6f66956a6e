import { decode, encode } from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeQuery, isDnsName, readReply } from '../../../../src/network/dns/message.ts';
import type { DnsQuery } from '../../../../src/network/dns/message.ts';
import { samples } from '../../../support/random/samples.ts';

const query: DnsQuery = encodeQuery({ id: 4711, name: 'license.example.test', type: 'A' }, true);

const questions = [{ name: 'license.example.test', type: 'A' as const, class: 'IN' as const }];
const answers = [
  { type: 'CNAME' as const, name: 'license.example.test', class: 'IN' as const, ttl: 30, data: 'edge.example.test' },
  { type: 'A' as const, name: 'edge.example.test', class: 'IN' as const, ttl: 60, data: '173.243.138.84' },
];
const opt = (extendedRcode: number) => ({
  type: 'OPT' as const,
  name: '.',
  udpPayloadSize: 1232,
  extendedRcode,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
});
const reply = (more: Parameters<typeof encode>[0]): Buffer => encode({ type: 'response', id: 4711, ...more });
const good = reply({
  questions,
  answers,
  authorities: [{ type: 'NS', name: 'example.test', class: 'IN', ttl: 5, data: 'ns.example.test' }],
  additionals: [opt(0)],
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
    const bytes = reply({ questions, additionals: [opt(1)] });
    expect(readReply(bytes, query)).toMatchObject({ kind: 'answer', rcode: 'BADVERS' });
  });

  /** Returns a response whose OPT record has these options. */
  function withOptions(...options: readonly (readonly [code: number, data: Buffer])[]): Buffer {
    const bytes = Buffer.from(reply({ questions, answers }));
    bytes.writeUInt16BE(1, 10);
    const data = Buffer.concat(
      options.map(([code, content]) => {
        const head = Buffer.alloc(4);
        head.writeUInt16BE(code);
        head.writeUInt16BE(content.length, 2);
        return Buffer.concat([head, content]);
      }),
    );
    const record = Buffer.from([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]);
    record.writeUInt16BE(data.length, 9);
    return Buffer.concat([bytes, record, data]);
  }
  const extended = (code: number, text = ''): readonly [number, Buffer] => [
    15,
    Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(text)]),
  ];

  test.each([
    ['one', [extended(17, 'by rule 7')], [{ code: 17, text: 'by rule 7' }]],
    ['one without a text', [extended(0x1267)], [{ code: 4711, text: '' }]],
    ['one with a zero at its end', [extended(6, 'bogus\0')], [{ code: 6, text: 'bogus' }]],
    ['control characters', [extended(6, 'a\u001Bb')], [{ code: 6, text: 'a\\u{1B}b' }]],
    [
      'one among other options',
      [[3, Buffer.from('ns1')], extended(22), [12, Buffer.alloc(9)]],
      [{ code: 22, text: '' }],
    ],
    ['one that is too short', [[15, Buffer.from([1])]], undefined],
    ['none', [[3, Buffer.from('ns1')]], undefined],
  ] as const)('reads extended errors: %s', (_, options, expected) => {
    expect(readReply(withOptions(...options), query)).toMatchObject({ kind: 'answer', rcode: 'NOERROR' });
    const reading = readReply(withOptions(...options), query);
    expect('extendedErrors' in reading ? reading.extendedErrors : undefined).toEqual(expected);
  });

  test('keeps four extended errors, each of 100 characters', () => {
    const reading = readReply(
      withOptions(...Array.from({ length: 9 }, (_, code) => extended(code, 'x'.repeat(300)))),
      query,
    );
    const errors = reading.kind === 'answer' ? (reading.extendedErrors ?? []) : [];
    expect(errors.map(({ code, text }) => [code, text.length])).toEqual([0, 1, 2, 3].map((code) => [code, 100]));
  });

  test('knows a truncated answer even where it is cut in the middle of a record', () => {
    const cut = Buffer.from(good.subarray(0, good.length - 30));
    cut.writeUInt16BE(cut.readUInt16BE(2) | 0x0200, 2);
    expect(readReply(cut, query)).toEqual({ kind: 'truncated' });
  });

  test('takes an error without a question section, but no address without one', () => {
    expect(readReply(reply({ flags: 2 }), query)).toMatchObject({
      kind: 'answer',
      rcode: 'SERVFAIL',
    });
    expect(readReply(reply({ answers }), query)).toMatchObject({ kind: 'foreign' });
  });

  test('counts a TTL with the highest bit as zero', () => {
    const huge = [
      { type: 'A' as const, name: 'license.example.test', class: 'IN' as const, ttl: 0x8000_0001, data: '192.0.2.1' },
    ];
    expect(readReply(reply({ questions, answers: huge }), query)).toMatchObject({
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
    const reading = readReply(reply({ questions, answers: many }), query);
    expect(reading.kind === 'answer' ? reading.addresses.length : 0).toBe(64);
  });

  test('shows a hostile alias without control characters', () => {
    const hostile = [
      { ...answers[0], type: 'CNAME' as const, name: 'license.example.test', data: 'a\u001B[2J\u202Eb.test' },
    ];
    const reading = readReply(reply({ questions, answers: hostile }), query);
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
      { numRuns: samples(500) },
    );
  });

  test('never throws on random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        expect(['answer', 'truncated', 'foreign', 'unusable']).toContain(readReply(Buffer.from(bytes), query).kind);
      }),
      { numRuns: samples(200) },
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
