import { describe, expect, test } from 'vitest';
import { explain } from '../../../src/cli/run-logs.ts';
import { createAttribution } from '../../../src/logs/senders.ts';
import { NO_OTHERS } from '../../support/logs/no-others.ts';
import { fixtureLines } from '../../support/logs/fixture-lines.ts';
import { shippedCatalogue } from '../../support/logs/signature-catalogue.ts';
import { textSink } from '../../support/process/text-sink.ts';

const signatures = await shippedCatalogue();
const attribution = createAttribution([{ name: 'fac-1', logSources: ['fac01'] }], NO_OTHERS);

const watched = { hosts: ['fortitokenmobile.fortinet.com'], addresses: ['173.243.138.0/24'], sources: [] };

async function* chunks(...texts: readonly string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield await Promise.resolve(Buffer.from(text));
}

async function run(
  lines: readonly string[],
  json: boolean,
  input = chunks(),
): Promise<{ readonly code: number; readonly text: string }> {
  const output = textSink();
  const terminal = { input, output, style: { color: false, width: 100 }, columns: null };
  return { code: await explain({ ...terminal, lines, json, signatures, attribution, watched }), text: output.text() };
}

const objects = (text: string): readonly Readonly<Record<string, unknown>>[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('explain', () => {
  test('prints one object a line, of the fixed shape', async () => {
    const trouble =
      'fac01 db[1]: category="Event" status="" FTM polling error: connection timeout: server connection failed: ' +
      'SSL session failed';
    const { code, text } = await run([trouble, 'hello'], true);
    expect(code).toBe(0);
    expect(objects(text)).toEqual([
      {
        line: trouble,
        recognised: true,
        signature: 'ftm-polling-timeout',
        unusualPlace: false,
        appliance: 'fac-1',
        cause: 'egress-blocked',
        summary: expect.any(String),
        remedy: expect.arrayContaining([expect.any(String)]),
      },
      {
        line: 'hello',
        recognised: false,
        signature: null,
        unusualPlace: false,
        appliance: null,
        cause: null,
        summary: expect.any(String),
        remedy: [],
      },
    ]);
  });

  test('reads standard input when there are no lines, cut anywhere', async () => {
    const { code, text } = await run([], true, chunks('SSL sess', 'ion failed\r\nnothing\n\nlicense exp', 'ired'));
    expect(code).toBe(0);
    expect(objects(text).map(({ signature }) => signature)).toEqual([
      'ssl-session-failed',
      null,
      'license-certificate-expired',
    ]);
  });

  test('fails when nothing was recognised', async () => {
    expect((await run(['hello'], false)).code).toBe(1);
    expect(await run([], true)).toEqual({ code: 1, text: '' });
  });

  test('names the policy of a firewall line', async () => {
    const { text } = await run([fixtureLines('fortigate-samples.txt')[0] ?? ''], false);
    expect(text).toContain('policy 20, profile custom-deep-inspection, for fortitokenmobile.fortinet.com');
  });

  test('a firewall that inspects what is not the licence server means nothing, as in the stream', async () => {
    const [ours = '', theirs = '', ...others] = fixtureLines('fortigate-samples.txt');
    const { text } = await run([ours, theirs, ...others, 'date=1 subtype="ssl" action="blocked"'], true);
    expect(objects(text).map(({ signature }) => signature)).toEqual([
      'firewall-resigned-untrusted',
      null,
      'firewall-blocked-tls',
      null,
      'firewall-blocked-tls',
    ]);
  });

  test.each([
    'level="error" msg="FTM polling error: SSL session failed"',
    '<6>Aug 10 22:18:24 fac01 db[1]: level="error" msg="FTM polling error: SSL session failed" user=""',
    'Aug 10 22:18:24 collector app: level=error ts=1795514406 message="FTM polling error: SSL session failed"',
    'date=2026-11-24 time=10:00:00 level="error" msg="FTM polling error: SSL session failed"',
    '<6>Aug 10 22:18:24 fac01 db[1]: category="Event" level="error" msg="FTM polling error: SSL session failed"',
    '{"level":"error","host":"fac01","message":"FTM polling error: SSL session failed","user":""}',
  ])('knows a text that a collector put into a field: %s', async (line) => {
    expect((await run([line], false)).code).toBe(0);
    expect(objects((await run([line], true)).text)).toMatchObject([
      { recognised: true, signature: 'ftm-polling-ssl', unusualPlace: true },
    ]);
  });

  test.each([
    'FTM polling error: SSL session failed',
    'my log says "FTM polling error: SSL session failed"',
    '<6>Aug 10 22:18:24 fac01 db[1]: status=update msg="FTM polling error: SSL session failed"',
  ])('says nothing about the place of %s', async (line) => {
    expect(objects((await run([line], true)).text)).toMatchObject([
      { recognised: true, signature: 'ftm-polling-ssl', unusualPlace: false },
    ]);
  });

  test.each([
    '<6>Aug 10 22:18:24 fac01 db[1]: category="Event" user="" status="Failed" Login of x msg="FTM polling error" ' +
      'failed',
    'date=2026-11-24 time=10:00:00 user="FTM polling error: SSL session failed" msg="Login failed"',
    'date=2026-11-24 time=10:00:00 user="x" msg="FTM polling error: SSL session failed" msg="Login failed"',
    'date=2026-11-24 time=10:00:00 level="warning" msg="license expired"',
  ])('knows nothing of %s', async (line) => {
    expect((await run([line], false)).code).toBe(1);
  });

  test('lets nothing in a line act on the terminal', async () => {
    const { text } = await run(['SSL session failed \x1b]0;title\x07\x1b[31m'], false);
    expect(text).not.toMatch(/[^\P{Cc}\n]/u);
  });
});

/** Texts as quoted by the vendor, the signature of each, and the cause to which it points. */
const TEXTS: readonly (readonly [signature: string, cause: string | null, lines: readonly string[]])[] = [
  ['token-not-in-fortiguard', 'egress-blocked', ['activation error (token not exist in FortiGuard)']],
  ['seed-not-returned', null, ["token already activated, and seed won't be returned"]],
  ['token-not-assignable', null, ['{"error": "This serial number is not available for use."}']],
  ['activation-message-reported-failed', null, ['{"error": "Failed to send FortiToken Mobile activation message"}']],
  ['activation-code-not-sent', null, ['Failed to send activation code']],
  [
    'activation-code-mail-login-rejected',
    'mail-login-rejected',
    [
      'Failed to send activation code: SMTP error 535 authentication failed',
      'Failed to send activation code to alice: SMTP: 535 5.7.8 Error: authentication failed',
      'Failed to send activation code: SMTP authentication unsuccessful',
      'Failed to send activation code: 535 5.7.8 authentication failed',
      'Failed to send activation code to alice: authentication failed',
      'fac01 db[1]: category="Event" status="" Failed to send activation code: SMTP error 535 authentication failed',
      'Failed to send activation code: 535 5.7.139 Authentication unsuccessful, the user credentials were incorrect.',
    ],
  ],
  [
    'activation-code-mail-password-disabled',
    'mail-login-rejected',
    [
      '550 5.7.30 Basic authentication is not supported for Client Submission.',
      '535 5.7.139 Authentication unsuccessful, basic authentication is disabled.',
      '535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.',
      "535 5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults policy.",
      '535 5.7.139 Authentication unsuccessful, the request did not meet the criteria to be authenticated successfully.',
    ].flatMap((reply) => [reply, `Failed to send activation code to alice: SMTP: ${reply}`]),
  ],
  [
    'activation-code-mail-failed',
    null,
    ['SMTP error 550 no such user', 'SMTP connection timed out', 'cannot connect to the mail server'].map(
      (why) => `Failed to send activation code: ${why}`,
    ),
  ],
  [
    'push-failed',
    'tls-interception-suspected',
    ['Failed to send notification to user due to pushd error -3: FTM server returned error'],
  ],
  ['license-certificate-expired', null, ['license expired', 'forticare license expired']],
  ['trial-import-refused', null, ['input value is invalid', 'no valid token found']],
  [
    'provision-rolled-back',
    'polling-failing',
    [
      'Unable to provision token FTKMOB0000000001: Unknown error. Your changes have been rolled back. ' +
        'Please try again later.',
    ],
  ],
  [
    'server-name-not-resolved',
    'name-not-found',
    ['', 'FTM polling error: ', 'FTM provision error: ', 'FTM polling error: server connection failed: '].map(
      (before) => `${before}Unable to Resolve Domain Name`,
    ),
  ],
  ...['polling', 'provision'].flatMap((what) =>
    (
      [
        [`ftm-${what}-timeout`, 'egress-blocked', 'connection timeout: server connection failed: SSL session failed'],
        ['server-name-not-resolved', 'name-not-found', 'could not resolve host'],
        [`ftm-${what}-timeout`, 'egress-blocked', 'request timed out'],
        [`ftm-${what}-ssl`, 'tls-interception-suspected', 'TLS alert, bad certificate'],
        [`ftm-${what}-error`, 'polling-failing', 'internal error'],
        [
          `ftm-${what}-ssl`,
          'tls-interception-suspected',
          'problem with SSL comm layer: server connection failed: SSL session failed',
        ],
      ] as const
    ).map(([signature, cause, text]) => [signature, cause, [`FTM ${what} error: ${text}`]] as const),
  ),
  ['trial-token-stale', null, ['No active token found']],
  [
    'mail-relay-blocklisted',
    'mail-recipient-rejected',
    [
      '192.0.2.7 is blocklisted by FortiGuard. This email from IP has been rejected. The email message was ' +
        'detected as spam.',
    ],
  ],
  [
    'fortigate-token-activation-failed',
    null,
    ['FortiToken activation failed', fixtureLines('fortios-token-events.txt')[0] ?? ''],
  ],
  [
    'fortigate-push-failed',
    null,
    ['FortiToken mobile push message failed', fixtureLines('fortios-token-events.txt')[1] ?? ''],
  ],
  ['token-of-another-product', 'license-on-other-unit', ['error_code 31 token does not belong to product']],
];

describe('explain knows what the vendor quotes', () => {
  test.each(TEXTS)('%s (%s)', async (signature, cause, lines) => {
    const told = objects((await run(lines, true)).text);
    const remedy = expect.arrayContaining([expect.any(String)]) as unknown;
    expect(told).toMatchObject(lines.map((line) => ({ line, recognised: true, signature, cause, remedy })));
  });

  test('and nothing of lines of other products, or about something else', async () => {
    const lines = fixtureLines('foreign-lines.txt');
    expect(lines.length).toBeGreaterThanOrEqual(60);
    const told = objects((await run(lines, true)).text);
    expect(told).toHaveLength(lines.length);
    expect(told.filter(({ recognised }) => recognised === true)).toEqual([]);
  });
});
