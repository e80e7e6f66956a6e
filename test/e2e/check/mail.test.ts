import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FaultId } from '../../../src/checks/registry.ts';
import { createHierarchy } from '../../support/certificates/hierarchy.ts';
import { createIdentity } from '../../../src/demo/lab/identity.ts';
import { createCheckBench, MAIL_HOST, type CheckBench, type Section } from '../../support/process/check-bench.ts';
import {
  conclusionOf,
  evidenceOf,
  notReady,
  preconditionOf,
  READY,
  summaryFor,
  type CheckResult,
} from '../../support/process/check-result.ts';
import { createMailServer, type MailServer, type MailServerOptions, oneLogin } from '../../support/mail/mail-server.ts';
import { CLOSE, createScriptedSmtp, type ScriptedReply, type SmtpScript } from '../../support/mail/smtp-script.ts';
import type { Peer } from '../../support/network/tls-peer.ts';
import { freePort } from '../../support/network/free-port.ts';

let bench: CheckBench;
let licenseServer: Peer;

beforeAll(async () => {
  bench = await createCheckBench();
  licenseServer = await bench.licenseServer();
});
afterAll(async () => {
  await licenseServer[Symbol.asyncDispose]();
  await bench[Symbol.asyncDispose]();
});

/** Starts a mail server whose certificate was issued by the configured authority. */
function serve(options: MailServerOptions): Promise<MailServer> {
  const { leaf, intermediate } = bench.hierarchy;
  return createMailServer({ chain: [leaf, intermediate], ...options });
}

/** Runs `check` on a working path, with one mail server. */
function check(port: number, more: Section = {}): Promise<CheckResult> {
  const server = {
    host: MAIL_HOST,
    port,
    security: 'starttls',
    from: 'fac@example.test',
    to: 'probe@example.test',
    caFile: 'authority.pem',
    ...more,
  };
  return bench.check(licenseServer.port, { mail: [server] });
}

// Concurrent, because the silent server alone takes ten seconds.
describe.concurrent('a mail server', () => {
  test.for(['starttls', 'tls', 'none'] as const)('accepted with security %s, and nothing is sent', async (security) => {
    await using server = await serve({ security });
    const result = await check(server.port, { security });
    expect(conclusionOf(result)).toEqual(READY);
    expect(preconditionOf(result, 'mail').state).toBe('ok');
    expect(server.commands.filter((command) => command.startsWith('RCPT'))).toEqual(['RCPT TO:<probe@example.test>']);
    expect(server.mails).toEqual([]);
  });

  test('refused', async () => {
    const result = await check(await freePort());
    expect(conclusionOf(result)).toEqual(notReady('mail-unreachable'));
    expect(evidenceOf(result)).toContain('refused');
  });

  test('silent', async () => {
    await using server = await createScriptedSmtp({ greeting: null });
    const result = await check(server.port);
    expect(conclusionOf(result)).toEqual(notReady('mail-unreachable'));
    expect(evidenceOf(result)).toContain('timeout (greeting)');
  });

  const says = (at: string, reply: ScriptedReply, offers = ''): SmtpScript => ({
    onLine: (line) =>
      line.startsWith('EHLO') ? `250-x\r\n${offers}250 x\r\n` : line.startsWith(at) ? reply : '250 fine\r\n',
  });
  const AUTH = '250-AUTH PLAIN\r\n';
  const LOGIN = { user: 'fac', passwordFile: 'password' };

  test.for<[string, SmtpScript, Section, FaultId, string | null]>([
    ['greets with 554', { greeting: '554 no SMTP service here\r\n' }, {}, 'mail-client-refused', 'turned-away'],
    ['greets with 421', { greeting: '421 4.3.2 Try again\r\n' }, {}, 'mail-unavailable', null],
    ['hangs at AUTH', says('AUTH', null, AUTH), LOGIN, 'mail-stops-answering', null],
    ['hangs up at MAIL FROM', says('MAIL', CLOSE), {}, 'mail-stops-answering', null],
    [
      'offers no login',
      says('AUTH', '503 5.5.1 Error: authentication not enabled\r\n'),
      LOGIN,
      'mail-login-rejected',
      'not-offered',
    ],
    ['demands a login', says('MAIL', '530 5.7.0 Authentication required\r\n'), {}, 'mail-settings-incomplete', 'login'],
    [
      'demands encryption',
      says('MAIL', '530 5.7.0 Must issue a STARTTLS command first\r\n'),
      {},
      'mail-settings-incomplete',
      'encryption',
    ],
    [
      'does not let the user send as this sender',
      says('MAIL', '553 5.7.1 <fac@example.test>: Sender address rejected: not owned by user monitor\r\n'),
      {},
      'mail-recipient-rejected',
      null,
    ],
  ])('that %s is told by what it does', async ([, script, more, cause, kind]) => {
    await writeFile(join(bench.folder, 'password'), 'wrong horse', { mode: 0o600 });
    await using server = await createScriptedSmtp(script);
    const result = await check(server.port, { security: 'none', ...more });
    expect(conclusionOf(result)).toEqual(notReady(cause));
    expect(result.causes[0]?.summary).toBe(summaryFor(cause, kind, { subject: `${MAIL_HOST}:${String(server.port)}` }));
  });

  test.for<[string, SmtpScript, Section, FaultId, string | null]>([
    [
      'refuses a client without a PTR record',
      says('RCPT', '450 4.7.25 Client host rejected: cannot find your hostname\r\n'),
      {},
      'mail-client-refused',
      'this-machine',
    ],
    [
      'cannot check passwords for now',
      says('AUTH', '454 4.7.0 Temporary authentication failure\r\n', AUTH),
      LOGIN,
      'mail-unavailable',
      null,
    ],
    ['greylists', says('RCPT', '450 4.2.0 Greylisted\r\n'), {}, 'mail-recipient-rejected', 'later'],
  ])('that %s is a warning', async ([, script, more, cause, kind]) => {
    await writeFile(join(bench.folder, 'password'), 'wrong horse', { mode: 0o600 });
    await using server = await createScriptedSmtp(script);
    const result = await check(server.port, { security: 'none', ...more });
    expect(result.ready).toBe('ready');
    expect(result.causes.map(({ id, severity }) => `${severity} ${id}`)).toEqual([`warning ${cause}`]);
    expect(result.causes[0]?.summary).toBe(summaryFor(cause, kind, { subject: `${MAIL_HOST}:${String(server.port)}` }));
  });

  test('that greylists carries the codes while another one is down', async () => {
    await using server = await createScriptedSmtp(says('RCPT', '450 4.2.0 Greylisted\r\n'));
    const down = await freePort();
    const [one, other] = [server.port, down].map((port) => ({
      host: MAIL_HOST,
      port,
      security: 'none',
      from: 'fac@example.test',
      to: 'probe@example.test',
    }));
    const result = await bench.check(licenseServer.port, { mail: [other, one] });
    expect(result.ready).toBe('ready');
    expect(result.causes.map(({ id, severity }) => `${severity} ${id}`)).toEqual([
      'warning mail-unreachable',
      'warning mail-recipient-rejected',
    ]);
    expect(result.causes[0]?.evidence.join('\n')).toContain(`${MAIL_HOST}:${String(server.port)}`);
  });

  test('refuses the recipient', async () => {
    await using server = await serve({ security: 'starttls', recipient: () => ({ code: 550, text: 'not today' }) });
    const result = await check(server.port);
    expect(conclusionOf(result)).toEqual(notReady('mail-recipient-rejected'));
    expect(evidenceOf(result)).toContain('550');
  });

  test('refuses the login', async () => {
    await writeFile(join(bench.folder, 'password'), 'wrong horse', { mode: 0o600 });
    await using server = await serve({ security: 'starttls', login: oneLogin('fac', 'correct horse') });
    const result = await check(server.port, { user: 'fac', passwordFile: 'password' });
    expect(conclusionOf(result)).toEqual(notReady('mail-login-rejected'));
    expect(JSON.stringify(result)).not.toContain(await readFile(join(bench.folder, 'password'), 'utf8'));
  });

  test('does not offer STARTTLS', async () => {
    await using server = await serve({ security: 'none' });
    const result = await check(server.port, { security: 'starttls' });
    expect(conclusionOf(result)).toEqual(notReady('mail-tls-broken'));
    expect(preconditionOf(result, 'mail').findings.map(({ rule }) => rule)).toEqual(['mail-tls-verifies']);
  });

  test('STARTTLS with a certificate that nobody trusts', async () => {
    const strange = await createHierarchy({ dnsNames: [MAIL_HOST] });
    await using server = await serve({ security: 'starttls', chain: [strange.leaf, strange.intermediate] });
    const result = await check(server.port);
    expect(conclusionOf(result)).toEqual(notReady('mail-tls-broken'));
  });

  test.for(['starttls', 'tls'] as const)('whose %s a device inspects names the issuer', async (security) => {
    const name = 'C=US, ST=California, L=Sunnyvale, O=Fortinet, OU=Certificate Authority, CN=FG100FTK20012345';
    const device = await createIdentity({ name, authority: true });
    const forged = await createIdentity({ name: `CN=${MAIL_HOST}`, dnsNames: [MAIL_HOST], issuer: device });
    await using server = await serve({ security, chain: [forged, device] });
    const result = await check(server.port, { security });
    expect(conclusionOf(result)).toEqual(notReady('mail-tls-broken'));
    expect(result.causes[0]?.summary).toContain('FG100FTK20012345');
    const [finding] = preconditionOf(result, 'mail').findings;
    expect(finding?.claim).toContain('FG100FTK20012345');
    expect(finding?.fullNames).toEqual([name]);
  });

  test('of the wrong name says so, and blames no device', async () => {
    const { intermediate } = bench.hierarchy;
    const other = await createIdentity({ name: 'CN=other.test', dnsNames: ['other.test'], issuer: intermediate });
    await using server = await serve({ security: 'starttls', chain: [other, intermediate] });
    const result = await check(server.port);
    expect(conclusionOf(result)).toEqual(notReady('mail-tls-broken'));
    expect(result.causes[0]?.summary).not.toContain('device');
  });
});
