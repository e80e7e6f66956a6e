import { describe, expect, test } from 'vitest';
import { readEnvelope, readTime } from '../../../src/logs/envelope.ts';

const NEAR = new Date(2026, 10, 24, 12).getTime();
const local = (...parts: readonly [number, number, number, number, number, number]): number =>
  new Date(...parts).getTime();

describe('readTime', () => {
  test.each([
    { text: 'Aug 14 22:32:52 db', at: local(2026, 7, 14, 22, 32, 52) },
    { text: 'Aug  4 02:32:52 db', at: local(2026, 7, 4, 2, 32, 52) },
    { text: 'Dec 31 23:59:59 db', at: local(2025, 11, 31, 23, 59, 59) },
    { text: 'Nov 25 10:00:00 db', at: local(2026, 10, 25, 10, 0, 0) },
    { text: 'Aug 14 2024 22:32:52', at: local(2024, 7, 14, 22, 32, 52) },
    { text: '2021-07-08T11:01:06-03:00 h', at: Date.UTC(2021, 6, 8, 14, 1, 6) },
    { text: '2021-07-08T11:01:06.123456Z h', at: Date.UTC(2021, 6, 8, 11, 1, 6, 123) },
    { text: '2021-07-08 11:01:06,5 h', at: local(2021, 6, 8, 11, 1, 6) + 500 },
    { text: 'AUG 14 22:32:52 db', at: local(2026, 7, 14, 22, 32, 52) },
    { text: 'Aug 14 22:32:52 UTC db', at: Date.UTC(2026, 7, 14, 22, 32, 52) },
    { text: 'Aug 14 2026 22:32:52.250 +02:00 db', at: Date.UTC(2026, 7, 14, 20, 32, 52, 250) },
    { text: 'Aug 10 22:18:24 2009  fac01', at: local(2009, 7, 10, 22, 18, 24) },
    { text: 'Aug 10 22:18:24 UTC 2009 fac01', at: Date.UTC(2009, 7, 10, 22, 18, 24) },
    { text: 'Aug 10 22:18:24 8080 fac01', at: local(2026, 7, 10, 22, 18, 24) },
    { text: '2026 Jun 16 00:00:00 fac01->10.0.0.1', at: local(2026, 5, 16, 0, 0, 0) },
    { text: '2026/04/08 22:32:52 fac01', at: local(2026, 3, 8, 22, 32, 52) },
    { text: '2026-04-08 22:32:52 +0200 fac01', at: Date.UTC(2026, 3, 8, 20, 32, 52) },
    { text: '2026-04-08 22:32:52\tLocal4.Warning', at: local(2026, 3, 8, 22, 32, 52) },
    { text: 'date=2025-06-04 time=20:13:33+0000 oid', at: Date.UTC(2025, 5, 4, 20, 13, 33) },
    { text: 'date=2025-06-04 time=20:13:33-0530 oid', at: Date.UTC(2025, 5, 5, 1, 43, 33) },
    { text: 'date=2023-05-02 time=16:08:01 eventtime', at: local(2023, 4, 2, 16, 8, 1) },
  ])('reads "$text"', ({ text, at }) => {
    expect(readTime(text, NEAR)).toBe(at);
  });

  test('takes the year before in January for a line of December, and this year for one of January', () => {
    const january = new Date(2027, 0, 1, 0, 5).getTime();
    expect(readTime('Dec 31 23:59:59 x', january)).toBe(local(2026, 11, 31, 23, 59, 59));
    expect(readTime('Jan  1 00:04:00 x', january)).toBe(local(2027, 0, 1, 0, 4, 0));
    const december = new Date(2026, 11, 31, 23, 59).getTime();
    expect(readTime('Jan  1 00:04:00 x', december)).toBe(local(2027, 0, 1, 0, 4, 0));
  });

  test.each(['', 'x', 'Foo 14 22:32:52', 'Aug 14 22:32', '2021-07-08', 'date=2025-06-04', '14 Aug 22:32:52'])(
    'knows no time in "%s"',
    (text) => {
      expect(readTime(text, NEAR)).toBeNull();
    },
  );

  test.each([
    { text: 'Aug 14 22:32:52 db', time: 'Aug 14 22:32:52' },
    { text: '2021-07-08T11:01:06.5-03:00 h', time: '2021-07-08T11:01:06.5-03:00' },
    { text: 'date=2025-06-04 time=20:13:33+0000 oid', time: 'date=2025-06-04 time=20:13:33+0000' },
    { text: 'x Aug 14 22:32:52', time: null },
  ])('finds the time of "$text"', ({ text, time }) => {
    expect(readEnvelope(text).time).toBe(time);
  });
});
