import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';

import { createLab } from '../../../src/demo/lab/lab.ts';
import { listening } from '../../../src/demo/lab/listening.ts';
import { startDaemonProcess } from '../../support/process/daemon-process.ts';
import type { Hosted } from '../../support/process/host.ts';
import { summaryOf } from '../../../src/demo/daemon.ts';
import { watchRounds } from '../../support/process/round-watcher.ts';

const RANGE = '/proc/sys/net/ipv4/ip_local_port_range';
const PORTS = [61_000, 61_001, 61_002] as const;
const WITHIN = 20_000;

/** What a daemon did without a free port. */
export interface Famine {
  /** Its conclusions during that time. */
  readonly starved: readonly string[];
  readonly mails: number;
  readonly code: number | null;
  readonly stderr: string;
}

/** Binds every port that the kernel would assign to a program that asks for any port. */
async function takeAllPorts(): Promise<AsyncDisposable> {
  const before = readFileSync(RANGE);
  await using stack = new AsyncDisposableStack();
  stack.defer(() => {
    writeFileSync(RANGE, before);
  });
  writeFileSync(RANGE, `${String(PORTS[0])} ${String(PORTS.at(-1))}`);
  for (const port of PORTS) {
    stack.use(await listening(createServer(), { address: '0.0.0.0', port }));
    const socket = createSocket('udp4').bind(port);
    await once(socket, 'listening');
    stack.defer(() => void socket.close());
  }
  return stack.move();
}

/** Runs the lab and a daemon, which for some rounds has no port for outgoing connections. */
export async function host(): Promise<Hosted<Famine, never>> {
  await using lab = await createLab();
  await using daemon = startDaemonProcess({ cwd: lab.folder, args: ['-c', lab.configFile] });
  await using rounds = await watchRounds(await daemon.page());
  await rounds.next(({ ready }) => ready === 'ready', WITHIN);
  const ports = await takeAllPorts();
  await rounds.next(({ ready }) => ready === 'unknown', WITHIN);
  const starved = (await rounds.more(3, WITHIN)).map(summaryOf);
  await ports[Symbol.asyncDispose]();
  await rounds.next(({ ready }) => ready === 'ready', WITHIN);
  const { code, stderr } = await daemon.end('SIGTERM');
  return { ready: { starved, mails: lab.inbox.mails.length, code, stderr } };
}
