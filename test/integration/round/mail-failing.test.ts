import { beforeAll, describe, expect, test } from 'vitest';
import type { Clock } from '../../../src/core/clock.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { judgeMail } from '../../../src/checks/mail/judge.ts';
import type { observeMail } from '../../../src/round/mail.ts';
import { LOGIN, PASSWORD, createMailBench, type MailBench } from '../../support/mail/mail-bench.ts';
import { CLOSE, RESET, agreeable, createScriptedSmtp } from '../../support/mail/smtp-script.ts';
import { createTcpPeer } from '../../support/network/tls-peer.ts';
import { freePort } from '../../support/network/free-port.ts';

type MailPorts = Parameters<typeof observeMail>[1];

let bench: MailBench;

beforeAll(async () => {
  bench = await createMailBench();
});

describe('observeMail with a server that does not', () => {
  test('refused port', async () => {
    const port = await freePort();
    const seen = await bench.look(port);
    expect(seen).toMatchObject({
      outcome: { kind: 'failed', stage: 'connect', reason: 'refused', code: null },
    });
    expect(seen.outcome).toMatchObject({
      message: `Cannot connect to 127.0.0.1:${String(port)}: connect ECONNREFUSED 127.0.0.1:${String(port)}`,
    });
  });

  test('a name without an address', async () => {
    expect((await bench.look(25, { addresses: [] })).outcome).toMatchObject({
      stage: 'connect',
      reason: 'name-not-resolved',
    });
  });

  test('a name that could not be looked up', async () => {
    const localError = { kind: 'failed', reason: 'internal', message: 'bind EMFILE 0.0.0.0', durationMs: 1 } as const;
    const { outcome } = await bench.look(25, { addresses: [], localError });
    expect(outcome).toMatchObject({
      stage: 'connect',
      reason: 'internal',
      message: expect.stringContaining('bind EMFILE') as unknown,
    });
  });

  test.each([
    // Listeners of network/smtp/session.ts: on end
    ['hangs up instead of greeting', CLOSE, { stage: 'greeting', reason: 'closed' }],
    // Listeners of network/smtp/session.ts: on error
    ['resets instead of greeting', RESET, { stage: expect.stringMatching(/^(?:connect|greeting)$/u), reason: 'reset' }],
    ['is too busy', '421 too busy\r\n', { stage: 'greeting', reason: 'rejected', code: 421 }],
    ['refuses everybody', '554 go away\r\n', { stage: 'greeting', reason: 'rejected', code: 554 }],
    ['is no mail server', 'HTTP/1.1 400 Bad Request\r\n\r\n', { stage: 'greeting', reason: 'protocol', code: null }],
    // Listeners of network/smtp/session.ts: on data
    ['sends a greeting without end', `220-${'x'.repeat(200_000)}`, { stage: 'greeting', reason: 'protocol' }],
  ] as const)('%s', async (_, greeting, expected) => {
    await using server = await createScriptedSmtp({ greeting });
    expect((await bench.look(server.port)).outcome).toMatchObject(expected);
  });

  test.each([
    [
      '550 at EHLO and HELO',
      /^(?:EHLO|HELO)/u,
      '550 no',
      { stage: 'ehlo', reason: 'rejected', code: 550, tlsError: null },
    ],
    ['550 at MAIL FROM', /^MAIL/u, '550 not you', { stage: 'sender', reason: 'rejected', code: 550 }],
    [
      '550 at RCPT TO',
      /^RCPT/u,
      '550-no such\r\n550 user',
      { stage: 'recipient', code: 550, message: 'The server replied "550-no such 550 user"' },
    ],
    ['450 at RCPT TO', /^RCPT/u, '450 greylisted', { stage: 'recipient', reason: 'rejected', code: 450 }],
    ['421 at RCPT TO', /^RCPT/u, '421 shutting down', { stage: 'recipient', reason: 'rejected', code: 421 }],
    ['nonsense at RCPT TO', /^RCPT/u, 'what?', { stage: 'recipient', reason: 'protocol', code: null }],
  ] as const)('%s', async (...[, at, reply, expected]) => {
    await using server = await createScriptedSmtp({
      onLine: (line) => (at.test(line) ? `${reply}\r\n` : agreeable(line)),
    });
    expect((await bench.look(server.port)).outcome).toMatchObject({ kind: 'failed', ...expected });
    expect(server.lines).not.toContain('DATA');
  });

  test('offers no STARTTLS, and then nothing is said in the clear', async () => {
    await using server = await createScriptedSmtp({
      onLine: (line) => (line === 'STARTTLS' ? '502 unknown\r\n' : agreeable(line)),
    });
    expect((await bench.look(server.port, { config: { security: 'starttls', ...LOGIN } })).outcome).toMatchObject({
      stage: 'tls',
      reason: 'rejected',
      code: 502,
      tlsError: 'NO_STARTTLS',
    });
    expect(server.lines.filter((line) => /^(?:MAIL|AUTH)/u.test(line))).toEqual([]);
  });

  test('is heard to the end where it says why and hangs up', async () => {
    await using server = await createTcpPeer((socket) => socket.end('220 x\r\n421 shutting down\r\n'));
    expect((await bench.look(server.port)).outcome).toMatchObject({ stage: 'ehlo', reason: 'rejected', code: 421 });
  });

  // Listeners of network/smtp/session.ts: on close
  test('hangs up in the middle', async () => {
    await using server = await createScriptedSmtp({
      onLine: (line) => (line.startsWith('RCPT') ? CLOSE : agreeable(line)),
    });
    expect((await bench.look(server.port)).outcome).toMatchObject({
      kind: 'failed',
      stage: 'recipient',
      reason: 'closed',
      code: null,
    });
  });

  test('offers STARTTLS and refuses it', async () => {
    await using server = await createScriptedSmtp({
      onLine: (line) => (line.startsWith('EHLO') ? '250-x\r\n250 STARTTLS\r\n' : '454 not available\r\n'),
    });
    expect((await bench.look(server.port, { config: { security: 'starttls' } })).outcome).toMatchObject({
      stage: 'tls',
      code: 454,
      tlsError: 'STARTTLS_REFUSED',
    });
  });

  test.each(['starttls', 'tls'] as const)('shows a certificate that does not verify, security %s', async (security) => {
    await using server = await bench.serve({ security });
    expect(
      (await bench.look(server.port, { config: { security }, ports: { trust: bench.strangeTrust } })).outcome,
    ).toMatchObject({
      stage: 'tls',
      reason: 'tls',
      tlsError: expect.stringMatching(/^(?:UNABLE_TO_GET_ISSUER_CERT_LOCALLY|SELF_SIGNED_CERT_IN_CHAIN)$/u),
    });
    expect((await bench.look(server.port, { config: { security, host: 'other.example.test' } })).outcome).toMatchObject(
      {
        stage: 'tls',
        reason: 'tls',
        tlsError: 'ERR_TLS_CERT_ALTNAME_INVALID',
      },
    );
    expect(server.commands.filter((line) => line.startsWith('MAIL'))).toEqual([]);
  });

  test('is not asked to QUIT, and not waited for, after a handshake that failed', async () => {
    await using server = await bench.serve({ security: 'starttls' });
    const waited: number[] = [];
    const after: Clock['after'] = (delay, callback) =>
      systemClock.after(delay, () => {
        waited.push(delay);
        callback();
      });
    const clock = { ...systemClock, after };
    const { outcome } = await bench.look(server.port, {
      config: { security: 'starttls' },
      ports: { trust: bench.strangeTrust },
      ctx: { clock },
    });
    expect(outcome).toMatchObject({ stage: 'tls', reason: 'tls' });
    expect(waited).toEqual([]);
  });

  test('speaks plainly where TLS is wanted', async () => {
    await using server = await createScriptedSmtp();
    expect((await bench.look(server.port, { config: { security: 'tls' } })).outcome).toMatchObject({
      stage: 'tls',
      reason: 'tls',
    });
  });

  test('rejects the login, and the password is not shown even if the server echoes it', async () => {
    await using server = await bench.serve({ security: 'none', credentials: { user: 'fac', password: 'another' } });
    const { outcome } = await bench.look(server.port, { config: LOGIN });
    expect(outcome).toMatchObject({ kind: 'failed', stage: 'login', reason: 'rejected', code: 535 });
    expect(JSON.stringify(outcome)).toContain('‹secret›');
    expect(JSON.stringify(outcome)).not.toContain(PASSWORD);
  });

  test('cannot log in without the secret', async () => {
    await using server = await bench.serve({ security: 'none', credentials: { user: 'fac', password: PASSWORD } });
    const readSecret: MailPorts['readSecret'] = async () =>
      Promise.reject(new Error('Cannot read the secret: environment variable "X" is not set'));
    const seen = await bench.look(server.port, { config: LOGIN, ports: { readSecret } });
    expect(seen.outcome).toMatchObject({ stage: 'login', reason: 'internal' });
    expect(judgeMail(seen, { fromAppliance: false })).toMatchObject([{ level: 'unknown', suggests: null }]);
  });

  test('cannot judge under a caFile that it cannot read', async () => {
    const { outcome } = await bench.look(1, { config: { caFile: '/nonexistent/missing.pem' } });
    expect(outcome).toMatchObject({ reason: 'internal', message: expect.stringContaining('missing.pem') });
  });

  test('never lets an address end the command', async () => {
    await using server = await createScriptedSmtp();
    const { outcome } = await bench.look(server.port, { config: { to: 'a@b>\r\nDATA' } });
    expect(outcome).toMatchObject({ stage: 'recipient', reason: 'internal' });
    expect(server.lines).not.toContain('DATA');
  });
});
