import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Clock } from '../../../src/core/clock.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { judgeMail } from '../../../src/checks/mail/judge.ts';
import { LOGIN, PASSWORD, createMailBench, type Setting } from '../../support/mail/mail-bench.ts';
import { oneLogin } from '../../support/mail/mail-server.ts';
import { CLOSE, RESET, createScriptedSmtp, replyingTo, type SmtpScript } from '../../support/mail/smtp-script.ts';
import { createTcpPeer } from '../../support/network/tls-peer.ts';
import { freePort } from '../../support/network/free-port.ts';
import { samples } from '../../support/random/samples.ts';

const bench = await createMailBench();
const { clock } = bench;
const IDLE: Setting = { ctx: { clock } };
const STARTTLS: Setting = { ctx: { clock }, config: { security: 'starttls' } };

/** What the server says, the setting of the probe, and what it finds. */
type Row = readonly [name: string, script: SmtpScript, expected: object, setting?: Setting];

describe('observeMail with a server that does not', () => {
  test.for<Row>([
    // Listeners of network/wire.ts: on end
    ['hangs up instead of greeting', { greeting: CLOSE }, { stage: 'greeting', reason: 'closed' }],
    // Listeners of network/wire.ts: on error
    [
      'resets instead of greeting',
      { greeting: RESET },
      { stage: expect.stringMatching(/^(?:connect|greeting)$/u), reason: 'reset' },
    ],
    ['is too busy', { greeting: '421 too busy\r\n' }, { stage: 'greeting', reason: 'rejected', code: 421 }],
    ['refuses everybody', { greeting: '554 go away\r\n' }, { stage: 'greeting', reason: 'rejected', code: 554 }],
    [
      'is no mail server',
      { greeting: 'HTTP/1.1 400 Bad Request\r\n\r\n' },
      { stage: 'greeting', reason: 'protocol', code: null },
    ],
    // Listeners of network/wire.ts: on readable
    [
      'sends a greeting without end',
      { greeting: `220-${'x'.repeat(200_000)}` },
      { stage: 'greeting', reason: 'protocol' },
    ],
    [
      '550 at EHLO and HELO',
      replyingTo(/^(?:EHLO|HELO)/u, '550 no\r\n'),
      { stage: 'ehlo', reason: 'rejected', code: 550, tlsError: null },
    ],
    ['550 at MAIL FROM', replyingTo(/^MAIL/u, '550 not you\r\n'), { stage: 'sender', reason: 'rejected', code: 550 }],
    [
      '550 at RCPT TO',
      replyingTo(/^RCPT/u, '550-no such\r\n550 user\r\n'),
      { stage: 'recipient', code: 550, message: expect.stringContaining('"550-no such 550 user"') },
    ],
    [
      '450 at RCPT TO',
      replyingTo(/^RCPT/u, '450 greylisted\r\n'),
      { stage: 'recipient', reason: 'rejected', code: 450 },
    ],
    [
      '421 at RCPT TO',
      replyingTo(/^RCPT/u, '421 shutting down\r\n'),
      { stage: 'recipient', reason: 'rejected', code: 421 },
    ],
    ['nonsense at RCPT TO', replyingTo(/^RCPT/u, 'what?\r\n'), { stage: 'recipient', reason: 'protocol', code: null }],
    // Listeners of network/wire.ts: on close
    ['hangs up in the middle', replyingTo(/^RCPT/u, CLOSE), { stage: 'recipient', reason: 'closed', code: null }],
    [
      'offers no STARTTLS, and then nothing is said in the clear',
      replyingTo(/^STARTTLS$/u, '502 unknown\r\n'),
      { stage: 'tls', reason: 'rejected', code: 502, tlsError: 'NO_STARTTLS' },
      { config: { security: 'starttls', ...LOGIN } },
    ],
    [
      'offers STARTTLS and refuses it',
      { onLine: (line) => (line.startsWith('EHLO') ? '250-x\r\n250 STARTTLS\r\n' : '454 not available\r\n') },
      { stage: 'tls', code: 454, tlsError: 'STARTTLS_REFUSED' },
      STARTTLS,
    ],
    ['speaks plainly where TLS is wanted', {}, { stage: 'tls', reason: 'tls' }, { config: { security: 'tls' } }],
    [
      'is sent no address that ends the command',
      {},
      { stage: 'recipient', reason: 'internal' },
      { config: { to: 'a@b>\r\nDATA' } },
    ],
    [
      'is silent, after the deadline',
      { greeting: null },
      { stage: 'greeting', reason: 'timeout', message: expect.stringContaining('10000 ms') },
      IDLE,
    ],
    [
      'trickles its greeting, which does not extend the deadline',
      { trickleEvery: 400, clock },
      { stage: 'greeting', reason: 'timeout' },
      IDLE,
    ],
    // Listeners of network/wire.ts: addEventListener abort
    ['falls silent at the recipient', replyingTo(/^RCPT/u, null), { stage: 'recipient', reason: 'timeout' }, IDLE],
    [
      'never goes on with its handshake',
      {
        onLine: (line) =>
          line.startsWith('EHLO') ? '250-x\r\n250 STARTTLS\r\n' : line === 'STARTTLS' ? '220 go\r\n' : null,
      },
      { stage: 'tls', reason: 'timeout' },
      STARTTLS,
    ],
  ])('%s', async ([, script, expected, setting]) => {
    await using server = await createScriptedSmtp(script);
    const { outcome } = await bench.look(server.port, setting);
    expect(outcome).toMatchObject({ kind: 'failed', ...expected });
    expect(outcome.durationMs).toBeLessThan(11_000);
    expect(server.lines).not.toContain('DATA');
    const isPlain = (setting?.config?.security ?? 'none') === 'none';
    expect(server.lines.filter((line) => !isPlain && /^(?:MAIL|AUTH)/u.test(line))).toEqual([]);
  });

  test.each([
    ['refused port', {}, { stage: 'connect', reason: 'refused', code: null }],
    ['a name without an address', { addresses: [] }, { stage: 'connect', reason: 'name-not-resolved' }],
    [
      'a name that could not be looked up',
      {
        addresses: [],
        localError: { kind: 'failed', reason: 'internal', message: 'bind EMFILE 0.0.0.0', durationMs: 1 },
      },
      { stage: 'connect', reason: 'internal', message: expect.stringContaining('bind EMFILE') as unknown },
    ],
    [
      'a caFile that cannot be read',
      { config: { caFile: '/nonexistent/missing.pem' } },
      { reason: 'internal', message: expect.stringContaining('missing.pem') as unknown },
    ],
  ] as const)('fails before it is reached: %s', async (_, setting, expected) => {
    expect((await bench.look(await freePort(), setting)).outcome).toMatchObject({ kind: 'failed', ...expected });
  });

  test('is heard to the end where it says why and hangs up', async () => {
    await using server = await createTcpPeer((socket) => socket.end('220 x\r\n421 shutting down\r\n'));
    expect((await bench.look(server.port)).outcome).toMatchObject({ stage: 'ehlo', reason: 'rejected', code: 421 });
  });

  test.each(['starttls', 'tls'] as const)('shows a certificate that does not verify, security %s', async (security) => {
    await using server = await bench.serve({ security });
    const strange = await bench.look(server.port, { config: { security }, ports: { trust: bench.strangeTrust } });
    expect(strange.outcome).toMatchObject({
      stage: 'tls',
      reason: 'tls',
      tlsError: expect.stringMatching(/^(?:UNABLE_TO_GET_ISSUER_CERT_LOCALLY|SELF_SIGNED_CERT_IN_CHAIN)$/u),
    });
    const other = await bench.look(server.port, { config: { security, host: 'other.example.test' } });
    expect(other.outcome).toMatchObject({ stage: 'tls', reason: 'tls', tlsError: 'ERR_TLS_CERT_ALTNAME_INVALID' });
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
    const { outcome } = await bench.look(server.port, {
      config: { security: 'starttls' },
      ports: { trust: bench.strangeTrust },
      ctx: { clock: { ...systemClock, after } },
    });
    expect(outcome).toMatchObject({ stage: 'tls', reason: 'tls' });
    expect(waited).toEqual([]);
  });

  test('rejects the login, and the password is not shown even if the server echoes it', async () => {
    await using server = await bench.serve({ login: oneLogin('fac', 'another') });
    const { outcome } = await bench.look(server.port, { config: LOGIN });
    expect(outcome).toMatchObject({ kind: 'failed', stage: 'login', reason: 'rejected', code: 535 });
    expect(JSON.stringify(outcome)).toContain('‹secret›');
    expect(JSON.stringify(outcome)).not.toContain(PASSWORD);
  });

  test('cannot be logged in to without the secret', async () => {
    await using server = await bench.serve({ login: oneLogin('fac', PASSWORD) });
    const readSecret = (): Promise<string> => Promise.reject(new Error('the variable "X" is not set'));
    const seen = await bench.look(server.port, { config: LOGIN, ports: { readSecret } });
    expect(seen.outcome).toMatchObject({ stage: 'login', reason: 'internal' });
    expect(judgeMail(seen, { fromAppliance: false })).toMatchObject([{ level: 'unknown', suggests: null }]);
  });
});

describe('observeMail and time', () => {
  test.each([
    ['more than the patience of its client', 5000, ['warning mail-server-answers-in-time mail-slow']],
    ['less', 9000, []],
  ] as const)('a server that lets its client wait for 6 s: %s', async (_, timeout, said) => {
    await using server = await createScriptedSmtp({ greetAfter: 6000, clock });
    const seen = await bench.look(server.port, { ...IDLE, config: { timeout } });
    expect(seen.outcome).toMatchObject({ kind: 'accepted' });
    const findings = judgeMail(seen, { fromAppliance: false });
    expect(findings.map(({ level, rule, suggests }) => `${level} ${rule} ${suggests ?? '-'}`)).toEqual(said);
  });

  test.each([
    ['within the patience of FortiAuthenticator', 5000, 'aborted'],
    ['later than FortiAuthenticator waits', 1000, 'timeout'],
  ] as const)('a server that answers every step, %s, is not silent: %i ms', async (_, timeout, reason) => {
    // 4 s for each response, so there is no time for a third one.
    await using server = await createScriptedSmtp({ ...replyingTo(/^RCPT/u, null), replyAfter: 4000, clock });
    const { outcome } = await bench.look(server.port, { ...IDLE, config: { timeout } });
    expect(outcome).toMatchObject({ stage: 'recipient', reason });
  });

  test.each([
    [5000, 8000],
    [9000, 9000],
  ])('is waited for as long as it is said: %i ms', async (timeout, limit) => {
    await using server = await createScriptedSmtp({ greeting: null });
    const { outcome } = await bench.look(server.port, { ...IDLE, ports: { mailLimit: 8000 }, config: { timeout } });
    expect(outcome).toMatchObject({ reason: 'timeout', message: expect.stringContaining(`${String(limit)} ms`) });
  });

  // Listeners of network/smtp/session.ts: addEventListener abort
  test('ends at once when the round is called off', async () => {
    await using server = await createScriptedSmtp({ greeting: null });
    const controller = new AbortController();
    const looking = bench.look(server.port, { ctx: { clock, signal: controller.signal } });
    await server.connected;
    controller.abort(new Error('shutting down'));
    const seen = await looking;
    expect(seen).toMatchObject({ outcome: { reason: 'aborted' } });
    expect(seen.outcome.durationMs).toBeLessThan(9000);
    expect(judgeMail(seen, { fromAppliance: false })).toMatchObject([{ level: 'unknown' }]);
  });
});

test('observeMail survives whatever a server says', async () => {
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
        // It finally closes the connection, so that no run waits for the deadline.
        onLine: () => (turn < replies.length ? (replies[turn++] ?? CLOSE) : CLOSE),
      });
      const limit = AbortSignal.timeout(100);
      const { outcome } = await bench.look(server.port, { config: LOGIN, ctx: { signal: limit } });
      expect(['accepted', 'failed']).toContain(outcome.kind);
      expect(server.lines).not.toContain('DATA');
    }),
    { numRuns: samples(10) },
  );
});
