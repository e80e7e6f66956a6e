import { join } from 'node:path';
import { acceptsAt, startProgram } from '../process/start-program.ts';

/** A syslog daemon that relays lines to a port of loopback. */
export type LogRelay = AsyncDisposable;

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

interface RelaySetup {
  readonly config: readonly string[];
  readonly args: (file: string) => readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

function startRelay(program: string, listen: number, setup: (folder: string) => RelaySetup): Promise<LogRelay> {
  return startProgram((folder) => {
    const { config, args, env } = setup(folder);
    return {
      command: [program, ...args(join(folder, 'relay.conf'))],
      config: { 'relay.conf': config.map((line) => `${line}\n`).join('') },
      env,
      readyWhen: acceptsAt(listen),
      stop: 'SIGTERM',
    };
  });
}
