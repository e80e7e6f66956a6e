import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/system/clock.ts';
import { sendLines } from '../../support/process/daemon-process.ts';
import { connectSender, ORDINARY, startIntake, TROUBLE } from '../../support/logs/intake-bench.ts';

describe('syslog that fails', () => {
  // Listeners of logs/listen-tcp.ts: once close, once close 3, on error 2, once close 4
  test('takes what a sender had said that resets the connection', async () => {
    const bench = await startIntake();
    const sender = await connectSender(bench.portOf('tcp'));
    sender.write(`${ORDINARY}\n${TROUBLE}`);
    await bench.until(() => expect(bench.intake.counters().lines.tcp.other).toBe(1));
    sender.resetAndDestroy();
    await bench.until(() => expect(bench.troubles()).toBe(1));
    expect(bench.intake.counters().connections.open).toBe(0);
  });

  // Listeners of logs/listen-tcp.ts: on data
  // Listeners of logs/listen-udp.ts: on message
  test('goes on when a line cannot be read', async () => {
    let isBroken = true;
    const now = (): number => {
      if (isBroken) throw new Error('boom');
      return systemClock.now();
    };
    const bench = await startIntake({}, { clock: { ...systemClock, now } });
    const bugs = (): number => bench.log.lines.filter(({ message }) => message.includes('a bug')).length;
    (await connectSender(bench.portOf('tcp'))).write(`${TROUBLE}\n`);
    await bench.until(() => expect(bugs()).toBe(1));
    expect(bench.intake.counters().connections.open).toBe(0);
    await sendLines(bench.portOf('udp'), [TROUBLE]);
    await bench.until(() => expect(bugs()).toBe(2));
    isBroken = false;
    (await connectSender(bench.portOf('tcp'))).write(`${TROUBLE}\n`);
    await sendLines(bench.portOf('udp'), [TROUBLE]);
    await bench.until(() => expect(bench.troubles()).toBe(2));
  });
});
