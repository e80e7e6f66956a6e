import { describe, expect, test } from 'vitest';
import { createMask, maskedLine, withoutCodes } from '../../../src/text/mask.ts';
import { cpuMsOf } from '../../support/process/cpu-time.ts';

describe('a log line', () => {
  test.each([
    ['user="jdoe" nas="10.0.8.4" action="Login"', 'user=<user> nas="10.0.8.4" action="Login"'],
    [`user='jdoe' status="Failed"`, 'user=<user> status="Failed"'],
    ['user="" nas="" action=""', 'user="" nas="" action=""'],
    [
      'user="jdoe" Failed to send notification to jdoe, not to jdoe-2',
      'user=<user> Failed to send notification to <user>, not to jdoe-2',
    ],
    ['user="a.b" Administrator \'a.b\' logged out', 'user=<user> Administrator <user> logged out'],
    [
      '[user-d.ra] has successfully logged in OAuth portal[OAuth Authentication]',
      '[<user>] has successfully logged in OAuth portal[OAuth Authentication]',
    ],
    [
      'db[16987]: The user was notified by Email (user: admin)',
      'db[16987]: The user was notified by Email (user: <user>)',
    ],
    ['bind as CN=Jane Doe,OU=Staff,DC=example,DC=org failed', 'bind as CN=<user>,OU=Staff,DC=example,DC=org failed'],
    ['issuer CN=fortinet-ca2,O=Fortinet,C=US', 'issuer CN=fortinet-ca2,O=Fortinet,C=US'],
    ['Remote RADIUS user authentication with invalid token', 'Remote RADIUS user authentication with invalid token'],
    [
      'Failed to send notification to user due to pushd error -3',
      'Failed to send notification to user due to pushd error -3',
    ],
  ])('without user names: %s', (line, masked) => {
    expect(maskedLine(line)).toBe(masked);
  });

  test.each([
    ['mail to jane.doe+x@mail.example.org failed', 'mail to <user>@mail.example.org failed'],
    ['email=jane@example.org user=""', 'email=<user>@example.org user=""'],
    ['550 5.1.1 <jane@example.org>: unknown', '550 5.1.1 <<user>@example.org>: unknown'],
  ])('without mail addresses: %s', (line, masked) => {
    expect(maskedLine(line)).toBe(masked);
  });

  test.each([
    ['SMS to +49 171 2345678 failed', 'SMS to <phone> failed'],
    ['SMS to +491712345678 failed', 'SMS to <phone> failed'],
    ['SMS to 0171 2345678 failed', 'SMS to <phone> failed'],
    ['SMS to (555) 123-4567 failed', 'SMS to <phone> failed'],
    ['SMS to 15551234567 failed', 'SMS to <phone> failed'],
    ['mobile="0171/2345678" status="Failed"', 'mobile=<phone> status="Failed"'],
  ])('without phone numbers: %s', (line, masked) => {
    expect(maskedLine(line)).toBe(masked);
  });

  test.each([
    ['activation code: EEIIWKSDCTHTWFOY', 'activation code: <code>'],
    ['Activation code is 1A2B3C4D5E6F7788', 'Activation code is <code>'],
    ['key 0123-4567-89AB-CDEF-0123 was used', 'key <code> was used'],
    ['activation error for EEIIWKSDCTHTW2OY, try again', 'activation error for <code>, try again'],
    ['activation error for 7QX2M4KP9ZC3TB6W', 'activation error for <code>'],
    ['user typed EEII-WKSD-CTHT-W2OY', 'user typed <code>'],
    ['seed 3132333435363738393031323334353637383930 was sent', 'seed <code> was sent'],
    ['seed GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ was sent', 'seed <code> was sent'],
    ['code="123456" otp=987654', 'code=<code> otp=<code>'],
    ['password=hunter2 secret="x y" token=abcdef', 'password=<secret> secret=<secret> token=<secret>'],
    ['Authorization: Bearer abcdefghijklmnop', 'Authorization: Bearer <secret>'],
    ['Basic dXNlcjpwYXNz and Basic authenticationXYZ=', 'Basic <secret> and Basic <secret>'],
    ['basic authentication.c2VjcmV0 Bearer authorization/x', 'basic <secret> Bearer <secret>'],
    ['2026-12-31T10:00:00.000Z 08DE1A2B3C4D5E6F', '2026-12-31T10:00:00.000Z <code>'],
    ['proxy http://joe:pass@10.0.0.8:3128/ refused', 'proxy http://<secret>@10.0.0.8:3128/ refused'],
  ])('without codes and passwords: %s', (line, masked) => {
    expect(maskedLine(line)).toBe(masked);
  });

  test.each([
    '<12>Aug 14 22:40:02 db[16987]:  category="Event" subcategory="Admin Configuration" typeid=0 level="warning" ' +
      'FTM polling error: connection timeout',
    'date=2025-06-04 time=20:13:33+0000 oid=8888 logid=10101 cat="Event" msg="Unable to activate token(s): ' +
      'FTKMOB5F4E3D2C1B"',
    '2021-07-08T11:01:06-03:00 10.0.17.37 db[32167]: FTM provision: HA cluster SN "FAC-VM0000000001" error: ' +
      'Product is not registered(21)',
    'Once since 2026-11-24T13:00:00Z, last 2026-11-24T13:00:00Z: EFTM010130823929 token=FTKMOB0123456789',
    'eventtime=1732468999 sessionid=1234567890123 srcip=10.0.0.5 dstport=443 hostname="fortitokenmobile.fortinet.com"',
    'Failed. Forticare: FTM token Activation Code is invalid',
    'FTKMOB5723AE64CB FTKMOB0123456789 FTK200AB1234CDEF of FAC-VMTM19000001, FAC3HDTE18000123',
    'FG100FTK20012345 FGVMEV0000000001 FWF61FTK20012345 EFTM010130823929 FTMTRIAL01234567 FPXVM1TM19000123',
    'level="warning" AUTHENTICATIONOK CERTIFICATEERROR 4bXYZq1Fz7z2Qm9w sessionid=1234567890123456',
    'certhash="a1b2c3d4e5f60718293a4b5c6d7e8f9001122334" fingerprint=3132333435363738393031323334353637383930',
    'logid="1700062302" type="event"',
    'logid="0100032159" eventtime="1732468999" session_id="0171234567" {"logid":"4917123456"} policyid="0012345678"',
    'Failed to send activation code',
    '550 5.7.30 Basic authentication is not supported for Client Submission. [AM0PR10CA0006.EURPRD10.PROD.OUTLOOK.COM ' +
      '2026-12-31T10:00:00.000Z 08DE1A2B3C4D5E6F]',
    '535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit ' +
      'https://aka.ms/smtp_auth_disabled for more information. [BN9PR03CA0001.namprd03.prod.outlook.com ' +
      '2026-12-31T10:00:00.000Z 08DE1A2B3C4D5E6F]',
    'Bearer authorization: Basic authentication.',
    'issued by C=US, ST=California, L=Sunnyvale, O=Fortinet, OU=Certificate Authority, CN=FGVMEV0000000001',
  ])('keeps times, serial numbers, addresses and names of hosts: %s', (line) => {
    expect(maskedLine(line)).toBe(line);
  });

  test('is cut when it is endless', () => {
    expect(maskedLine('cn=,uid=a@'.repeat(100_000)).length).toBeLessThan(20_000);
  });

  test.each(['cn=,uid=a@', 'A1-', 'uid:...NAME '])('is masked in a moment even if it consists of "%s"', (unit) => {
    // The names differ, because the engine keeps the expressions that it has compiled.
    const lines = Array.from({ length: 100 }, (_, index) => {
      const units = Array.from({ length: 200 }, (_, at) =>
        unit.replace('NAME', String.fromCodePoint(500 + index * 200 + at)),
      );
      return units.join('').padEnd(4_000, unit.slice(-3));
    });
    expect(cpuMsOf(() => lines.map((line) => maskedLine(line)))).toBeLessThan(400);
  });

  test.each([9, 30])('that has %i names shows none of them', (count) => {
    const names = Array.from({ length: count }, (_, index) => `name-${String(index).padStart(2, '0')}`);
    const masked = maskedLine(`A text of [${names.at(-1) ?? ''}] ${names.map((name) => `user=${name}`).join(' ')}`);
    expect(names.filter((name) => masked.includes(name))).toEqual([]);
    expect(masked.startsWith('A text of [')).toBe(count <= 24);
  });

  test('that has a name of endless length does not show it', () => {
    const name = 'long '.repeat(30);
    expect(maskedLine(`user="${name}" logged in as ${name}`)).toBe('user=<user> logged in as …');
  });
});

describe('an account of the configuration', () => {
  const known = {
    accounts: ['API-USER', 'monitor', 'jane@example.org', 'x'],
    withoutSecrets: (text: string) => text.replaceAll('a@b.example', '‹secret›'),
  };

  test.each([
    ['HTTP 401 during login as "API-USER"', 'HTTP 401 during login as "<user>"'],
    ['API-USER is unknown, API-USER-2 is not', '<user> is unknown, API-USER-2 is not'],
    ['535 jane@example.org: no', '535 <user>@example.org: no'],
    ['logging in as "monitor" of this monitor', 'logging in as "<user>" of this monitor'],
    ['of [monitor], at 1x', 'of [<user>], at 1x'],
  ])('is found wherever a peer quotes it: %s', (line, masked) => {
    expect(createMask(known).line(line)).toBe(masked);
  });

  test('is looked for when secrets have been taken out whole', () => {
    expect(createMask(known).line('sent a@b.example, got 535')).toBe('sent ‹secret›, got 535');
  });
});

test('counts what it took out', () => {
  const mask = createMask({ accounts: [], withoutSecrets: (text) => text });
  mask.line('user="jane" mail to jane@example.org and +49 171 2345678: activation code 1A2B-3C4D');
  mask.mailAddresses('ops@example.org');
  expect(mask.tally()).toEqual({ 'user-name': 1, 'mail-address': 2, 'phone-number': 1, code: 1, password: 0 });
});

test.each([
  ['550 code EEIIWKSDCTHTW2OY of <jane@example.org> refused', '550 code <code> of <jane@example.org> refused'],
  [
    '535 FAC-VMTM19000001: FTKMOB5723AE64CB, EFTM010130823929',
    '535 FAC-VMTM19000001: FTKMOB5723AE64CB, EFTM010130823929',
  ],
])('a peer keeps people and serial numbers as evidence, but no code: %s', (answer, kept) => {
  expect(withoutCodes(answer)).toBe(kept);
});
