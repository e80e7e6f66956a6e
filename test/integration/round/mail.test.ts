import { createHmac } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { createSecureContext, TLSSocket } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { judgeMail } from '../../../src/checks/mail/judge.ts';
import type { MailObservation } from '../../../src/core/observation.ts';
import { publicTrust } from '../../../src/network/tls/secure-context.ts';
import { observeWithMemory } from '../../../src/round/mail.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { createHierarchy } from '../../support/certificates/hierarchy.ts';
import { judgeMailServers } from '../../support/checks/judged-mail.ts';
import { lookUnder } from '../../support/checks/look.ts';
import { LOGIN, PASSWORD, createMailBench, type MailBench } from '../../support/mail/mail-bench.ts';
import { oneLogin } from '../../support/mail/mail-server.ts';
import { agreeable, createScriptedSmtp, replyingTo, type SmtpScript } from '../../support/mail/smtp-script.ts';
import { createTcpPeer, type Peer } from '../../support/network/tls-peer.ts';
import { folderOfEachTest } from '../../support/process/test-folder.ts';

const HOUR = 3_600_000;

const folder = folderOfEachTest();
const bench = await createMailBench();

async function kindOf(port: number, ...setting: readonly Parameters<MailBench['look']>[1][]): Promise<string> {
  return (await bench.look(port, ...setting)).outcome.kind;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

describe('observeMail with a server that accepts', () => {
  test.each(['none', 'starttls', 'tls'] as const)(
    'rehearses up to the recipient and takes it back, security %s',
    async (security) => {
      await using server = await bench.serve({ security });
      const seen = await bench.look(server.port, { config: { security } });
      expect(seen).toMatchObject({
        server: `mail.example.test:${String(server.port)}`,
        security,
        outcome: { kind: 'accepted', greeting: expect.stringMatching(/^220 /u) },
      });
      const rehearsed = ['MAIL FROM:<fac@example.test>', 'RCPT TO:<probe@example.test>', 'RSET', 'QUIT'];
      expect(server.commands.slice(-4)).toEqual(rehearsed);
      expect(server.commands.filter((line) => /^DATA|^BDAT/iu.test(line))).toEqual([]);
      expect(server.mails).toEqual([]);
      expect(judgeMail(seen, { fromAppliance: false })).toEqual([]);
      const { certificateNotAfter: end } = seen;
      expect(end === null ? null : Math.round((end - Date.now()) / 86_400_000)).toBe(security === 'none' ? null : 365);
    },
  );

  test.each<[string, SmtpScript]>([
    ['sends replies of several lines', replyingTo(/^(?:MAIL|RCPT)/u, '250-very\r\n250 fine\r\n')],
    ['knows HELO alone, as mail clients expect', replyingTo(/^EHLO/u, '502 unknown\r\n')],
    ['never answers QUIT', replyingTo(/^QUIT$/u, null)],
  ])('accepts one that %s', async (_, script) => {
    await using server = await createScriptedSmtp(script);
    expect(await kindOf(server.port)).toBe('accepted');
  });

  test.each([
    ['DATA never, even where the server allows pipelining', {}, [/^MAIL FROM:/u, /^RCPT TO:/u, /^RSET$/u, /^QUIT$/u]],
    ['only the steps that are configured', { from: null, to: null }, [/^QUIT$/u]],
  ])('says %s', async (_, config, steps) => {
    await using server = await createScriptedSmtp();
    await bench.look(server.port, { config });
    expect(server.lines).toEqual([/^EHLO /u, ...steps].map((step) => expect.stringMatching(step) as unknown));
  });

  test('verifies under what the caFile holds now, instead of the public authorities', async () => {
    const caFile = folder.at('ca.pem');
    const setting = { config: { security: 'tls', caFile }, ports: { trust: bench.strangeTrust } } as const;
    await using server = await bench.serve({ security: 'tls' });
    const seen: string[] = [];
    for (const pem of [bench.rootPem, (await createHierarchy()).root.pem, bench.rootPem]) {
      await writeFile(caFile, pem);
      seen.push(await kindOf(server.port, setting));
    }
    expect(seen).toEqual(['accepted', 'failed', 'accepted']);
  });

  test.each([
    ['waits for each reply without PIPELINING', '250 x\r\n', ['RSET', '250', 'QUIT', '221']],
    ['sends them together with it', '250-x\r\n250 PIPELINING\r\n', ['RSET', 'QUIT', '250', '221']],
  ])('RSET and QUIT: %s', async (_, hello, expected) => {
    const heard: string[] = [];
    await using server = await createTcpPeer((socket) => {
      socket.write('220 x\r\n');
      socket.on('data', (chunk) => {
        const lines = chunk.toString('latin1').split('\r\n').slice(0, -1);
        heard.push(...lines);
        for (const line of lines) {
          const reply = line.startsWith('EHLO') ? hello : line === 'QUIT' ? '221 x\r\n' : '250 x\r\n';
          heard.push(reply.slice(0, 3));
          socket.write(reply);
        }
      });
    });
    expect(await kindOf(server.port)).toBe('accepted');
    expect(heard.slice(-4)).toEqual(expected);
  });

  test('goes on to the next address when the first refuses', async () => {
    await using server = await createScriptedSmtp();
    expect(await kindOf(server.port, { addresses: ['127.0.0.77', '127.0.0.1'] })).toBe('accepted');
  });
});

describe('the login of observeMail', () => {
  const CHALLENGE = '<1896.697170952@mail.example.test>';
  const plain = [`AUTH PLAIN ${base64(`\0fac\0${PASSWORD}`)}`];

  test('is taken by a real server', async () => {
    await using server = await bench.serve({ security: 'starttls', login: oneLogin('fac', PASSWORD) });
    expect(await kindOf(server.port, { config: { security: 'starttls', ...LOGIN } })).toBe('accepted');
  });

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
    const questions = [`334 VXNlcm5hbWU6\r\n`, `334 UGFzc3dvcmQ6\r\n`];
    await using server = await createScriptedSmtp({
      onLine: (line) => {
        if (line.startsWith('EHLO')) return `250-x\r\n250-SIZE 10\r\n250 ${offer}\r\n`;
        if (line === 'AUTH LOGIN' || line === base64('fac')) return questions.shift() ?? '503 again?\r\n';
        if (line === 'AUTH CRAM-MD5') return `334 ${base64(CHALLENGE)}\r\n`;
        return agreeable(line);
      },
    });
    expect(await kindOf(server.port, { config: LOGIN })).toBe('accepted');
    expect(server.lines.slice(1, 1 + said.length)).toEqual(said);
    expect(server.lines[1 + said.length]).toMatch(/^MAIL/u);
  });

  test.each([
    ['AUTH LOGIN', /^AUTH LOGIN$/u, '504 not that one\r\n', 504],
    ['AUTH LOGIN', /^ZmFj$/u, '535 nobody\r\n', 535],
    ['AUTH PLAIN', /^AUTH/u, '334 more\r\n', 334],
    ['AUTH CRAM-MD5', /^AUTH/u, '250 no challenge\r\n', 250],
  ])('is refused where %s does not go on at %s', async (offer, at, reply, code) => {
    await using server = await createScriptedSmtp({
      onLine: (line) => {
        if (line.startsWith('EHLO')) return `250-x\r\n250 ${offer}\r\n`;
        if (at.test(line)) return reply;
        return line.startsWith('AUTH') ? '334 go on\r\n' : agreeable(line);
      },
    });
    const { outcome } = await bench.look(server.port, { config: LOGIN });
    expect(outcome).toMatchObject({ kind: 'failed', stage: 'login', reason: 'rejected', code });
    expect(server.lines.filter((line) => line.startsWith('MAIL'))).toEqual([]);
  });
});

/** A server that refuses every recipient once TLS is established. @param go the reply to STARTTLS */
function upgrading(go: string): Promise<Peer> {
  const secureContext = createSecureContext(bench.served);
  return createTcpPeer((socket) => {
    socket.write('220 x\r\n');
    socket.on('data', function onLine(chunk) {
      if (chunk.toString('latin1').startsWith('EHLO')) {
        socket.write('250 STARTTLS\r\n');
        return;
      }
      socket.off('data', onLine).pause();
      socket.write(go);
      const secure = new TLSSocket(socket, { isServer: true, secureContext });
      secure.on('error', () => {});
      secure.on('data', (line) => {
        const said = line.toString('latin1').trim();
        secure.write(said.startsWith('RCPT') ? '550 nobody\r\n' : (agreeable(said)?.toString() ?? ''));
      });
    });
  });
}

describe('STARTTLS of observeMail', () => {
  test.each([
    ['', '220 go\r\n'],
    [' although somebody answers in its place before (RFC 3207 §4.2)', `220 go\r\n${'250 fine\r\n'.repeat(9)}`],
    [' although somebody begins a reply for it', '220 go\r\n250-'],
  ])('what the server says under TLS counts,%s', async (_, go) => {
    await using server = await upgrading(go);
    const { outcome } = await bench.look(server.port, { config: { security: 'starttls' } });
    expect(outcome).toMatchObject({ stage: 'recipient', reason: 'rejected', code: 550 });
  });

  test.each(['public authorities', 'caFile'] as const)('sends a hello of one segment under %s', async (trust) => {
    await writeFile(folder.at('ca.pem'), bench.rootPem);
    let hello = 0;
    await using server = await createTcpPeer((socket) => {
      socket.write('220 x\r\n');
      socket.on('data', (chunk) => {
        // The content type of a handshake record (RFC 8446 §5.1).
        if (chunk[0] === 22) {
          hello = chunk.length;
          socket.end();
        } else socket.write(chunk.toString('latin1').startsWith('EHLO') ? '250 STARTTLS\r\n' : '220 go\r\n');
      });
    });
    const caFile = trust === 'caFile' ? folder.at('ca.pem') : null;
    await bench.look(server.port, { config: { security: 'starttls', caFile }, ports: { trust: publicTrust() } });
    expect(hello).toBeGreaterThan(0);
    expect(hello).toBeLessThan(600);
  });
});

test.each<[string, number | null, boolean]>([
  ['longer than a code lives', HOUR, true],
  ['for less than a code lives', 3 * HOUR, false],
  ['and nobody tells how long a code lives', null, false],
])('a server that puts mail off for two hours, %s', async (_, codeLife, isTold) => {
  let now = 0;
  let isOpen = false;
  await using server = await createScriptedSmtp({
    onLine: (line) => (line.startsWith('RCPT') && !isOpen ? '450 4.2.0 Greylisted\r\n' : agreeable(line)),
  });
  const look = await lookUnder(
    `mail: [{ host: 127.0.0.1, port: ${String(server.port)}, security: none, from: fac@x.test, to: u@x.test }]`,
    { clock: { ...systemClock, now: () => now } },
  );
  const suggested = async (hour: number): Promise<readonly (string | null)[]> => {
    now = hour * HOUR;
    const wishes = { codeLife: Promise.resolve(codeLife) };
    const seen: readonly MailObservation[] = await Promise.all(
      look.config.mail.map((config) => observeWithMemory(config, look, wishes)),
    );
    return judgeMailServers(seen).map(({ suggests }) => suggests);
  };
  expect(await suggested(0)).toEqual(['mail-recipient-rejected']);
  expect(await suggested(2)).toEqual(['mail-recipient-rejected', ...(isTold ? ['mail-outlasts-code'] : [])]);
  isOpen = true;
  expect(await suggested(2.25)).toEqual(isTold ? ['mail-outlasts-code'] : []);
});
