import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parsedMails } from '../../support/mail/parsed-mails.ts';
import { createScriptedSmtp, type ScriptedSmtp } from '../../support/mail/smtp-script.ts';
import { emailBy, createMailServer, type MailServer } from '../../support/mail/mail-server.ts';
import { MAIL_HOST } from '../../support/process/check-bench.ts';
import { createDaemonBench, type DaemonBench } from '../../support/process/daemon-bench.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { until } from '../../support/time/until.ts';

const PASSWORD = 'correct-horse-battery';
const ENCODED = Buffer.from(PASSWORD, 'utf8').toString('base64');
const SESSION = '[AM0PR10CA0006.EURPRD10.PROD.OUTLOOK.COM 2026-12-31T10:00:00.000Z 08DE1A2B3C4D5E6F]';
const REPLIES = [
  `550 5.7.30 Basic authentication is not supported for Client Submission. ${SESSION}`,
  `535 5.7.139 Authentication unsuccessful, basic authentication is disabled. ${SESSION}`,
  `535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. ${SESSION}`,
];

const MEANING = 'does not accept a login with a password. The reply does not say that the password is wrong.';
const REMEDY = 'Mail > Manage email apps > Authenticated SMTP';

/** Offers only LOGIN, and rejects the password. The reply also quotes the login, as a hostile server could. */
function rejecting(reply: string): Promise<ScriptedSmtp> {
  return createScriptedSmtp({
    onLine: (line) => {
      if (line.startsWith('EHLO')) return '250-x\r\n250 AUTH LOGIN\r\n';
      if (line === 'AUTH LOGIN') return '334 VXNlcm5hbWU6\r\n';
      if (line === 'QUIT') return '221 bye\r\n';
      return line === ENCODED ? `${reply} Basic ${ENCODED}\r\n` : '334 UGFzc3dvcmQ6\r\n';
    },
  });
}

describeWhere([{ program: 'python3' }], 'a mail server that no longer accepts passwords', () => {
  let site: DaemonBench;
  let inbox: MailServer;
  let servers: readonly ScriptedSmtp[];

  beforeAll(async () => {
    [site, inbox, servers] = await Promise.all([
      createDaemonBench(),
      createMailServer(),
      Promise.all(REPLIES.map((reply) => rejecting(reply))),
    ]);
    await writeFile(join(site.folder, 'password'), PASSWORD, { mode: 0o600 });
    const login = { security: 'none', user: 'fac', passwordFile: 'password' };
    await site.configure({
      mail: servers.map(({ port }) => ({ host: MAIL_HOST, port, ...login })),
      notify: {
        email: emailBy(inbox),
        policy: { confirmations: 1 },
      },
    });
  });

  afterAll(async () => {
    await Promise.all([site, inbox, ...servers].map((one) => one[Symbol.asyncDispose]()));
  });

  test('is reported with each reply, on the page and by mail', async () => {
    await using daemon = site.start();
    const { causes } = await until(
      () => daemon.status(),
      (status) => status !== null && status.causes.length > 0,
      30_000,
    ).then((status) => status ?? { causes: [] });
    expect(causes.map(({ id, confidence, subject }) => `${confidence} ${id} ${subject}`).toSorted()).toEqual(
      servers.map(({ port }) => `confirmed mail-login-rejected ${MAIL_HOST}:${String(port)}`).toSorted(),
    );

    const mails = parsedMails((await inbox.arrived(REPLIES.length)).map(({ raw }) => raw));
    const told = mails.map(({ text }) => text.replaceAll(/\s+/gu, ' '));
    const html = textOf(await (await daemon.fetch('/')).text());
    for (const reply of REPLIES) {
      const mail = told.find((text) => text.includes(reply));
      expect(mail).toContain(MEANING);
      expect(mail).toContain(REMEDY);
      expect(html).toContain(reply);
    }
    expect(html).toContain(MEANING);
    expect(html).toContain(REMEDY);
    for (const text of [...told, html]) expect(text).not.toMatch(new RegExp(`${ENCODED}|${PASSWORD}`, 'u'));
  });

  test.each(REPLIES)('is explained: %s', async (reply) => {
    const { stdout } = await site.bench.run(['explain', '--json', `${reply} Basic ${ENCODED}`]);
    expect(JSON.parse(stdout)).toMatchObject({
      line: `${reply} Basic <secret>`,
      recognised: true,
      signature: 'activation-code-mail-password-disabled',
      cause: 'mail-login-rejected',
      summary: expect.stringContaining('Exchange Online does not accept a login with a password'),
      remedy: expect.arrayContaining([expect.stringContaining(REMEDY)]),
    });
  });
});

/** Returns the text of a page, without tags. */
function textOf(html: string): string {
  const text = html.replaceAll(/<[^>]*>/gu, '');
  return text.replaceAll(/&(?:gt|#62);/gu, '>').replaceAll(/\s+/gu, ' ');
}
