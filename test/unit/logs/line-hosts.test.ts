import { describe, expect, test } from 'vitest';
import { furtherHosts, hostInLine, isNameless } from '../../../src/logs/senders.ts';

describe('hostInLine', () => {
  test.each([
    { line: '<14>Aug 14 22:32:52 fac01 db[16987]:  category="Event"', host: 'fac01' },
    { line: '<14>Aug  4 22:32:52 10.0.0.5 db[16987]:  category="Event"', host: '10.0.0.5' },
    { line: '<14>Aug 14 22:32:52 db[16987]:  category="Event"', host: null },
    { line: '<14>Aug 14 22:32:52 db: category="Event"', host: null },
    { line: '2021-07-08T11:01:06-03:00 fac01 db[32167]:  category="Event"', host: 'fac01' },
    { line: '<12>1 2026-11-24T11:01:06Z fac01 db 16987 - - x', host: 'fac01' },
    { line: 'fac01 db[18260]: category="Event"', host: 'fac01' },
    { line: '', host: null },
    { line: '<14>', host: null },
    { line: `<14>Aug 14 22:32:52 ${'x'.repeat(300)} db[1]:`, host: null },
  ])('reads the host of "$line"', ({ line, host }) => {
    expect(hostInLine(line, 0, line.length)).toBe(host);
    expect(hostInLine(`first\n${line}\nlast one`, 6, 6 + line.length)).toBe(host);
  });
});

describe('furtherHosts', () => {
  test.each([
    { line: '<14>Nov 25 10:00:00 relay01 <12>Aug 14 22:40:02 fac01 db[1]: x', hosts: ['relay01', 'fac01'] },
    { line: 'Nov 25 10:00:00 relay01 Aug 14 22:40:02 fac01 db[1]: x', hosts: ['relay01', 'fac01'] },
    {
      line: '<14>1 2026-11-25T10:00:00Z relay01 - - - - <12>Aug 14 22:40:02 fac01 db[1]: x',
      hosts: ['relay01', 'fac01'],
    },
    { line: '2026-04-08 22:40:02 fac01 db[1]: x', hosts: ['fac01'] },
    { line: '2026-04-08 22:40:02\tLocal4.Warning\t10.0.0.5\tdb[1]: x', hosts: ['10.0.0.5'] },
    { line: '<12>AUG 14 22:40:02 UTC fac01 db[1]: x', hosts: ['fac01'] },
    { line: '<12> Aug 14 22:40:02 fac01 db[1]: x', hosts: ['fac01'] },
    { line: '<6>Aug 10 22:18:24 2009  fac01 db[1]: x', hosts: ['fac01'] },
    { line: '2026 Jun 16 00:00:00 fac01->10.0.0.1 Aug 14 22:32:52 db[1]: x', hosts: ['fac01', '10.0.0.1'] },
    { line: '<12>Aug 14 22:40:02 fac01 db[1]: x', hosts: [] },
    { line: '2021-07-08T11:01:06-03:00 fac01 db[32167]:  category="Event"', hosts: [] },
  ])('of "$line"', ({ line, hosts }) => {
    expect(furtherHosts(`first\n${line}\nlast one`, 6, 6 + line.length).flat()).toEqual(hosts);
  });
});

describe('isNameless', () => {
  test.each([
    { line: '<14>Aug 14 22:32:52 db[1]:  category="Event" status="" x', nameless: true },
    { line: '<14>Aug 14 22:32:52 fac01 db[1]:  category="Event" status="" x', nameless: false },
    { line: '<14>Aug 14 22:32:52 sshd[1]: Invalid user', nameless: false },
    { line: 'date=2025-06-04 time=20:13:33+0000 oid=1 cat="Event" msg="x" user=""', nameless: true },
    { line: 'date=2025-06-04 time=20:13:33 devname="fgt" subtype="ssl"', nameless: false },
  ])('says of "$line": $nameless', ({ line, nameless }) => {
    expect(isNameless(`x${line}`, 1, 1 + line.length)).toBe(nameless);
  });
});
