import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MailServerConfig } from '../../../../src/config/config.ts';
import type { MailObservation } from '../../../../src/core/observation.ts';
import type { ProbeContext } from '../../../../src/probes/context.ts';
import { judgeMail } from '../../../../src/probes/mail/judge.ts';
import { observeMail } from '../../../../src/probes/mail/observe.ts';
import type { MailPorts } from '../../../../src/probes/mail/observe.ts';
import { createHierarchy } from '../../../support/authority.ts';
import type { Hierarchy } from '../../../support/authority.ts';
import { hurriedClock } from '../../../support/hurried-clock.ts';
import { createMailServer } from '../../../support/mail-server.ts';
import type { MailServer, MailServerOptions } from '../../../support/mail-server.ts';
import { probeContext } from '../../../support/probe-context.ts';
import { agreeable, createScriptedSmtp } from '../../../support/smtp-script.ts';

const PASSWORD = 'correct horse';

/** The deadline of 10 s is half a second. */
const HURRY = 20;

let hierarchy: Hierarchy;
let trust: SecureContext;
let folder: string;

beforeAll(async () => {
  hierarchy = await createHierarchy({ dnsNames: ['mail.example.test'] });
  trust = createSecureContext({ ca: [hierarchy.root.pem] });
  folder = await mkdtemp(join(tmpdir(), 'mail-probe-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

function start(options: MailServerOptions): Promise<MailServer> {
  return createMailServer({ identity: hierarchy.leaf, issuers: [hierarchy.intermediate], ...options });
}

interface Setting {
  readonly config?: Partial<MailServerConfig>;
  readonly addresses?: readonly string[];
  readonly ports?: Partial<MailPorts>;
  readonly ctx?: Partial<ProbeContext>;
}

function look(port: number, setting: Setting = {}): Promise<MailObservation> {
  const server: MailServerConfig = {
    host: 'mail.example.test',
    port,
    security: 'none',
    from: 'fac@example.test',
    to: 'probe@example.test',
    user: null,
    password: null,
    caFile: null,
    ...setting.config,
  };
  const ports: MailPorts = {
    trust,
    // Nothing listens on a port of a server that is closed: see `unusedPort`.
    localRelay: { address: '127.0.0.1', port: 1 },
    readSecret: async () => Promise.resolve(PASSWORD),
    ...setting.ports,
  };
  return observeMail(
    { server, addresses: setting.addresses ?? ['127.0.0.1'] },
    ports,
    probeContext({ clock: hurriedClock(HURRY), ...setting.ctx }),
  );
}

async function unusedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

const login = { user: 'fac', password: { kind: 'env', name: 'MAIL_PASSWORD' } } as const;

describe('observeMail with a server that accepts', () => {
  test.each(['none', 'starttls', 'tls'] as const)('rehearses up to the recipient and takes it back, security %s', async (security) => {
    await using server = await start({ security });
    const seen = await look(server.port, { config: { security } });
    expect(seen).toMatchObject({
      server: `mail.example.test:${String(server.port)}`,
      security,
      outcome: { kind: 'accepted', greeting: expect.stringMatching(/^220 /u) },
      localhostAnswers: null,
    });
    expect(server.commands.slice(-4)).toEqual(['MAIL FROM:<fac@example.test>', 'RCPT TO:<probe@example.test>', 'RSET', 'QUIT']);
    expect(server.commands.filter((line) => /^DATA|^BDAT/iu.test(line))).toEqual([]);
    expect(server.messages()).toBe(0);
    expect(judgeMail(seen)).toEqual([]);
  });

  test('never says DATA, even where the server allows pipelining', async () => {
    await using server = await createScriptedSmtp();
    expect((await look(server.port)).outcome.kind).toBe('accepted');
    expect(server.lines).toEqual([
      expect.stringMatching(/^EHLO /u),
      'MAIL FROM:<fac@example.test>',
      'RCPT TO:<probe@example.test>',
      'RSET',
      'QUIT',
    ]);
  });

  test('logs in', async () => {
    await using server = await start({ security: 'starttls', credentials: { user: 'fac', password: PASSWORD } });
    const seen = await look(server.port, { config: { security: 'starttls', ...login } });
    expect(seen.outcome).toMatchObject({ kind: 'accepted' });
  });

  test('leaves out the steps that are not configured', async () => {
    await using server = await createScriptedSmtp();
    await look(server.port, { config: { from: null, to: null } });
    expect(server.lines).toEqual([expect.stringMatching(/^EHLO /u), 'QUIT']);
  });

  test('verifies under a caFile instead of the public authorities', async () => {
    const caFile = join(folder, 'ca.pem');
    await writeFile(caFile, hierarchy.root.pem);
    await using server = await start({ security: 'tls' });
    const other = createSecureContext({ ca: [(await createHierarchy()).root.pem] });
    expect((await look(server.port, { config: { security: 'tls', caFile }, ports: { trust: other } })).outcome.kind).toBe('accepted');
  });

  test('reads replies of several lines', async () => {
    await using server = await createScriptedSmtp({
      onLine: (line) => (/^(?:MAIL|RCPT)/u.test(line) ? '250-very\r\n250 fine\r\n' : agreeable(line)),
    });
    expect((await look(server.port)).outcome.kind).toBe('accepted');
  });

  test('falls back to HELO as mail clients do', async () => {
    await using server = await createScriptedSmtp({ onLine: (line) => (line.startsWith('EHLO') ? '502 unknown\r\n' : agreeable(line)) });
    expect((await look(server.port)).outcome.kind).toBe('accepted');
  });

  test('does not hang on a server that never answers QUIT', async () => {
    await using server = await createScriptedSmtp({ onLine: (line) => (line === 'QUIT' ? null : agreeable(line)) });
    expect((await look(server.port)).outcome.kind).toBe('accepted');
  });

  test('goes on to the next address when the first refuses', async () => {
    await using server = await createScriptedSmtp();
    expect((await look(server.port, { addresses: ['127.0.0.77', '127.0.0.1'] })).outcome.kind).toBe('accepted');
  });
});

describe('observeMail with a server that does not', () => {
  test('refused port', async () => {
    const port = await unusedPort();
    const seen = await look(port);
    expect(seen).toMatchObject({ outcome: { kind: 'failed', stage: 'connect', reason: 'refused', code: null }, localhostAnswers: false });
    expect(seen.outcome).toMatchObject({
      message: `Cannot connect to 127.0.0.1:${String(port)}: connect ECONNREFUSED 127.0.0.1:${String(port)}`,
    });
  });

  test('a name without an address', async () => {
    expect((await look(25, { addresses: [] })).outcome).toMatchObject({ stage: 'connect', reason: 'name-not-resolved' });
  });

  test('says that localhost answers', async () => {
    await using local = await createScriptedSmtp();
    const seen = await look(await unusedPort(), { ports: { localRelay: { address: '127.0.0.1', port: local.port } } });
    expect(seen.localhostAnswers).toBe(true);
    expect(judgeMail(seen).map(({ rule, level }) => `${level} ${rule}`)).toEqual([
      'broken mail-server-answers',
      'note mail-localhost-answers',
    ]);
  });

  test.each([
    ['a mute local relay', null],
    ['another service on its port', 'SSH-2.0-x\r\n'],
    ['a local relay that hangs up', 'close'],
  ] as const)('does not count %s', async (_, greeting) => {
    await using local = await createScriptedSmtp({ greeting });
    const seen = await look(await unusedPort(), { ports: { localRelay: { address: '127.0.0.1', port: local.port } } });
    expect(seen.localhostAnswers).toBe(false);
  });

  test.each([
    ['hangs up instead of greeting', 'close', { stage: 'greeting', reason: 'closed' }],
    ['resets instead of greeting', 'reset', { stage: expect.stringMatching(/^(?:connect|greeting)$/u), reason: 'reset' }],
    ['is too busy', '421 too busy\r\n', { stage: 'greeting', reason: 'rejected', code: 421 }],
    ['refuses everybody', '554 go away\r\n', { stage: 'greeting', reason: 'rejected', code: 554 }],
    ['is no mail server', 'HTTP/1.1 400 Bad Request\r\n\r\n', { stage: 'greeting', reason: 'protocol', code: null }],
    ['sends a greeting without end', `220-${'x'.repeat(200_000)}`, { stage: 'greeting', reason: 'protocol' }],
  ] as const)('%s', async (_, greeting, expected) => {
    await using server = await createScriptedSmtp({ greeting });
    expect((await look(server.port)).outcome).toMatchObject(expected);
  });

  test.each([
    ['550 at EHLO and HELO', 'none', /^(?:EHLO|HELO)/u, '550 no', { stage: 'ehlo', reason: 'rejected', code: 550, tlsError: null }],
    ['550 at MAIL FROM', 'none', /^MAIL/u, '550 not you', { stage: 'sender', reason: 'rejected', code: 550 }],
    [
      '550 at RCPT TO',
      'none',
      /^RCPT/u,
      '550-no such\r\n550 user',
      { stage: 'recipient', code: 550, message: 'The server answered "550-no such 550 user"' },
    ],
    ['450 at RCPT TO', 'none', /^RCPT/u, '450 greylisted', { stage: 'recipient', reason: 'rejected', code: 450 }],
    ['421 at RCPT TO', 'none', /^RCPT/u, '421 shutting down', { stage: 'recipient', reason: 'rejected', code: 421 }],
    ['nonsense at RCPT TO', 'none', /^RCPT/u, 'what?', { stage: 'recipient', reason: 'rejected', code: 0 }],
    ['no STARTTLS', 'starttls', /^STARTTLS/u, '502 unknown', { stage: 'tls', reason: 'rejected', code: 502, tlsError: 'NO_STARTTLS' }],
  ] as const)('%s', async (_, security, at, reply, expected) => {
    await using server = await createScriptedSmtp({ onLine: (line) => (at.test(line) ? `${reply}\r\n` : agreeable(line)) });
    expect((await look(server.port, { config: { security } })).outcome).toMatchObject({ kind: 'failed', ...expected });
    expect(server.lines).not.toContain('DATA');
    if (security === 'starttls') expect(server.lines.filter((line) => /^(?:MAIL|AUTH)/u.test(line))).toEqual([]);
  });

  test('hangs up in the middle', async () => {
    await using server = await createScriptedSmtp({ onLine: (line) => (line.startsWith('RCPT') ? 'close' : agreeable(line)) });
    expect((await look(server.port)).outcome).toMatchObject({ kind: 'failed', stage: 'recipient', reason: 'closed', code: null });
  });

  test('offers STARTTLS and refuses it', async () => {
    await using server = await createScriptedSmtp({
      onLine: (line) => (line.startsWith('EHLO') ? '250-x\r\n250 STARTTLS\r\n' : '454 not available\r\n'),
    });
    expect((await look(server.port, { config: { security: 'starttls' } })).outcome).toMatchObject({
      stage: 'tls',
      code: 454,
      tlsError: 'STARTTLS_REFUSED',
    });
  });

  test.each(['starttls', 'tls'] as const)('shows a certificate that does not verify, security %s', async (security) => {
    await using server = await start({ security });
    const other = createSecureContext({ ca: [(await createHierarchy()).root.pem] });
    expect((await look(server.port, { config: { security }, ports: { trust: other } })).outcome).toMatchObject({
      stage: 'tls',
      reason: 'tls',
      tlsError: expect.stringMatching(/^(?:UNABLE_TO_GET_ISSUER_CERT_LOCALLY|SELF_SIGNED_CERT_IN_CHAIN)$/u),
    });
    expect((await look(server.port, { config: { security, host: 'other.example.test' } })).outcome).toMatchObject({
      stage: 'tls',
      reason: 'tls',
      tlsError: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
    expect(server.commands.filter((line) => line.startsWith('MAIL'))).toEqual([]);
  });

  test('speaks plainly where TLS is wanted', async () => {
    await using server = await createScriptedSmtp();
    expect((await look(server.port, { config: { security: 'tls' } })).outcome).toMatchObject({ stage: 'tls', reason: 'tls' });
  });

  test('rejects the login, and the password is not shown even if the server echoes it', async () => {
    await using server = await start({ security: 'none', credentials: { user: 'fac', password: 'another' } });
    const { outcome } = await look(server.port, { config: login });
    expect(outcome).toMatchObject({ kind: 'failed', stage: 'login', reason: 'rejected', code: 535 });
    expect(JSON.stringify(outcome)).toContain('<secret>');
    expect(JSON.stringify(outcome)).not.toContain(PASSWORD);
  });

  test('cannot log in without the secret', async () => {
    await using server = await start({ security: 'none', credentials: { user: 'fac', password: PASSWORD } });
    const readSecret: MailPorts['readSecret'] = async () =>
      Promise.reject(new Error('Cannot read the secret: environment variable "X" is not set'));
    const seen = await look(server.port, { config: login, ports: { readSecret } });
    expect(seen.outcome).toMatchObject({ stage: 'login', reason: 'internal' });
    expect(judgeMail(seen)).toMatchObject([{ level: 'unknown', suggests: null }]);
  });

  test('cannot judge under a caFile that it cannot read', async () => {
    const { outcome } = await look(1, { config: { caFile: join(folder, 'missing.pem') } });
    expect(outcome).toMatchObject({ reason: 'internal', message: expect.stringContaining('missing.pem') });
  });

  test('never lets an address end the command', async () => {
    await using server = await createScriptedSmtp();
    const { outcome } = await look(server.port, { config: { to: 'a@b>\r\nDATA' } });
    expect(outcome).toMatchObject({ stage: 'recipient', reason: 'internal' });
    expect(server.lines).not.toContain('DATA');
  });
});

describe('observeMail and time', () => {
  test('a silent server ends after the deadline', async () => {
    await using server = await createScriptedSmtp({ greeting: null });
    const { outcome } = await look(server.port);
    expect(outcome).toMatchObject({ kind: 'failed', stage: 'greeting', reason: 'timeout', message: 'Not finished within 10000 ms' });
    expect(outcome.durationMs).toBeLessThan(11_000);
  });

  test('a greeting that trickles does not extend it', async () => {
    await using server = await createScriptedSmtp({ trickleEveryMs: 20 });
    const { outcome } = await look(server.port);
    expect(outcome).toMatchObject({ stage: 'greeting', reason: 'timeout' });
    expect(outcome.durationMs).toBeLessThan(11_000);
  });

  test('a server that falls silent at the recipient', async () => {
    await using server = await createScriptedSmtp({ onLine: (line) => (line.startsWith('RCPT') ? null : agreeable(line)) });
    expect((await look(server.port)).outcome).toMatchObject({ stage: 'recipient', reason: 'timeout' });
  });

  test('a handshake that never goes on', async () => {
    await using server = await createScriptedSmtp({
      onLine: (line) => (line.startsWith('EHLO') ? '250-x\r\n250 STARTTLS\r\n' : line === 'STARTTLS' ? '220 go\r\n' : null),
    });
    expect((await look(server.port, { config: { security: 'starttls' } })).outcome).toMatchObject({ stage: 'tls', reason: 'timeout' });
  });

  test('ends at once when the round is called off', async () => {
    await using server = await createScriptedSmtp({ greeting: null });
    const controller = new AbortController();
    const looking = look(server.port, { ctx: { signal: controller.signal } });
    await server.connected;
    controller.abort(new Error('shutting down'));
    const seen = await looking;
    expect(seen).toMatchObject({ outcome: { reason: 'aborted' }, localhostAnswers: null });
    expect(seen.outcome.durationMs).toBeLessThan(9000);
    expect(judgeMail(seen)).toMatchObject([{ level: 'unknown' }]);
  });
});

test('survives whatever a server says', async () => {
  const word = fc.oneof(
    fc.constantFrom('220 ', '250-', '250 ', '334 ', '421 ', '\r\n', '\n', '\0', '-', '250 STARTTLS\r\n'),
    fc.string({ maxLength: 20 }),
  );
  const reply = fc.array(word, { maxLength: 6 }).map((words) => `${words.join('')}\r\n`);
  await fc.assert(
    fc.asyncProperty(fc.option(reply), fc.array(reply, { minLength: 1, maxLength: 8 }), async (greeting, replies) => {
      let turn = 0;
      await using server = await createScriptedSmtp({
        ...(greeting === null ? {} : { greeting }),
        // In the end it hangs up, so that no run waits for the deadline.
        onLine: () => (turn < replies.length ? (replies[turn++] ?? 'close') : 'close'),
      });
      const limit = AbortSignal.timeout(100);
      const { outcome } = await look(server.port, { config: login, ctx: { signal: limit } });
      expect(['accepted', 'failed']).toContain(outcome.kind);
      expect(server.lines).not.toContain('DATA');
    }),
    { numRuns: 60, interruptAfterTimeLimit: 10_000 },
  );
});
