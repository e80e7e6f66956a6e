import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { listening } from '../../../src/demo/lab/listening.ts';
import { portsOf, processesOf } from '../../../src/system/process-facts.ts';
import { describeWhere } from '../../support/process/privilege.ts';

describeWhere(['linux'], 'portsOf()', () => {
  test('tells what a process listens on, over which transport, and not whom it is connected to', async () => {
    await using stack = new AsyncDisposableStack();
    const { port: tcp } = stack.use(await listening(createServer(), { address: '::1' }));
    const socket = stack.adopt(createSocket('udp4').bind(0, '127.0.0.1'), (one) => void one.close());
    await once(socket, 'listening');
    const udp = socket.address().port;
    const client = stack.adopt(connect(tcp, '::1'), (one) => void one.destroy());
    await once(client, 'connect');

    const holds = await portsOf(process.pid);

    expect([holds?.('tcp', tcp), holds?.('udp', udp)]).toEqual([true, true]);
    expect([holds?.('udp', tcp), holds?.('tcp', client.localPort ?? 0)]).toEqual([false, false]);
  });

  test('knows nothing of a process that is not there', async () => {
    expect(await portsOf(2 ** 30)).toBeNull();
  });
});

describeWhere(['linux'], 'processesOf()', () => {
  test.each([[['run']], [['-c', 'other.yaml', 'run']]])('finds a program that is started with %j', async (args) => {
    const program = import.meta.filename;
    const waiting = [process.execPath, ['-e', 'setTimeout(() => {}, 30_000)', program, ...args]] as const;
    const child = spawn(...waiting, { stdio: 'ignore' });
    await once(child, 'spawn');
    const [same, other] = await Promise.all([program, import.meta.dirname].map((path) => processesOf(path, 'run')));
    child.kill();
    expect(same).toContain(child.pid);
    expect(other).not.toContain(child.pid);
  });
});
