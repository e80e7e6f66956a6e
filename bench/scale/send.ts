/**
 * Sends log lines as many appliances do, each from its own address: `send.ts PORT SENDERS LINES-A-SECOND SECONDS`.
 * Prints the number of lines.
 */
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { datagrams } from '../logs/lines.ts';
import { addressOf } from './network.ts';

const [port = 0, senders = 0, rate = 0, seconds = 0] = process.argv.slice(2).map(Number);
const STEP_MS = 5;

const sockets: Socket[] = [];
for (let index = 0; index < senders; index += 1) {
  const socket = createSocket('udp4').bind({ address: addressOf('appliance', index) });
  await once(socket, 'listening');
  sockets.push(socket);
}
// Only lines without FortiToken Mobile errors, as a healthy appliance sends.
const lines = datagrams().filter((line) => !line.includes('FTM'));
const total = rate * seconds;
const start = performance.now();
let sent = 0;
while (sent < total) {
  const due = Math.min(total, Math.floor(((performance.now() - start) * rate) / 1000));
  for (; sent < due; sent += 1) {
    const line = lines[sent % lines.length];
    if (line !== undefined) sockets[sent % sockets.length]?.send(line, port, '127.0.0.1');
  }
  await sleep(STEP_MS);
}
await sleep(100);
for (const socket of sockets) socket.close();
process.stdout.write(String(sent));
