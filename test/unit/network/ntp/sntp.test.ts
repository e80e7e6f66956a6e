import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readReply } from '../../../../src/network/ntp/sntp.ts';
import { encodeNtp } from '../../../support/network/ntp-server.ts';

const nonce = Buffer.from('0123456789abcdef', 'hex');
const usual = { leap: 0, mode: 4, stratum: 1, referenceId: 'GPS\0', origin: nonce, receiveAt: 0, transmitAt: 0 };

describe('readReply', () => {
  test.each([
    '1970-01-01T00:00:01.250Z',
    '2026-11-24T12:00:00.500Z',
    '2036-02-07T06:28:15.000Z',
    '2036-02-07T06:28:16.500Z',
    '2100-01-01T00:00:00.000Z',
  ])('reads %s, in either era', (text) => {
    const at = Date.parse(text);
    const reading = readReply(encodeNtp({ ...usual, receiveAt: at, transmitAt: at + 250 }), nonce);
    expect(reading).toEqual({
      kind: 'time',
      receiveAt: expect.closeTo(at, 2),
      transmitAt: expect.closeTo(at + 250, 2),
    });
  });

  test('never throws, and reads no packet without the nonce', () => {
    const good = encodeNtp({ ...usual, receiveAt: 1e12, transmitAt: 1e12 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat({ max: 47 }), fc.nat({ max: 255 })), { maxLength: 8 }),
        fc.nat({ max: 60 }),
        (changes, length) => {
          const bytes = Buffer.alloc(length);
          good.copy(bytes);
          for (const [at, value] of changes) if (at < length) bytes[at] = value;
          const ours = length >= 48 && bytes.subarray(24, 32).equals(nonce);
          expect(ours || readReply(bytes, nonce) === null).toBe(true);
        },
      ),
    );
  });
});
