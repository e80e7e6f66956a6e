/**
 * Sends lines: `send.ts tcp PORT BLOCKS` or `send.ts udp PORT LINES LINES-A-SECOND`. It is a separate process, so
 * that sending is not counted for the receiver.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { block, datagrams } from './lines.ts';

const [kind, port = '', amount = '', rate = ''] = process.argv.slice(2);

async function sendTcp(blocks: number): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port: Number(port) });
  await once(socket, 'connect');
  const bytes = block();
  for (let i = 0; i < blocks; i += 1) {
    if (!socket.write(bytes)) await once(socket, 'drain');
  }
  socket.end();
  await once(socket, 'close');
}

/** Spreads the lines evenly over each second, in steps of 2 ms. */
async function sendUdp(lines: number, aSecond: number): Promise<void> {
  const socket = createSocket('udp4');
  socket.connect(Number(port), '127.0.0.1');
  await once(socket, 'connect');
  const messages = datagrams();
  const start = performance.now();
  let sent = 0;
  let pending = 0;
  while (sent < lines) {
    const due = Math.min(lines, Math.floor(((performance.now() - start) / 1000) * aSecond));
    for (; sent < due; sent += 1) {
      pending += 1;
      socket.send(messages[sent % messages.length] ?? '', () => {
        pending -= 1;
      });
    }
    await sleep(2);
  }
  while (pending > 0) await sleep(5);
  socket.close();
  process.stdout.write(`${String(Math.round(lines / ((performance.now() - start) / 1000)))}\n`);
}

await (kind === 'udp' ? sendUdp(Number(amount), Number(rate)) : sendTcp(Number(amount)));
