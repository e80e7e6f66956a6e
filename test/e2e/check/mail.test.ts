import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createHierarchy } from '../../support/authority.ts';
import { createCheckBench, MAIL_HOST } from '../../support/check-bench.ts';
import type { CheckBench, Section } from '../../support/check-bench.ts';
import { conclusionOf, evidenceOf, notReady, preconditionOf, READY } from '../../support/check-result.ts';
import type { CheckResult } from '../../support/check-result.ts';
import { unusedPort } from '../../support/mail-bench.ts';
import { createMailServer } from '../../support/mail-server.ts';
import type { MailServer, MailServerOptions } from '../../support/mail-server.ts';
import { createScriptedSmtp } from '../../support/smtp-script.ts';
import type { Peer } from '../../support/tls-peer.ts';

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

/** A mail server whose certificate is under the authority that the configuration names. */
function serve(options: MailServerOptions): Promise<MailServer> {
  const { leaf, intermediate } = bench.hierarchy;
  return createMailServer({ identity: leaf, issuers: [intermediate], ...options });
}

/** `check` on a path that is in order, with one mail server. */
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

// Together: the silent one alone takes ten seconds.
describe.concurrent('a mail server', () => {
  test.for(['starttls', 'tls', 'none'] as const)('accepted with security %s, and nothing is sent', async (security) => {
    await using server = await serve({ security });
    const result = await check(server.port, { security });
    expect(conclusionOf(result)).toEqual(READY);
    expect(preconditionOf(result, 'mail').state).toBe('ok');
    expect(server.commands.filter((command) => command.startsWith('RCPT'))).toEqual(['RCPT TO:<probe@example.test>']);
    expect(server.messages()).toBe(0);
  });

  test('refused', async () => {
    const result = await check(await unusedPort());
    expect(conclusionOf(result)).toEqual(notReady('mail-unreachable'));
    expect(evidenceOf(result)).toContain('refused');
  });

  test('silent', async () => {
    await using server = await createScriptedSmtp({ greeting: null });
    const result = await check(server.port);
    expect(conclusionOf(result)).toEqual(notReady('mail-unreachable'));
    expect(evidenceOf(result)).toContain('timeout (greeting)');
  });

  test('refuses the recipient', async () => {
    await using server = await serve({ security: 'starttls', refuseRecipient: 550 });
    const result = await check(server.port);
    expect(conclusionOf(result)).toEqual(notReady('mail-recipient-rejected'));
    expect(evidenceOf(result)).toContain('550');
  });

  test('refuses the login', async () => {
    await writeFile(join(bench.folder, 'password'), 'wrong horse', { mode: 0o600 });
    await using server = await serve({ security: 'starttls', credentials: { user: 'fac', password: 'correct horse' } });
    const result = await check(server.port, { user: 'fac', passwordFile: 'password' });
    expect(conclusionOf(result)).toEqual(notReady('mail-login-rejected'));
    expect(JSON.stringify(result)).not.toContain(await readFile(join(bench.folder, 'password'), 'utf8'));
  });

  test('does not offer STARTTLS', async () => {
    await using server = await serve({ security: 'none' });
    const result = await check(server.port, { security: 'starttls' });
    expect(conclusionOf(result)).toEqual(notReady('mail-tls-broken'));
    expect(evidenceOf(result)).toContain('does not offer STARTTLS');
  });

  test('STARTTLS with a certificate that nobody trusts', async () => {
    const strange = await createHierarchy({ dnsNames: [MAIL_HOST] });
    await using server = await serve({ security: 'starttls', identity: strange.leaf, issuers: [strange.intermediate] });
    const result = await check(server.port);
    expect(conclusionOf(result)).toEqual(notReady('mail-tls-broken'));
  });
});
