import { describe, expect, test } from 'vitest';
import { judgeMail } from '../../../src/checks/mail/judge.ts';
import { createMailBench } from '../../support/mail/mail-bench.ts';
import { agreeable, createScriptedSmtp } from '../../support/mail/smtp-script.ts';

const bench = await createMailBench();
const { clock } = bench;
const ctx = { clock };

describe('observeMail and time', () => {
  test('a silent server ends after the deadline', async () => {
    await using server = await createScriptedSmtp({ greeting: null });
    const { outcome } = await bench.look(server.port, { ctx });
    expect(outcome).toMatchObject({
      kind: 'failed',
      stage: 'greeting',
      reason: 'timeout',
      message: 'Not completed within 10000 ms',
    });
    expect(outcome.durationMs).toBeLessThan(11_000);
  });

  test.each([
    ['longer than FortiAuthenticator waits', 5000, ['warning mail-server-answers-in-time mail-slow']],
    ['shorter', 9000, []],
  ] as const)('a server that lets its client wait for 6 s: %s', async (_, timeout, said) => {
    await using server = await createScriptedSmtp({ greetAfter: 6000, clock });
    const seen = await bench.look(server.port, { ctx, config: { timeout } });
    expect(seen.outcome).toMatchObject({ kind: 'accepted' });
    expect(
      judgeMail(seen, { fromAppliance: false }).map(
        ({ level, rule, suggests }) => `${level} ${rule} ${suggests ?? '-'}`,
      ),
    ).toEqual(said);
  });

  test('a greeting that trickles does not extend it', async () => {
    await using server = await createScriptedSmtp({ trickleEvery: 400, clock });
    const { outcome } = await bench.look(server.port, { ctx });
    expect(outcome).toMatchObject({ stage: 'greeting', reason: 'timeout' });
    expect(outcome.durationMs).toBeLessThan(11_000);
  });

  // Listeners of network/smtp/session.ts: addEventListener abort
  test('a server that falls silent at the recipient', async () => {
    await using server = await createScriptedSmtp({
      onLine: (line) => (line.startsWith('RCPT') ? null : agreeable(line)),
    });
    expect((await bench.look(server.port, { ctx })).outcome).toMatchObject({ stage: 'recipient', reason: 'timeout' });
  });

  test.each([
    ['within the patience of FortiAuthenticator', 5000, 'aborted'],
    ['later than FortiAuthenticator waits', 1000, 'timeout'],
  ] as const)('a server that answers every step, %s, is not silent: %i ms', async (_, timeout, reason) => {
    await using server = await createScriptedSmtp({
      // 4 s for each response, so there is no time for a third one.
      onLine: (line) => (line.startsWith('RCPT') ? null : agreeable(line)),
      replyAfter: 4000,
      clock,
    });
    const { outcome } = await bench.look(server.port, { ctx, config: { timeout } });
    expect(outcome).toMatchObject({ stage: 'recipient', reason });
  });

  test('is waited for as long as it is said', async () => {
    await using server = await createScriptedSmtp({ greeting: null });
    const { outcome } = await bench.look(server.port, { ctx, ports: { mailLimit: 8000 }, config: { timeout: 5000 } });
    expect(outcome).toMatchObject({ reason: 'timeout', message: 'Not completed within 8000 ms' });
    const patient = await bench.look(server.port, { ctx, ports: { mailLimit: 8000 }, config: { timeout: 9000 } });
    expect(patient.outcome).toMatchObject({ reason: 'timeout', message: 'Not completed within 9000 ms' });
  });

  test('a handshake that never goes on', async () => {
    await using server = await createScriptedSmtp({
      onLine: (line) =>
        line.startsWith('EHLO') ? '250-x\r\n250 STARTTLS\r\n' : line === 'STARTTLS' ? '220 go\r\n' : null,
    });
    expect((await bench.look(server.port, { ctx, config: { security: 'starttls' } })).outcome).toMatchObject({
      stage: 'tls',
      reason: 'timeout',
    });
  });

  // Listeners of network/smtp/session.ts: addEventListener abort 2
  test('ends at once when the round is called off', async () => {
    await using server = await createScriptedSmtp({ greeting: null });
    const controller = new AbortController();
    const looking = bench.look(server.port, { ctx: { ...ctx, signal: controller.signal } });
    await server.connected;
    controller.abort(new Error('shutting down'));
    const seen = await looking;
    expect(seen).toMatchObject({ outcome: { reason: 'aborted' } });
    expect(seen.outcome.durationMs).toBeLessThan(9000);
    expect(judgeMail(seen, { fromAppliance: false })).toMatchObject([{ level: 'unknown' }]);
  });
});
