import { accessSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { connect as connectSecurely } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createIdentity } from '../../../src/demo/lab/identity.ts';
import { createDaemonBench } from '../../support/process/daemon-bench.ts';
import { startDaemonProcess, type DaemonProcess, valueIn } from '../../support/process/daemon-process.ts';
import { TROUBLE } from '../../support/logs/intake-bench.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { until } from '../../support/time/until.ts';
import { memoryOf } from '../../../bench/process-figures.ts';

/** A memory limit for all processes in it together. The kernel kills them if they exceed it. */
interface MemoryLimit extends Disposable {
  /** Command prefix for starting a command under the limit. */
  readonly prefix: readonly string[];
}

/** Creates a separate control group (v1 or v2), or returns the reason why none can be created. */
function memoryLimit(bytes: number): MemoryLimit | string {
  const failures: string[] = [];
  for (const { parent, limit } of places()) {
    const folder = join(parent, `ftm-watch-test-${String(process.pid)}`);
    try {
      mkdirSync(folder);
    } catch (error) {
      failures.push(String(error));
      continue;
    }
    try {
      // The kernel creates the file. If it is missing, a write would create an ordinary file.
      accessSync(join(folder, limit));
      writeFileSync(join(folder, limit), String(bytes));
      return {
        prefix: ['sh', '-c', `echo $$ > ${folder}/cgroup.procs && exec "$@"`, 'sh'],
        [Symbol.dispose]: () => {
          rmdirSync(folder);
        },
      };
    } catch (error) {
      failures.push(String(error));
      rmdirSync(folder);
    }
  }
  return `no control group with a limit of memory can be made: ${failures.join('; ')}`;
}

interface Place {
  readonly parent: string;
  /** Name of the file with the limit. */
  readonly limit: string;
}

/** The control group of this process and, for v2, the root, because a group with processes cannot delegate memory. */
function places(): readonly Place[] {
  const groups = readFileSync('/proc/self/cgroup', 'utf8');
  const [, first] = /^\d+:memory:(.+)$/mu.exec(groups) ?? [];
  const v1 = { parent: join('/sys/fs/cgroup/memory', first ?? ''), limit: 'memory.limit_in_bytes' };
  return [...(first === undefined ? [] : [v1]), { parent: '/sys/fs/cgroup', limit: 'memory.max' }];
}

const LIMIT_MS = 30_000;
const MEBIBYTE = 1024 * 1024;
/** The memory limit in the systemd unit and in the chart. */
const ALLOWED = 512 * MEBIBYTE;
/** In MiB. */
const MOST = 400;
/** The environment that both of them set. */
const ENV = { MALLOC_ARENA_MAX: '1' };
/** Longer than a line may be. The excess is skipped. */
const UNFINISHED = Buffer.alloc(64 * 1024 - 1, '<12>a line that does not end ');

const site = await createDaemonBench();

beforeAll(async () => {
  const identity = await createIdentity({ name: 'CN=logs', ipAddresses: ['127.0.0.1'] });
  await writeFile(join(site.folder, 'logs.pem'), identity.pem);
  await writeFile(join(site.folder, 'logs.key'), identity.keyPem);
  const tls = { listen: '127.0.0.1:0', certFile: 'logs.pem', keyFile: 'logs.key' };
  await site.configure({
    appliances: [{ name: 'fac-1', logSources: ['127.0.0.1'] }],
    logs: { syslog: { tcp: '127.0.0.1:0', tls } },
  });
});
afterAll(() => site[Symbol.asyncDispose]());

interface Ports {
  readonly tcp: number;
  readonly tls: number;
}

/**
 * Connects as an unknown sender, from an address that is not the appliance's, and writes as much as the daemon accepts.
 */
async function attack(port: number, isSecure: boolean): Promise<Socket> {
  const plain = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.2' });
  const socket = isSecure ? connectSecurely({ socket: plain, rejectUnauthorized: false }) : plain;
  const isGone = new Promise((resolve) => socket.on('error', resolve).once('close', resolve));
  plain.on('error', () => undefined);
  await Promise.race([once(socket, isSecure ? 'secureConnect' : 'connect'), isGone]).catch(() => undefined);
  await Promise.race([new Promise((resolve) => socket.write(UNFINISHED, resolve)), isGone]);
  return socket;
}

/** Connects from the appliance's address. */
async function dial(port: number, isSecure: boolean): Promise<Socket> {
  const plain = connect(port, '127.0.0.1');
  const socket = isSecure ? connectSecurely({ socket: plain, rejectUnauthorized: false }) : plain;
  socket.on('error', () => undefined);
  await once(socket, isSecure ? 'secureConnect' : 'connect');
  return socket;
}

async function portsOf(daemon: DaemonProcess): Promise<Ports> {
  const line = (await daemon.logged('log-listening')) as unknown as Record<'tcp' | 'tls', { port: number }>;
  return { tcp: line.tcp.port, tls: line.tls.port };
}

const limit = memoryLimit(ALLOWED);
afterAll(() => (typeof limit === 'string' ? undefined : limit[Symbol.dispose]()));
if (typeof limit === 'string') console.warn(`Without the kernel's limit of 512 MiB: ${limit}`);

describeWhere(['linux'], 'a daemon that may take 512 MiB', () => {
  test.each([
    ['2,048 over TCP and 233 over TLS', 2048, 233],
    ['2,048 over each', 2048, 2048],
  ])('outlives lines that do not end, %s, and hears the appliance meanwhile', async (_, plain, secure) => {
    const prefix = typeof limit === 'string' ? [] : limit.prefix;
    await using daemon = startDaemonProcess({ cwd: site.folder, args: ['-c', 'ftm-watch.yaml'], prefix, env: ENV });
    const ports = await portsOf(daemon);
    const known = await Promise.all([dial(ports.tcp, false), dial(ports.tls, true)]);

    let done = false;
    const attacks = [
      ...Array.from({ length: plain }, () => attack(ports.tcp, false)),
      ...Array.from({ length: secure }, () => attack(ports.tls, true)),
    ];
    const strangers = Promise.all(attacks).finally(() => {
      done = true;
    });
    let [sent, most] = [0, 0];
    while (!done) {
      for (const appliance of known) appliance.write(`${TROUBLE}\n`);
      sent += 1;
      most = Math.max(most, memoryOf(daemon.pid).resident);
      await setTimeout(20);
    }
    const heard = await until(
      async () => {
        most = Math.max(most, memoryOf(daemon.pid).resident);
        const metrics = await daemon.read('metrics');
        return ['tcp', 'tls'].map((from) => valueIn(metrics, `ftm_log_lines_total{source="${from}",result="ftm"}`));
      },
      (lines) => lines.every((count) => count === sent),
      LIMIT_MS,
    );
    for (const socket of [...known, ...(await strangers)]) socket.destroy();

    expect(Math.min(...heard)).toBeGreaterThan(10);
    expect(most).toBeLessThan(MOST);
  });
});
