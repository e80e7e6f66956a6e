import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { TEXTS } from './lines.ts';
import type { Receiver } from './measure.ts';
import { freePort } from '../../test/support/network/free-port.ts';
import { terminate } from './measure.ts';

const UNPACKED = fileURLToPath(new URL('../../.cache/bench-peers', import.meta.url));
const LIBRARIES = 'usr/lib/x86_64-linux-gnu';

interface OwnCounters {
  readonly tcp: { readonly ftm: number };
  readonly udp: { readonly ftm: number; readonly other: number; readonly dropped: number };
  /** Longest delay of a 10 ms timer since the counters were last read, in milliseconds. */
  readonly stall: number;
}

export interface OwnReceiver extends Receiver {
  readonly udpPort: number;
  counters(): Promise<OwnCounters>;
}

export async function startOwn(): Promise<OwnReceiver> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('serve.ts', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<unknown> => JSON.parse(String((await answers.next()).value));
  const addresses = (await answer()) as {
    readonly tcp: { readonly port: number };
    readonly udp: { readonly port: number };
  };
  const counters = async (): Promise<OwnCounters> => {
    child.stdin.write('\n');
    return (await answer()) as OwnCounters;
  };
  return {
    name: 'ftm-watch',
    pid: child.pid ?? 0,
    port: addresses.tcp.port,
    udpPort: addresses.udp.port,
    counters,
    found: async () => (await counters()).tcp.ftm,
    stop: () => terminate(child),
  };
}

/** Starts rsyslog with imtcp and one `contains` filter for each text, writing to a file. */
export async function startRsyslog(folder: string): Promise<Receiver | null> {
  const program = findProgram('rsyslogd');
  if (program === null) return null;
  const port = await freePort();
  const found = join(folder, 'rsyslog-found');
  const condition = TEXTS.map((text) => `$msg contains "${text}"`).join(' or ');
  await writeFile(found, '');
  await writeFile(
    join(folder, 'rsyslog.conf'),
    `global(workDirectory="${folder}")
module(load="imtcp")
template(name="mark" type="string" string="x\\n")
input(type="imtcp" address="127.0.0.1" port="${String(port)}")
if (${condition}) then action(type="omfile" file="${found}" template="mark")
stop
`,
  );
  const modules = join(UNPACKED, LIBRARIES, 'rsyslog');
  const child = spawn(
    program,
    [
      '-n',
      '-f',
      join(folder, 'rsyslog.conf'),
      '-i',
      join(folder, 'rsyslog.pid'),
      ...(existsSync(modules) ? ['-M', modules] : []),
    ],
    {
      env: { ...process.env, LD_LIBRARY_PATH: join(UNPACKED, LIBRARIES) },
      stdio: 'ignore',
    },
  );
  await accepting(port);
  return {
    name: 'rsyslog',
    pid: child.pid ?? 0,
    port,
    found: async () => (await stat(found)).size / 2,
    stop: () => terminate(child),
  };
}

/** Starts mtail with one counter for each text. */
export async function startMtail(folder: string): Promise<Receiver | null> {
  const program = findProgram('mtail');
  if (program === null) return null;
  const [port, http] = [await freePort(), await freePort()];
  const pattern = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/gu, '\\$&');
  const rules = TEXTS.map((text) => `/${pattern(text)}/ {\n  found["${text}"]++\n}`).join('\n');
  await writeFile(join(folder, 'bench.mtail'), `counter found by what\n${rules}\n`);
  const child = spawn(
    program,
    [
      '--progs',
      folder,
      '--logs',
      `tcp://127.0.0.1:${String(port)}`,
      '--address',
      '127.0.0.1',
      '--port',
      String(http),
      '--disable_fsnotify',
      '--logtostderr',
      '--stderrthreshold',
      'ERROR',
    ],
    { stdio: ['ignore', 'ignore', 'ignore'] },
  );
  await accepting(http);
  await accepting(port);
  const found = async (): Promise<number> => {
    // Its page is expensive. If it were requested more often, the page would be measured instead of the lines.
    await sleep(100);
    const page = await (await fetch(`http://127.0.0.1:${String(http)}/metrics`)).text();
    return Number(/^found\{[^}]*what="FTM polling error"[^}]*\} (\S+)/mu.exec(page)?.[1] ?? 0);
  };
  return { name: 'mtail', pid: child.pid ?? 0, port, found, stop: () => terminate(child) };
}

function findProgram(name: string): string | null {
  const unpacked = ['usr/bin', 'usr/sbin'].map((folder) => join(UNPACKED, folder));
  const folders = [...unpacked, ...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? null;
}

async function accepting(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const socket = connect({ host: '127.0.0.1', port });
    try {
      await once(socket, 'connect');
      socket.destroy();
      return;
    } catch {
      await sleep(50);
    }
  }
  throw new Error(`Nothing listens on port ${String(port)} within 10 s`);
}
