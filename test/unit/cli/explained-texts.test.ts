import { describe, expect, test } from 'vitest';
import { explain } from '../../../src/cli/run-logs.ts';
import { createAttribution } from '../../../src/logs/senders.ts';
import { NO_OTHERS } from '../../support/logs/no-others.ts';
import { fixtureLines } from '../../support/logs/fixture-lines.ts';
import { shippedCatalogue } from '../../support/logs/signature-catalogue.ts';
import { textSink } from '../../support/process/text-sink.ts';

const signatures = await shippedCatalogue();
const attribution = createAttribution([], NO_OTHERS);
const watched = { hosts: ['fortitokenmobile.fortinet.com'], addresses: ['173.243.138.0/24'], sources: [] };

interface LineExplanation {
  readonly line: string;
  readonly recognised: boolean;
  readonly summary: string;
  readonly remedy: readonly string[];
}

async function explained(lines: readonly string[]): Promise<readonly LineExplanation[]> {
  const output = textSink();
  await explain({ lines, input: nothing(), output, json: true, signatures, attribution, watched });
  return output
    .text()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as LineExplanation);
}

async function* nothing(): AsyncGenerator<Buffer> {}

/** Texts as quoted by the vendor, and their meaning according to its document. */
const TEXTS: readonly {
  readonly line: string;
  readonly signature: string;
  readonly cause: string | null;
  readonly says: RegExp;
  readonly todo: RegExp;
}[] = [
  {
    line: 'activation error (token not exist in FortiGuard)',
    signature: 'token-not-in-fortiguard',
    cause: 'egress-blocked',
    says: /cannot connect to .* concerns the connection and not the registration/u,
    todo: /"execute ping" on the FortiGate for fds1\.fortinet\.com/u,
  },
  {
    line: "token already activated, and seed won't be returned",
    signature: 'seed-not-returned',
    cause: null,
    says: /has locked a hardware token, .* or added twice/u,
    todo: /TAC to unlock the serial number/u,
  },
  {
    line: '{"error": "This serial number is not available for use."}',
    signature: 'token-not-assignable',
    cause: null,
    says: /refused to assign a token/u,
    todo: /Unlock the token/u,
  },
  {
    line: '{"error": "Failed to send FortiToken Mobile activation message"}',
    signature: 'activation-message-reported-failed',
    cause: null,
    says: /also seen when the message was sent/u,
    todo: /Ask the user whether the message has arrived/u,
  },
  {
    line: 'Failed to send activation code',
    signature: 'activation-code-not-sent',
    cause: null,
    says: /state of the token.* does not indicate a fault of the mail server/u,
    todo: /execute fortitoken-mobile renew/u,
  },
  ...[
    'Failed to send activation code: SMTP error 535 authentication failed',
    'Failed to send activation code to alice: SMTP: 535 5.7.8 Error: authentication failed',
    'Failed to send activation code: SMTP authentication unsuccessful',
    'Failed to send activation code: 535 5.7.8 authentication failed',
    'Failed to send activation code to alice: authentication failed',
    'fac01 db[1]: category="Event" status="" Failed to send activation code: SMTP error 535 authentication failed',
  ].map((line) => ({
    line,
    signature: 'activation-code-mail-login-rejected',
    cause: 'mail-login-rejected',
    says: /^The activation code was not sent, because the mail server rejected FortiAuthenticator's user name or password/u,
    todo: /Enter the correct password on FortiAuthenticator/u,
  })),
  ...[
    'Basic authentication is not supported for Client Submission.',
    'Authentication unsuccessful, basic authentication is disabled.',
    'Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.',
    "Authentication unsuccessful, user is locked by your organization's security defaults policy.",
    'Authentication unsuccessful, the request did not meet the criteria to be authenticated successfully.',
  ].flatMap((reply) => {
    const quoted = `${reply.startsWith('Basic') ? '550 5.7.30' : '535 5.7.139'} ${reply}`;
    return [quoted, `Failed to send activation code to alice: SMTP: ${quoted}`].map((line) => ({
      line,
      signature: 'activation-code-mail-password-disabled',
      cause: 'mail-login-rejected',
      says: /Exchange Online does not accept a login with a password\. The reply does not say that the password is wrong/u,
      todo: /Authenticated SMTP.* connector .* mail relay/u,
    }));
  }),
  {
    line: 'Failed to send activation code: 535 5.7.139 Authentication unsuccessful, the user credentials were incorrect.',
    signature: 'activation-code-mail-login-rejected',
    cause: 'mail-login-rejected',
    says: /rejected FortiAuthenticator's user name or password/u,
    todo: /Enter the correct password/u,
  },
  ...['SMTP error 550 no such user', 'SMTP connection timed out', 'cannot connect to the mail server'].map((why) => ({
    line: `Failed to send activation code: ${why}`,
    signature: 'activation-code-mail-failed',
    cause: null,
    says: /because the mail server could not be reached or rejected the message/u,
    todo: /Test Connection/u,
  })),
  {
    line: 'Failed to send notification to user due to pushd error -3: FTM server returned error',
    signature: 'push-failed',
    cause: 'tls-interception-suspected',
    says: /either FortiAuthenticator's own certificate, or the certificate of a firewall that inspects/u,
    todo: /If the traffic is not inspected, .* certificate that FortiAuthenticator presents/u,
  },
  ...['license expired', 'forticare license expired'].map((line) => ({
    line,
    signature: 'license-certificate-expired',
    cause: null,
    says: /neither TAC nor Customer Service can renew it/u,
    todo: /Buy a new licence/u,
  })),
  ...['input value is invalid', 'no valid token found'].map((line) => ({
    line,
    signature: 'trial-import-refused',
    cause: null,
    says: /import of trial tokens or of a licence/u,
    todo: /delete them, and import them with the activation code 0000-0000-0000-0000-0000/u,
  })),
  {
    line:
      'Unable to provision token FTKMOB0000000001: Unknown error. Your changes have been rolled back. ' +
      'Please try again later.',
    signature: 'provision-rolled-back',
    cause: 'polling-failing',
    says: /cannot resolve fortitokenmobile\.fortinet\.com or connect to it/u,
    todo: /execute nslookup fortitokenmobile\.fortinet\.com/u,
  },
  ...['', 'FTM polling error: ', 'FTM provision error: ', 'FTM polling error: server connection failed: '].map(
    (before) => ({
      line: `${before}Unable to Resolve Domain Name`,
      signature: 'server-name-not-resolved',
      cause: 'name-not-found',
      says: /cannot resolve the name/u,
      todo: /System > Network > DNS/u,
    }),
  ),
  ...['polling', 'provision'].flatMap((what) => [
    {
      line: `FTM ${what} error: connection timeout: server connection failed: SSL session failed`,
      signature: `ftm-${what}-timeout`,
      cause: 'egress-blocked',
      says: /blocks the traffic, or the server is unreachable/u,
      todo: /Allow TCP 443/u,
    },
    {
      line: `FTM ${what} error: could not resolve host`,
      signature: 'server-name-not-resolved',
      cause: 'name-not-found',
      says: /cannot resolve the name/u,
      todo: /execute nslookup/u,
    },
    {
      line: `FTM ${what} error: request timed out`,
      signature: `ftm-${what}-timeout`,
      cause: 'egress-blocked',
      says: /does not answer/u,
      todo: /Allow TCP 443/u,
    },
    {
      line: `FTM ${what} error: TLS alert, bad certificate`,
      signature: `ftm-${what}-ssl`,
      cause: 'tls-interception-suspected',
      says: /TLS session/u,
      todo: /Exempt FortiAuthenticator's traffic/u,
    },
    {
      line: `FTM ${what} error: internal error`,
      signature: `ftm-${what}-error`,
      cause: 'polling-failing',
      says: /cannot/u,
      todo: /Read the end of the line/u,
    },
    {
      line: `FTM ${what} error: problem with SSL comm layer: server connection failed: SSL session failed`,
      signature: `ftm-${what}-ssl`,
      cause: 'tls-interception-suspected',
      says: /The usual cause is a firewall that inspects TLS/u,
      todo: /Exempt FortiAuthenticator's traffic/u,
    },
  ]),
  {
    line: 'No active token found',
    signature: 'trial-token-stale',
    cause: null,
    says: /trial tokens are outdated\. This is not a failed import/u,
    todo: /delete them/u,
  },
  {
    line:
      '192.0.2.7 is blocklisted by FortiGuard. This email from IP has been rejected. The email message was ' +
      'detected as spam.',
    signature: 'mail-relay-blocklisted',
    cause: 'mail-recipient-rejected',
    says: /FortiGuard lists the address as a source of spam/u,
    todo: /AntiSpam Blocklist Appeal Form/u,
  },
  ...['FortiToken activation failed', fixtureLines('fortios-token-events.txt')[0] ?? ''].map((line) => ({
    line,
    signature: 'fortigate-token-activation-failed',
    cause: null,
    says: /could not activate one of its own tokens/u,
    todo: /directregistration\.fortinet\.com/u,
  })),
  ...['FortiToken mobile push message failed', fixtureLines('fortios-token-events.txt')[1] ?? ''].map((line) => ({
    line,
    signature: 'fortigate-push-failed',
    cause: null,
    says: /could not send a push notification/u,
    todo: /push\.fortinet\.com/u,
  })),
  {
    line: 'error_code 31 token does not belong to product',
    signature: 'token-of-another-product',
    cause: 'license-on-other-unit',
    says: /registered to another unit or to the HA peer/u,
    todo: /both serial numbers and the licence number/u,
  },
];

describe('explain says what the vendor says', () => {
  test.each(TEXTS)('of "$line"', async ({ line, signature, cause, says, todo }) => {
    const [explanation] = await explained([line]);
    expect(explanation).toMatchObject({ recognised: true, signature, cause });
    expect(explanation?.summary).toMatch(says);
    expect(explanation?.remedy.join(' ')).toMatch(todo);
  });

  test('and nothing of lines of other products, or about something else', async () => {
    const lines = fixtureLines('foreign-lines.txt');
    expect(lines.length).toBeGreaterThanOrEqual(60);
    const told = await explained(lines);
    expect(told).toHaveLength(lines.length);
    expect(told.filter(({ recognised }) => recognised).map(({ line }) => line)).toEqual([]);
  });
});
