import { describe, expect, test } from 'vitest';
import { CONNECTION_LIMITS, type ConnectionLimits } from '../../../src/logs/listen-tcp.ts';
import { watchTurns } from '../../support/process/cpu-time.ts';
import { onlyLines, closing, connectSender, ORDINARY, startIntake, TROUBLE } from '../../support/logs/intake-bench.ts';
import { handClock } from '../../support/time/hand-clock.ts';

function limitedTo(connections: number): ConnectionLimits {
  return { ...CONNECTION_LIMITS, connections };
}

describe('syslog over TCP', () => {
  test('takes lines and counted frames, and hands on what they say', async () => {
    const bench = await startIntake();
    const socket = await bench.dial();
    socket.write(`${ORDINARY}\n${TROUBLE}\n${String(Buffer.byteLength(TROUBLE))} ${TROUBLE}`);
    await bench.until(() => expect(bench.troubles()).toBe(2));
    expect(bench.intake.counters().lines.tcp).toEqual(onlyLines({ ftm: 2, other: 1 }));
    expect(bench.events).toContainEqual(
      expect.objectContaining({
        kind: 'ftm',
        appliance: null,
        signature: 'ftm-polling-ssl',
        reliable: false,
        line: TROUBLE,
      }),
    );
    expect(bench.events).toContainEqual(expect.objectContaining({ kind: 'heard', appliance: null }));
  });

  test('takes the last line of a connection that ends without a line break', async () => {
    const bench = await startIntake();
    (await bench.dial()).end(TROUBLE);
    await bench.until(() => expect(bench.troubles()).toBe(1));
  });

  test('loses nothing of 200 000 lines at full speed, in few events, while timers go on', async () => {
    const bench = await startIntake();
    const block = Buffer.from(`${ORDINARY}\n`.repeat(7) + `${TROUBLE}\n`);
    const flood = Buffer.concat(Array.from({ length: 500 }, () => block));
    const socket = await bench.dial();
    using turns = watchTurns();
    for (let i = 0; i < 50; i += 1) socket.write(flood);
    socket.end();
    await bench.until(() => expect(bench.intake.counters().lines.tcp.ftm).toBe(25_000));
    expect(bench.intake.counters().lines.tcp).toEqual(onlyLines({ ftm: 25_000, other: 175_000 }));
    await bench.until(() => expect(bench.troubles()).toBe(25_000));
    expect(bench.events.length).toBeLessThan(2000);
    expect(turns.longest()).toBeLessThan(turns.sum() / 3);
  });

  test('takes the lines of a thousand connections at once', async () => {
    const bench = await startIntake();
    const sockets = await Promise.all(Array.from({ length: 1000 }, () => bench.dial()));
    for (const socket of sockets) socket.write(`${ORDINARY}\n${TROUBLE.slice(0, 100)}`);
    await bench.until(() => expect(bench.intake.counters().lines.tcp.other).toBe(1000));
    for (const socket of sockets) socket.write(`${TROUBLE.slice(100)}\n`);
    await bench.until(() => expect(bench.troubles()).toBe(1000));
    expect(bench.intake.counters().connections).toMatchObject({ open: 1000, accepted: 1000, 'over-limit': 0 });
    for (const socket of sockets) socket.destroy();
    await bench.until(() => expect(bench.intake.counters().connections.open).toBe(0));
  });

  // Listeners of logs/listen-tcp.ts: callback of setImmediate
  test('keeps every one of many flooding connections moving, and timers too', async () => {
    const bench = await startIntake();
    const sockets = await Promise.all(Array.from({ length: 100 }, () => bench.dial()));
    const flood = Buffer.from(`${ORDINARY}\n`.repeat(2000));
    using turns = watchTurns();
    for (const socket of sockets) socket.end(flood);
    await bench.until(() => expect(bench.intake.counters().lines.tcp.other).toBe(200_000));
    expect(turns.longest()).toBeLessThan(turns.sum() / 3);
  });

  test('takes a line from a sender that is slow', async () => {
    const bench = await startIntake();
    const socket = await bench.dial();
    socket.setNoDelay(true);
    for (const character of `${TROUBLE}\n`) {
      await new Promise<void>((resolve) => {
        socket.write(character, () => {
          resolve();
        });
      });
    }
    await bench.until(() => expect(bench.troubles()).toBe(1));
    expect(bench.intake.counters().lines.tcp).toMatchObject({ ftm: 1, other: 0 });
  });

  // Listeners of logs/listen-tcp.ts: callback of beat
  test('closes a connection whose line gets no further byte, and takes what there is', async () => {
    const clock = handClock(0);
    const bench = await startIntake({}, { clock });
    const stalled = await bench.dial();
    const idle = await bench.dial();
    idle.write(`${ORDINARY}\n`);
    stalled.write(TROUBLE);
    await bench.until(() => expect(bench.intake.counters().lines.tcp.other).toBe(1));
    await bench.until(() => expect(bench.intake.counters().connections.open).toBe(2));
    const closed = closing(stalled);
    // The bytes from `stalled` may still be in transit, so the clock advances until they were read and timed out.
    await bench.until(() => {
      clock.advance(65_000);
      expect(bench.intake.counters().connections['timed-out']).toBe(1);
    });
    await closed;
    await bench.until(() => expect(bench.troubles()).toBe(1));
    expect(bench.intake.counters().connections.open).toBe(1);
    expect(bench.log.lines).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        message: expect.stringContaining('did not finish a line within the time limit'),
      }),
    );
  });

  test('closes a connection whose line never ends, however busy, and holds little of it', async () => {
    const clock = handClock(0);
    const bench = await startIntake({}, { clock });
    const socket = await bench.dial();
    const closed = closing(socket);
    await bench.until(() => {
      socket.write(Buffer.alloc(50_000, 'x'));
      clock.advance(30_000);
      expect(bench.intake.counters().connections['timed-out']).toBe(1);
    });
    await closed;
    expect(bench.intake.counters().lines.tcp).toMatchObject({ unparsed: 1, other: 0 });
  });

  test('leaves a busy connection alone whose chunks always end in the middle of a line', async () => {
    const clock = handClock(0);
    const bench = await startIntake({}, { clock });
    const socket = await bench.dial();
    for (let i = 1; i <= 40; i += 1) {
      socket.write(`${ORDINARY.slice(100)}\n${ORDINARY.slice(0, 100)}`);
      await bench.until(() => expect(bench.intake.counters().lines.tcp.other).toBe(i));
      clock.advance(30_000);
    }
    expect(bench.intake.counters().connections).toMatchObject({ open: 1, 'timed-out': 0 });
  });

  // Listeners of network/connection-evictor.ts: once close
  test('closes the quietest connection for one too many, and counts that', async () => {
    const bench = await startIntake({}, { limits: limitedTo(2) });
    const [speaks, says] = [await bench.dial(), await bench.dial()];
    const closed = closing(says);
    await bench.until(() => expect(bench.intake.counters().connections.open).toBe(2));
    speaks.write(`${ORDINARY}\n`);
    await bench.until(() => expect(bench.intake.counters().lines.tcp.other).toBe(1));
    const third = await bench.dial();
    await closed;
    for (const socket of [speaks, third]) socket.write(`${ORDINARY}\n`);
    await bench.until(() => expect(bench.intake.counters().lines.tcp.other).toBe(3));
    expect(bench.intake.counters().connections).toMatchObject({ open: 2, 'over-limit': 1 });
    expect(bench.intake.counters().lines.tcp.dropped).toBe(1);
  });

  test('lets a sender in that it knows, and keeps it, whatever strangers do', async () => {
    const bench = await startIntake(
      {
        appliances: [{ name: 'fac-1', logSources: ['127.0.0.1', 'fac01'] }],
        logs: { syslog: { udp: null, tcp: { address: '127.0.0.1', port: 0 }, tls: null } },
      },
      { limits: limitedTo(20) },
    );
    const port = bench.portOf('tcp');
    const before = await connectSender(port);
    for (let index = 0; index < 50; index += 1) await connectSender(port, '127.0.0.2');
    const later = await connectSender(port);
    // Unknown senders that send lines stay connected only while there is room.
    for (let index = 0; index < 50; index += 1) (await connectSender(port, '127.0.0.2')).write(`${ORDINARY}\n`);
    for (const socket of [before, later]) socket.write(`${TROUBLE}\n`);
    await bench.until(() => expect(bench.troubles()).toBe(2));
    expect(bench.intake.counters().connections).toMatchObject({ open: 20, 'over-limit': 82 });
  });

  // Listeners of logs/listen-tcp.ts: on connection
  test('turns a stranger away where all places are taken by senders that it knows', async () => {
    const bench = await startIntake(
      { appliances: [{ name: 'fac-1', logSources: ['127.0.0.1', 'fac01'] }] },
      { limits: limitedTo(2) },
    );
    const port = bench.portOf('tcp');
    const known = [await connectSender(port), await connectSender(port)];
    await closing(await connectSender(port, '127.0.0.2'));
    for (const socket of known) socket.write(`${TROUBLE}\n`);
    await bench.until(() => expect(bench.troubles()).toBe(2));
  });

  test('takes lines of 8 KB, invalid UTF-8 and control characters, and cuts only what is longer', async () => {
    const bench = await startIntake();
    const socket = await bench.dial();
    const long = `${ORDINARY} ${'x'.repeat(8_000 - ORDINARY.length)}\n`;
    socket.write(long);
    socket.write(`${ORDINARY}${'y'.repeat(100_000)}\n`);
    socket.write(
      Buffer.concat([
        Buffer.from(TROUBLE),
        Buffer.from([0xff, 0xfe, 0xc3, 0x28, 0x1b, 0x5b, 0x32, 0x4a, 0x07]),
        Buffer.from('\n'),
      ]),
    );
    socket.write(Buffer.from([0x00, 0x01, 0x02, 0x0a]));
    await bench.until(() =>
      expect(bench.intake.counters().lines.tcp).toEqual(onlyLines({ ftm: 1, other: 1, unparsed: 2 })),
    );
    const event = bench.events.find(({ kind }) => kind === 'ftm');
    expect(event).toMatchObject({
      signature: 'ftm-polling-ssl',
      line: `${TROUBLE}\u{FFFD}\u{FFFD}\u{FFFD}(\u{FFFD}[2J\u{FFFD}`,
    });
  });

  // Listeners of logs/reader.ts: callback of setImmediate
  test('goes on when a handler of events throws', async () => {
    const seen: string[] = [];
    const bench = await startIntake(
      {},
      {
        onEvent: (event) => {
          seen.push(event.kind);
          throw new Error('boom');
        },
      },
    );
    (await bench.dial()).end(`${TROUBLE}\n`);
    await bench.until(() => expect(seen).toContain('ftm'));
    expect(bench.log.lines).toContainEqual(
      expect.objectContaining({ level: 'error', event: 'log-event-not-processed' }),
    );
  });
});
