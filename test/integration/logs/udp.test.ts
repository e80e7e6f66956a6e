import { freePort } from '../../support/network/free-port.ts';
import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readKernelDrops } from '../../../src/logs/listen-udp.ts';
import { onlyLines, ORDINARY, startIntake, TROUBLE } from '../../support/logs/intake-bench.ts';
import { describeWhere } from '../../support/process/privilege.ts';

/** Sends this many lines in one turn of the event loop, so that nothing is read and a buffer overflows. */
async function flood(type: 'udp4' | 'udp6', port: number, address: string, lines: number): Promise<void> {
  const socket = createSocket(type);
  onTestFinished(() => void socket.close());
  socket.connect(port, address);
  await once(socket, 'connect');
  for (let sent = 0; sent < lines; sent += 1) socket.send(ORDINARY);
}

/** Fails if something listens on this port. */
async function canBind(port: number): Promise<void> {
  const socket = createSocket('udp4').bind(port, '127.0.0.1');
  await once(socket, 'listening');
  socket.close();
}

describe('syslog over UDP', () => {
  test('takes each datagram as one line, with or without a line break', async () => {
    const bench = await startIntake();
    bench.send(TROUBLE, `${TROUBLE}\n`, ORDINARY, `${ORDINARY}\r\n\0`, '', '\n');
    await bench.until(() => expect(bench.intake.counters().lines.udp).toEqual(onlyLines({ ftm: 2, other: 2 })));
    await bench.until(() => expect(bench.troubles()).toBe(2));
    expect(bench.intake.counters().lastReceivedAt.has('unnamed')).toBe(true);
  });

  test('does not let a line break smuggle in a second line', async () => {
    const bench = await startIntake();
    bench.send(`${ORDINARY}\n${TROUBLE}`);
    await bench.until(() => expect(bench.intake.counters().lines.udp).toMatchObject({ ftm: 0, unrecognised: 1 }));
  });

  test('does not take a datagram for an error or an ordinary line if it is longer than 8 KiB', async () => {
    const bench = await startIntake();
    bench.send(TROUBLE.padEnd(9_000, 'x'), ORDINARY.padEnd(9_000, 'x'));
    await bench.until(() =>
      expect(bench.intake.counters().lines.udp).toMatchObject({ ftm: 0, unparsed: 2, unrecognised: 0, other: 0 }),
    );
  });

  test('asks for a large buffer, reads back what it got, and sees the drops of the kernel', async () => {
    const bench = await startIntake();
    const counters = bench.intake.counters().udp;
    expect(counters?.receiveBufferBytes).toBeGreaterThan(0);
    const warned = bench.log.lines.some(({ message }) => message.includes('receive buffer is smaller'));
    expect(warned).toBe((counters?.receiveBufferBytes ?? 0) < 2 * 4 * 1024 * 1024);
    expect(await readKernelDrops({ address: '127.0.0.1', port: bench.portOf('udp') })).toBe(0);
  });

  test('loses nothing of a burst of 5000 lines', async () => {
    const bench = await startIntake();
    bench.send(...Array.from({ length: 5000 }, (_, index) => (index % 8 === 0 ? TROUBLE : ORDINARY)));
    await bench.until(() =>
      expect(bench.intake.counters().lines.udp).toMatchObject({ ftm: 625, other: 4375, dropped: 0 }),
    );
  });

  // Listeners of logs/listen-udp.ts: callback of beat
  test('counts what the kernel drops while the program is busy', async () => {
    const bench = await startIntake();
    await flood('udp4', bench.portOf('udp'), '127.0.0.1', 30_000);
    await bench.until(() => expect(bench.intake.counters().lines.udp.other).toBeGreaterThan(0));
    const dropped = (await readKernelDrops({ address: '127.0.0.1', port: bench.portOf('udp') })) ?? 0;
    await bench.until(() => expect(bench.intake.counters().lines.udp.other).toBe(30_000 - dropped));
    await bench.intake.stop();
    expect(dropped).toBeGreaterThan(0);
    expect(bench.intake.counters()).toMatchObject({ lines: { udp: { dropped } }, udp: { kernelDrops: dropped } });
    expect(bench.log.lines).toContainEqual(
      expect.objectContaining({ fields: { dropped }, message: expect.stringContaining('kernel dropped') }),
    );
  });

  test.each([
    ['another address', 'udp4', '127.0.0.2'],
    ['IPv6', 'udp6', '::1'],
  ] as const)('counts no drops of another socket on the same port of %s', async (_, type, address) => {
    const bench = await startIntake();
    const port = bench.portOf('udp');
    const other = createSocket(type).bind(port, address);
    onTestFinished(() => void other.close());
    await once(other, 'listening');
    await flood(type, port, address, 5_000);
    expect(await readKernelDrops({ address, port })).toBeGreaterThan(0);
    expect(await readKernelDrops({ address: '127.0.0.1', port })).toBe(0);
    await bench.intake.stop();
    expect(bench.intake.counters()).toMatchObject({ lines: { udp: { dropped: 0 } }, udp: { kernelDrops: 0 } });
  });

  // Listeners of logs/listen-tcp.ts: once listening
  // Listeners of logs/listen-udp.ts: once listening
  test('tells which port is taken and what to do, and leaves nothing open', async () => {
    const bench = await startIntake();
    const listenOn = (port: number) => ({ address: '127.0.0.1', port });
    const udp = await freePort();
    const syslog = { udp: listenOn(udp), tcp: listenOn(bench.portOf('tcp')), tls: null };
    await expect(startIntake({ logs: { syslog } })).rejects.toThrow(
      /Cannot listen for syslog over TCP on "127\.0\.0\.1:\d+": .*EADDRINUSE.*; another program is using this port/u,
    );
    await canBind(udp);
    const taken = { udp: listenOn(bench.portOf('udp')), tcp: null, tls: null };
    await expect(startIntake({ logs: { syslog: taken } })).rejects.toThrow(/over UDP on "127\.0\.0\.1:\d+"/u);
  });

  // Listeners of logs/listen-udp.ts: callback of close
  test('stops, twice without harm, and can start again', async () => {
    const bench = await startIntake();
    const port = bench.portOf('udp');
    await bench.intake.stop();
    await bench.intake.stop();
    await bench.intake.start();
    expect(bench.portOf('udp')).not.toBe(0);
    await bench.intake.stop();
    await canBind(port);
  });
});

const ALONE = ['root', { program: 'unshare' }, { program: 'mount' }] as const;

describeWhere(ALONE, 'where only processes are to be seen in /proc, as under the unit of systemd,', () => {
  test('the drops of the kernel are seen all the same', async () => {
    const program = `
      const { createSocket } = await import('node:dgram');
      const { readKernelDrops } = await import('./src/logs/listen-udp.ts');
      const { existsSync } = await import('node:fs');
      const socket = createSocket('udp4').bind(0, '127.0.0.1', async () => {
        console.log(existsSync('/proc/net'), await readKernelDrops(socket.address()));
        socket.close();
      });`;
    const hide = 'mount -t proc -o subset=pid proc /proc && exec "$0" --input-type=module --eval "$1"';
    const { stdout } = await promisify(execFile)('unshare', [
      '--mount',
      '--pid',
      '--fork',
      'sh',
      '-ec',
      hide,
      process.execPath,
      program,
    ]);
    expect(stdout).toBe('false 0\n');
  });
});
