import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../network/free-port.ts';
import { until } from '../time/until.ts';

/** The parts of a line as parsed by rsyslog, under its own property names. */
export type ReadLine = Readonly<
  Record<'host' | 'program' | 'process' | 'id' | 'data' | 'severity' | 'facility' | 'time' | 'text', string>
>;

/** A real rsyslog on loopback that receives lines over UDP and TCP. */
export interface RsyslogReceiver extends AsyncDisposable {
  readonly port: number;
  lines(): readonly ReadLine[];
}

const PROPERTIES: Readonly<Record<keyof ReadLine, string>> = {
  host: 'hostname',
  program: 'app-name',
  process: 'procid',
  id: 'msgid',
  data: 'structured-data',
  severity: 'syslogseverity-text',
  facility: 'syslogfacility-text',
  time: 'timereported',
  text: 'msg',
};

export async function startRsyslogReceiver(program: string): Promise<RsyslogReceiver> {
  const folder = mkdtempSync(join(tmpdir(), 'ftm-watch-rsyslog-'));
  const [port, output] = [await freePort(), join(folder, 'lines.json')];
  const properties = Object.entries(PROPERTIES).map(([name, property]) => {
    const date = property === 'timereported' ? ' dateFormat="rfc3339"' : '';
    return `  property(outname="${name}" name="${property}" format="jsonf"${date})`;
  });
  const config = [
    `global(workDirectory="${folder}" net.enableDNS="off")`,
    'module(load="imtcp")',
    'module(load="imudp")',
    `input(type="imtcp" address="127.0.0.1" port="${String(port)}")`,
    `input(type="imudp" address="127.0.0.1" port="${String(port)}")`,
    'template(name="json" type="list" option.jsonf="on") {',
    ...properties,
    '}',
    `*.* action(type="omfile" file="${output}" template="json")`,
  ];
  writeFileSync(output, '');
  writeFileSync(join(folder, 'rsyslog.conf'), `${config.join('\n')}\n`);
  const args = ['-n', '-f', join(folder, 'rsyslog.conf'), '-i', join(folder, 'pid')];
  const child = spawn(program, args, { stdio: 'ignore' });
  const ended = once(child, 'exit');
  // Reads /proc/net, because a connection would produce a line.
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')} `;
  const isOpen = (): boolean =>
    ['tcp', 'udp'].every((kind) => readFileSync(`/proc/net/${kind}`, 'utf8').includes(wanted));
  await until(
    () => Promise.resolve(isOpen() || child.exitCode !== null),
    (done) => done,
    15_000,
  );
  return {
    port,
    lines: () =>
      readFileSync(output, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as ReadLine),
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
