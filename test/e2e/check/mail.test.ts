import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createIdentity } from '../../../src/demo/lab/identity.ts';
import { createMailServer, type MailServer, type MailServerOptions, oneLogin } from '../../support/mail/mail-server.ts';
import { createScriptedSmtp } from '../../support/mail/smtp-script.ts';
import { freePort } from '../../support/network/free-port.ts';
import { createCheckBench, MAIL_HOST, type Section } from '../../support/process/check-bench.ts';
import { conclusionOf, notReady, preconditionOf, READY, type CheckResult } from '../../support/process/check-result.ts';

const PASSWORD = 'wrong horse';

const bench = await createCheckBench();
const licenseServer = await bench.licenseServer();
afterAll(async () => {
  await licenseServer[Symbol.asyncDispose]();
  await bench[Symbol.asyncDispose]();
});

/** Starts a mail server whose certificate was issued by the configured authority. */
function serve(options: MailServerOptions): Promise<MailServer> {
  const { leaf, intermediate } = bench.hierarchy;
  return createMailServer({ chain: [leaf, intermediate], ...options });
}

/** Runs `check` on a working path, with a mail server at each of these ports. */
function check(ports: readonly number[], more: Section = {}): Promise<CheckResult> {
  const mail = ports.map((port) => ({
    host: MAIL_HOST,
    port,
    security: 'starttls',
    from: 'fac@example.test',
    to: 'probe@example.test',
    caFile: 'authority.pem',
    ...more,
  }));
  return bench.check(licenseServer.port, { mail });
}

describe.concurrent('a mail server', () => {
  test.for(['starttls', 'tls', 'none'] as const)('accepted with security %s, and nothing is sent', async (security) => {
    await using server = await serve({ security });
    const result = await check([server.port], { security });
    expect(conclusionOf(result)).toEqual(READY);
    expect(preconditionOf(result, 'mail').state).toBe('ok');
    expect(server.commands.filter((command) => command.startsWith('RCPT'))).toEqual(['RCPT TO:<probe@example.test>']);
    expect(server.mails).toEqual([]);
  });

  test('that greylists carries the codes while another one is down', async () => {
    await using server = await createScriptedSmtp({
      onLine: (line) => (line.startsWith('RCPT') ? '450 4.2.0 Greylisted\r\n' : '250 fine\r\n'),
    });
    const result = await check([await freePort(), server.port], { security: 'none' });
    expect(result.ready).toBe('ready');
    expect(result.causes.map(({ id, severity }) => `${severity} ${id}`)).toEqual([
      'warning mail-unreachable',
      'warning mail-recipient-rejected',
    ]);
  });

  test('refuses the login, and the password is not told', async () => {
    await writeFile(join(bench.folder, 'password'), PASSWORD, { mode: 0o600 });
    await using server = await serve({ security: 'starttls', login: oneLogin('fac', 'correct horse') });
    const result = await check([server.port], { user: 'fac', passwordFile: 'password' });
    expect(conclusionOf(result)).toEqual(notReady('mail-login-rejected'));
    expect(JSON.stringify(result)).not.toContain(PASSWORD);
  });

  test.for(['starttls', 'tls'] as const)('whose %s a device inspects names the issuer', async (security) => {
    const name = 'C=US, ST=California, L=Sunnyvale, O=Fortinet, OU=Certificate Authority, CN=FG100FTK20012345';
    const device = await createIdentity({ name, authority: true });
    const forged = await createIdentity({ name: `CN=${MAIL_HOST}`, dnsNames: [MAIL_HOST], issuer: device });
    await using server = await serve({ security, chain: [forged, device] });
    const result = await check([server.port], { security });
    expect(conclusionOf(result)).toEqual(notReady('mail-tls-broken'));
    expect(result.causes[0]?.summary).toContain('FG100FTK20012345');
    expect(preconditionOf(result, 'mail').findings).toMatchObject([{ rule: 'mail-tls-verifies', fullNames: [name] }]);
  });
});
