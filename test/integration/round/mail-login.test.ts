import { createHmac } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { LOGIN, PASSWORD, createMailBench } from '../../support/mail/mail-bench.ts';
import type { MailBench } from '../../support/mail/mail-bench.ts';
import { agreeable, createScriptedSmtp } from '../../support/mail/smtp-script.ts';
import type { ScriptedSmtp } from '../../support/mail/smtp-script.ts';

const CHALLENGE = '<1896.697170952@mail.example.test>';

let bench: MailBench;

beforeAll(async () => {
  bench = await createMailBench();
});

/** A server that offers these mechanisms, and keeps asking until the last line of each. */
function offering(offer: string): Promise<ScriptedSmtp> {
  const questions = [`334 VXNlcm5hbWU6\r\n`, `334 UGFzc3dvcmQ6\r\n`];
  return createScriptedSmtp({
    onLine: (line) => {
      if (line.startsWith('EHLO')) return `250-x\r\n250-SIZE 10\r\n250 ${offer}\r\n`;
      if (line === 'AUTH LOGIN' || line === base64('fac')) return questions.shift() ?? '503 again?\r\n';
      if (line === 'AUTH CRAM-MD5') return `334 ${base64(CHALLENGE)}\r\n`;
      return agreeable(line);
    },
  });
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

describe('the login of observeMail', () => {
  const plain = [`AUTH PLAIN ${base64(`\0fac\0${PASSWORD}`)}`];
  test.each([
    ['AUTH LOGIN PLAIN', plain],
    ['AUTH=PLAIN', plain],
    ['AUTH', plain],
    ['XAUTH LOGIN', plain],
    ['auth cram-md5 login', ['AUTH LOGIN', base64('fac'), base64(PASSWORD)]],
    [
      'AUTH CRAM-MD5 NTLM',
      ['AUTH CRAM-MD5', base64(`fac ${createHmac('md5', PASSWORD).update(CHALLENGE).digest('hex')}`)],
    ],
  ])('with a server that offers %j', async (offer, said) => {
    await using server = await offering(offer);
    expect((await bench.look(server.port, { config: LOGIN })).outcome.kind).toBe('accepted');
    expect(server.lines.slice(1, 1 + said.length)).toEqual(said);
    expect(server.lines[1 + said.length]).toMatch(/^MAIL/u);
  });

  test.each([
    ['AUTH LOGIN', /^AUTH LOGIN$/u, '504 not that one\r\n', { code: 504 }],
    ['AUTH LOGIN', /^ZmFj$/u, '535 nobody\r\n', { code: 535 }],
    ['AUTH PLAIN', /^AUTH/u, '334 more\r\n', { code: 334 }],
    ['AUTH CRAM-MD5', /^AUTH/u, '250 no challenge\r\n', { code: 250 }],
  ])('is refused where %s does not go on at %s', async (offer, at, reply, expected) => {
    await using server = await createScriptedSmtp({
      onLine: (line) => {
        if (line.startsWith('EHLO')) return `250-x\r\n250 ${offer}\r\n`;
        if (at.test(line)) return reply;
        return line.startsWith('AUTH') ? '334 go on\r\n' : agreeable(line);
      },
    });
    expect((await bench.look(server.port, { config: LOGIN })).outcome).toMatchObject({
      kind: 'failed',
      stage: 'login',
      reason: 'rejected',
      ...expected,
    });
    expect(server.lines.filter((line) => line.startsWith('MAIL'))).toEqual([]);
  });
});
