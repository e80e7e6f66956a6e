import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../network/free-port.ts';
import { startProgram, type StartedProgram } from '../process/start-program.ts';

/** The parts of a line as parsed by rsyslog, under its own property names. */
export type ReadLine = Readonly<
  Record<'host' | 'program' | 'process' | 'id' | 'data' | 'severity' | 'facility' | 'time' | 'text', string>
>;

/** A real rsyslog on loopback that receives lines over UDP and TCP. */
export interface RsyslogReceiver extends StartedProgram {
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
  const port = await freePort();
  let output = '';
  // Reads /proc/net, because a connection would produce a line.
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')} `;
  const started = await startProgram((folder) => {
    output = join(folder, 'lines.json');
    return {
      command: [program, '-n', '-f', join(folder, 'rsyslog.conf'), '-i', join(folder, 'pid')],
      config: { 'lines.json': '', 'rsyslog.conf': configuration(folder, port, output) },
      readyWhen: () => ['tcp', 'udp'].every((kind) => readFileSync(`/proc/net/${kind}`, 'utf8').includes(wanted)),
      stop: 'SIGTERM',
    };
  });
  return {
    ...started,
    port,
    lines: () =>
      readFileSync(output, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as ReadLine),
  };
}

function configuration(folder: string, port: number, output: string): string {
  const properties = Object.entries(PROPERTIES).map(([name, property]) => {
    const date = property === 'timereported' ? ' dateFormat="rfc3339"' : '';
    return `  property(outname="${name}" name="${property}" format="jsonf"${date})`;
  });
  return `global(workDirectory="${folder}" net.enableDNS="off")
module(load="imtcp")
module(load="imudp")
input(type="imtcp" address="127.0.0.1" port="${String(port)}")
input(type="imudp" address="127.0.0.1" port="${String(port)}")
template(name="json" type="list" option.jsonf="on") {
${properties.join('\n')}
}
*.* action(type="omfile" file="${output}" template="json")
`;
}
