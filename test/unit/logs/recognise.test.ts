import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { recogniseLine } from '../../../src/logs/reader.ts';
import { fixtureLines } from '../../support/logs/fixture-lines.ts';
import { shippedCatalogue } from '../../support/logs/signature-catalogue.ts';
import { cpuMsOf } from '../../support/process/cpu-time.ts';

const catalogue = await shippedCatalogue();
const idOf = (line: string): string | null => recogniseLine(catalogue, line)?.signature.id ?? null;

const ENVELOPES: readonly { readonly name: string; readonly wrap: (message: string) => string }[] = [
  {
    name: 'as FortiAuthenticator sends it',
    wrap: (m) =>
      `<12>Aug 14 22:40:02 db[16987]:  category="Event" subcategory="Admin Configuration" typeid=0 level="warning" user="" nas="" action="" status="" ${m}`,
  },
  {
    name: 'with a host name',
    wrap: (m) =>
      `<12>Aug  4 22:40:02 fac01 db[16987]:  category="Event" typeid=0 level="warning" user="" nas="" userip="" action="" status="" ${m}`,
  },
  {
    name: 're-stamped by a relay',
    wrap: (m) =>
      `2021-07-08T11:01:06.123456-03:00 10.0.0.5 db[32167]:  category="Event" typeid=1 level="warning" user="" nas="" action="" status="" ${m}`,
  },
  {
    name: 'relayed as RFC 5424',
    wrap: (m) =>
      `<12>1 2026-11-24T11:01:06.1Z fac01 db 16987 - - category="Event" typeid=0 user="" nas="" action="" status="" ${m}`,
  },
  {
    name: 'RFC 5424 with structured data and a byte order mark',
    wrap: (m) =>
      `<12>1 2026-11-24T11:01:06Z fac01 db 16987 - [x@1 a="]\\"" b="c"][y] \u{FEFF}category="Event" status="" ${m}`,
  },
  {
    name: 'RFC 5424 with the old tag kept',
    wrap: (m) => `<12>1 2026-11-24T11:01:06Z fac01 - - - - db[1]: category="Event" status="" ${m}`,
  },
  {
    name: 'with its header taken off',
    wrap: (m) => `fac01 db[18260]: category="Event" user="" nas="" userip="" action="" status="" ${m}`,
  },
  {
    name: 'with one more field',
    wrap: (m) => `<12>Aug 14 22:40:02 db[1]: category="Event" user="" action="" status="" requestid="" ${m}`,
  },
  {
    name: 'as raw export',
    wrap: (m) =>
      `date=2025-06-04 time=20:13:33+0000 oid=1 logid=0 cat="Event" subcat="Admin Configuration" level="warning" nas="" action="" status="" msg="${m}" user=""`,
  },
  {
    name: 'as raw export with a request id',
    wrap: (m) =>
      `date=2025-06-04 time=20:13:33+0000 oid=1 logid=0 cat="Event" level="warning" msg="${m}" user="x" requestid=`,
  },
  {
    name: 'as CEF, the message as its name',
    wrap: (m) => `<12>Aug 14 22:40:02 fac01 CEF:0|Fortinet|FortiAuthenticator|6.6|0|${m}|5|suser=x`,
  },
  {
    name: 'as CEF, the message behind msg=',
    wrap: (m) =>
      `<12>1 2026-11-24T11:01:06Z fac01 CEF - - - CEF:0|Fortinet|FortiAuthenticator|6.6|0|Event|5|rt=1 msg=${m} suser=x`,
  },
  {
    name: 'behind msg= after a status without quotes',
    wrap: (m) => `<6>Aug 10 22:18:24 fac01 db[1]:  category="Event" user="" nas="" status=update msg="${m}"`,
  },
  {
    name: 'behind msg= after a status with quotes',
    wrap: (m) => `<6>Aug 10 22:18:24 fac01 db[1]:  category="Event" user="" status="update" msg="${m}" requestid=""`,
  },
  {
    name: 'behind msg= where only the status is left of the fields',
    wrap: (m) => `<6>Aug 10 22:18:24 fac01 db[1]: status=update msg="${m}"`,
  },
  { name: 'without any fields', wrap: (m) => `<12>Aug 14 22:40:02 fac01 db[16987]: ${m}` },
  { name: 'without a tag', wrap: (m) => `<12>Aug 14 22:40:02 ${m}` },
  { name: 'bare', wrap: (m) => m },
];

const MESSAGES: readonly { readonly message: string; readonly id: string }[] = [
  { message: 'SSL session failed', id: 'ssl-session-failed' },
  { message: 'problem with SSL comm layer', id: 'ssl-comm-layer' },
  {
    message: 'FTM polling error: connection timeout: server connection failed: SSL session failed',
    id: 'ftm-polling-timeout',
  },
  {
    message: 'FTM polling error: problem with SSL comm layer: server connection failed: SSL session failed',
    id: 'ftm-polling-ssl',
  },
  { message: 'FTM polling error: something new', id: 'ftm-polling-error' },
  {
    message: 'FTM provision: HA cluster SN "FACYYYXXXXXXXXXX" error: Product is not registered(21)',
    id: 'ftm-ha-serial-not-registered',
  },
  { message: 'FTM provision: error: token does not belong to product(31)', id: 'token-of-another-product' },
  { message: 'FTM provisioning error: server connection failed: SSL session failed', id: 'ftm-provision-ssl' },
  { message: 'FTM provision error: something new', id: 'ftm-provision-error' },
  {
    message: 'Failed to send notification to user due to pushd error -3: FTM server returned error',
    id: 'push-failed',
  },
  { message: 'Failed. Forticare: FTM token Activation Code is invalid', id: 'activation-code-already-used' },
  { message: 'Failed to send activation code', id: 'activation-code-not-sent' },
  { message: 'FortiToken Activation retry failed due to a connectivity error.', id: 'hardware-token-retry-failed' },
  {
    message: 'Unable to activate token(s): FTK1. Token(s) have already been activated on another device.',
    id: 'hardware-token-activated-elsewhere',
  },
  {
    message:
      'Unable to activate token(s): FTK1. Invalid serial number(s), ensure that the serial number(s) are correct.',
    id: 'hardware-token-serial-invalid',
  },
];

describe('recogniseLine', () => {
  test.each(ENVELOPES)('finds every message $name', ({ wrap }) => {
    const found = MESSAGES.map(({ message }) => idOf(wrap(message)));
    expect(found).toEqual(MESSAGES.map(({ id }) => id));
  });

  test('takes the published samples as their comments say', () => {
    const found = fixtureLines('fac-syslog-samples.txt').map(idOf);
    expect(found).toEqual([
      ...Array.from({ length: 10 }, () => null),
      'hardware-token-retry-failed',
      'hardware-token-serial-invalid',
      'hardware-token-activated-elsewhere',
      ...Array.from({ length: 6 }, () => null),
      'ssl-session-failed',
      'ftm-polling-timeout',
      'ftm-polling-ssl',
      'ftm-ha-serial-not-registered',
      'push-failed',
      'ftm-polling-ssl',
    ]);
  });

  const ATTACK = 'FTM polling error: SSL session failed';
  test.each([
    {
      name: 'a user name',
      line: `<14>Aug 14 22:32:52 db[1]: category="Event" user="${ATTACK}" nas="" action="" status="Failed" Remote user authentication failed`,
    },
    {
      name: 'a user name with quotes',
      line: `<14>Aug 14 22:32:52 db[1]: category="Event" user="x" action="" status="" ${ATTACK}" nas="" action="" status="Failed" Remote user authentication failed`,
    },
    {
      name: 'the message behind other words',
      line: `<14>Aug 14 22:32:52 db[1]: category="Event" user="" status="Failed" Administrator '${ATTACK}' failed to log in`,
    },
    {
      name: 'a message with quotes',
      line: `<14>Aug 14 22:32:52 db[1]: category="Event" user="" status="Failed" Administrator 'x" status="" ${ATTACK}' failed to log in`,
    },
    {
      name: 'a user name with a status and a msg',
      line: `<14>Aug 14 22:32:52 db[1]: category="Event" user="" status=update msg="${ATTACK}" nas="" status="Failed" Remote user authentication failed`,
    },
    {
      name: 'a user name with a status and a msg, all statuses without quotes',
      line: `<14>Aug 14 22:32:52 db[1]: category="Event" user="" status=update msg="${ATTACK}" nas="" status=Failed msg="Remote user authentication failed"`,
    },
    {
      name: 'a user name with a msg behind the status',
      line: `<14>Aug 14 22:32:52 db[1]: category="Event" status="Failed" user="x" msg="${ATTACK}" Login failed`,
    },
    {
      name: 'a user name behind a status without quotes',
      line: `<14>Aug 14 22:32:52 db[1]: status=Failed user="x" msg="${ATTACK}" msg="Login failed"`,
    },
    {
      name: 'words behind a status without quotes',
      line: `<14>Aug 14 22:32:52 db[1]: status=Failed ${ATTACK} is no user`,
    },
    {
      name: 'a tag in a user name',
      line: `<38>Aug 14 22:32:52 host sshd[1]: Invalid user db[1] category="Event" status="" ${ATTACK}`,
    },
    {
      name: 'an arrow in a user name',
      line: `<38>Aug 14 22:32:52 host sshd[1]: Invalid user 2026 Jun 16 00:00:00 a->b ${ATTACK}`,
    },
    {
      name: 'the user of a raw export',
      line: `date=2025-06-04 time=20:13:33+0000 oid=1 logid=0 cat="Event" msg="User failed to log in" user="x" msg="${ATTACK}"`,
    },
    {
      name: 'the daemon of another machine',
      line: `<38>Aug 14 22:32:52 host sshd[1]: Invalid user ${ATTACK} from 10.0.0.9`,
    },
    { name: 'a debug channel', line: `fac01 rest_api_dbg_log: 2026-10-07 15:05:14,582 debug "${ATTACK}"` },
    {
      name: 'a header in a user name',
      line: `<14>Aug 14 22:32:52 db[1]: category="Event" user="<12>Aug 14 22:32:52 ${ATTACK}" status="" x`,
    },
    {
      name: 'what another program repeats',
      line: `<38>Aug 14 22:32:52 host sshd[1]: message repeated 2 times: [ Invalid user ${ATTACK}]`,
    },
    {
      name: 'a field of CEF',
      line: `<14>Aug 14 22:32:52 h CEF:0|F|FAC|1|1|Login failed|5|suser=${ATTACK} msg=Login failed`,
    },
    {
      name: 'two messages of CEF',
      line: `<14>Aug 14 22:32:52 h CEF:0|F|FAC|1|1|Login failed|5|suser=x msg=${ATTACK} msg=Login failed`,
    },
    {
      name: 'a field of a FortiGate',
      line: `date=2026-11-24 time=10:00:00 devname="f" logid="1" type="utm" subtype="webfilter" hostname="${ATTACK}"`,
    },
  ])('is not fooled by $name', ({ line }) => {
    expect(idOf(line)).toBeNull();
  });

  test('reads from a FortiGate line who inspects what', () => {
    const found = fixtureLines('fortigate-samples.txt').map((line) => recogniseLine(catalogue, line));
    expect(found.map((one) => one?.signature.id ?? null)).toEqual([
      'firewall-resigned-untrusted',
      'firewall-resigned-untrusted',
      'firewall-blocked-tls',
      null,
    ]);
    expect(found[0]).toMatchObject({
      evidence: {
        device: null,
        policy: '20',
        profile: 'custom-deep-inspection',
        action: 'resign-as-untrusted',
        sourceAddress: '10.0.0.5',
        destinationAddress: '173.243.138.84',
        hostName: 'fortitokenmobile.fortinet.com',
      },
    });
    expect(found[2]).toMatchObject({ evidence: { device: 'fgt-1', policy: '1', profile: null, hostName: null } });
  });

  test('survives any input, and names only signatures of the catalogue', () => {
    const part = fc.oneof(
      fc.constantFrom(
        '<12>',
        'Aug 14 22:40:02 ',
        '1 2026-11-24T11:01:06Z ',
        'db[1]: ',
        'category="',
        ' status="',
        '" ',
        'msg="',
        'date=2025-06-04 ',
        'oid=1 ',
        ...MESSAGES.map(({ message }) => message),
      ),
      fc.string({ unit: 'binary', maxLength: 30 }),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 20 }), (parts) => {
        const id = idOf(parts.join(''));
        expect(id === null || catalogue.byId.has(id)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    { name: 'quotes', line: 'date=1 oid=1 '.concat('a="'.repeat(2700)) },
    { name: 'blanks', line: `date=2025-06-04 time=20:13:33 oid=1 msg="${'" '.repeat(4000)}` },
    { name: 'fields', line: `category="x" status="" ${'a="" '.repeat(1600)}` },
    { name: 'statuses', line: `category="x"${' status="'.repeat(900)}` },
    { name: 'brackets', line: `<1>1 - - - - - ${'[a="b"'.repeat(1300)}` },
    { name: 'texts', line: 'FTM polling '.repeat(680) },
    { name: 'statuses without quotes', line: `category="x"${' status=a b=" c="'.repeat(500)}` },
    { name: 'equals signs before statuses', line: `category="x" ${'='.repeat(4000)}${' status='.repeat(500)}` },
    { name: 'quotes behind msg=', line: `status=x msg="${'" a'.repeat(2700)}` },
    { name: 'arrows', line: `2026 Jun 16 00:00:00 ${'a->'.repeat(2700)}` },
    { name: 'headers', line: '<12>Aug 14 22:40:02 h '.repeat(370) },
    { name: 'an extension of CEF', line: `CEF:0|a|b|c|d|e|f|${' msg=a'.repeat(1300)}` },
    { name: 'words of CEF', line: `CEF:0|a|b|c|d|e|f|msg=${' aaaaaaaaaaaaaaa'.repeat(500)}` },
  ])('takes no longer for 8 KiB of $name', ({ line }) => {
    const spent = cpuMsOf(() => {
      for (let time = 0; time < 20; time += 1) recogniseLine(catalogue, line);
    });
    expect(spent / 20).toBeLessThan(10);
  });
});
