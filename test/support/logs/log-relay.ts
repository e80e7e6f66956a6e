import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../time/until.ts';

/** A syslog daemon that relays lines to a port of loopback. */
export type LogRelay = AsyncDisposable;

const START_LIMIT_MS = 15_000;

/** Ports of loopback. */
export interface RelayPorts {
  readonly listen: number;
  readonly to: number;
}

/** Starts rsyslog with one of its templates, with reduction of repeated messages. */
export function startRsyslogRelay(program: string, { listen, to }: RelayPorts, template: string): Promise<LogRelay> {
  return startRelay(program, listen, (folder) => ({
    config: [
      '$RepeatedMsgReduction on',
      `global(workDirectory="${folder}" net.enableDNS="off")`,
      'module(load="imtcp")',
      `input(type="imtcp" address="127.0.0.1" port="${String(listen)}")`,
      'template(name="raw" type="string" string="%rawmsg%\\n")',
      `*.* action(type="omfwd" target="127.0.0.1" port="${String(to)}" protocol="tcp" template="${template}")`,
    ],
    args: (file) => ['-n', '-f', file, '-i', join(folder, 'pid')],
    env: {},
  }));
}

/**
 * Starts syslog-ng, unpacked in `root`, with a destination in which PORT is replaced by the port. It suppresses
 * repeated messages.
 */
export function startSyslogNgRelay(root: string, { listen, to }: RelayPorts, destination: string): Promise<LogRelay> {
  return startRelay(join(root, 'usr/sbin/syslog-ng'), listen, (folder) => ({
    config: [
      '@version: 4.8',
      'options { use-dns(no); };',
      `source s { network(ip("127.0.0.1") port(${String(listen)}) transport("tcp")); };`,
      `destination d { ${destination.replace('PORT', String(to))}; };`,
      'log { source(s); destination(d); };',
    ],
    args: (file) => [
      '-F',
      '--no-caps',
      '-f',
      file,
      `--module-path=${join(root, 'usr/lib/syslog-ng/4.8')}`,
      `--persist-file=${join(folder, 'persist')}`,
      `--control=${join(folder, 'control')}`,
      `--pidfile=${join(folder, 'pid')}`,
    ],
    env: { LD_LIBRARY_PATH: `${join(root, 'usr/lib/syslog-ng')}:${join(root, 'usr/lib/x86_64-linux-gnu')}` },
  }));
}

interface Setup {
  readonly config: readonly string[];
  readonly args: (file: string) => readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

async function startRelay(program: string, listen: number, setup: (folder: string) => Setup): Promise<LogRelay> {
  const folder = mkdtempSync(join(tmpdir(), 'ftm-watch-relay-'));
  const { config, args, env } = setup(folder);
  const file = join(folder, 'relay.conf');
  writeFileSync(file, config.map((line) => `${line}\n`).join(''));
  const child = spawn(program, args(file), { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...env } });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const open = await until(
    () => answers(listen),
    (answer) => answer || child.exitCode !== null,
    START_LIMIT_MS,
  );
  if (!open) throw new Error(`${program} ended before it listened:\n${said}`);
  return { [Symbol.asyncDispose]: () => stop(child, folder) };
}

async function stop(child: ChildProcess, folder: string): Promise<void> {
  if (child.exitCode === null) {
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
  rmSync(folder, { recursive: true, force: true });
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
