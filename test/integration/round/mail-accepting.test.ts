import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { judgeMail } from '../../../src/checks/mail/judge.ts';
import { createHierarchy } from '../../support/certificates/hierarchy.ts';
import { LOGIN, PASSWORD, createMailBench, type MailBench } from '../../support/mail/mail-bench.ts';
import { agreeable, createScriptedSmtp } from '../../support/mail/smtp-script.ts';
import { createTcpPeer } from '../../support/network/tls-peer.ts';

let bench: MailBench;
let folder: string;

beforeAll(async () => {
  bench = await createMailBench();
  folder = await mkdtemp(join(tmpdir(), 'mail-probe-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

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
      expect(server.commands.slice(-4)).toEqual([
        'MAIL FROM:<fac@example.test>',
        'RCPT TO:<probe@example.test>',
        'RSET',
        'QUIT',
      ]);
      expect(server.commands.filter((line) => /^DATA|^BDAT/iu.test(line))).toEqual([]);
      expect(server.messages()).toBe(0);
      expect(judgeMail(seen, { fromAppliance: false })).toEqual([]);
      const { certificateNotAfter: end } = seen;
      expect(end === null ? null : Math.round((end - Date.now()) / 86_400_000)).toBe(security === 'none' ? null : 365);
    },
  );

  test('never says DATA, even where the server allows pipelining', async () => {
    await using server = await createScriptedSmtp();
    expect((await bench.look(server.port)).outcome.kind).toBe('accepted');
    expect(server.lines).toEqual([
      expect.stringMatching(/^EHLO /u),
      'MAIL FROM:<fac@example.test>',
      'RCPT TO:<probe@example.test>',
      'RSET',
      'QUIT',
    ]);
  });

  test('logs in', async () => {
    await using server = await bench.serve({ security: 'starttls', credentials: { user: 'fac', password: PASSWORD } });
    const seen = await bench.look(server.port, { config: { security: 'starttls', ...LOGIN } });
    expect(seen.outcome).toMatchObject({ kind: 'accepted' });
  });

  test('leaves out the steps that are not configured', async () => {
    await using server = await createScriptedSmtp();
    await bench.look(server.port, { config: { from: null, to: null } });
    expect(server.lines).toEqual([expect.stringMatching(/^EHLO /u), 'QUIT']);
  });

  test('verifies under a caFile instead of the public authorities', async () => {
    const caFile = join(folder, 'ca.pem');
    await writeFile(caFile, bench.rootPem);
    await using server = await bench.serve({ security: 'tls' });
    expect(
      (await bench.look(server.port, { config: { security: 'tls', caFile }, ports: { trust: bench.strangeTrust } }))
        .outcome.kind,
    ).toBe('accepted');
  });

  test('verifies under what the caFile holds now', async () => {
    const caFile = join(folder, 'renewed.pem');
    await using server = await bench.serve({ security: 'tls' });
    const seen: string[] = [];
    for (const pem of [bench.rootPem, (await createHierarchy()).root.pem, bench.rootPem]) {
      await writeFile(caFile, pem);
      seen.push((await bench.look(server.port, { config: { security: 'tls', caFile } })).outcome.kind);
    }
    expect(seen).toEqual(['accepted', 'failed', 'accepted']);
  });

  test('reads replies of several lines', async () => {
    await using server = await createScriptedSmtp({
      onLine: (line) => (/^(?:MAIL|RCPT)/u.test(line) ? '250-very\r\n250 fine\r\n' : agreeable(line)),
    });
    expect((await bench.look(server.port)).outcome.kind).toBe('accepted');
  });

  test('falls back to HELO as mail clients do', async () => {
    await using server = await createScriptedSmtp({
      onLine: (line) => (line.startsWith('EHLO') ? '502 unknown\r\n' : agreeable(line)),
    });
    expect((await bench.look(server.port)).outcome.kind).toBe('accepted');
  });

  test.each([
    ['waits for each reply where they may not be sent together', '250 x\r\n', ['RSET', '250', 'QUIT', '221']],
    ['sends them together where the server allows it', '250-x\r\n250 PIPELINING\r\n', ['RSET', 'QUIT', '250', '221']],
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
    expect((await bench.look(server.port)).outcome.kind).toBe('accepted');
    expect(heard.slice(-4)).toEqual(expected);
  });

  test('does not hang on a server that never answers QUIT', async () => {
    await using server = await createScriptedSmtp({ onLine: (line) => (line === 'QUIT' ? null : agreeable(line)) });
    expect((await bench.look(server.port)).outcome.kind).toBe('accepted');
  });

  test('goes on to the next address when the first refuses', async () => {
    await using server = await createScriptedSmtp();
    expect((await bench.look(server.port, { addresses: ['127.0.0.77', '127.0.0.1'] })).outcome.kind).toBe('accepted');
  });
});
