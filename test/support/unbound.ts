import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { Sandbox } from './sandbox.ts';

export interface UnboundSettings {
  /** Where it listens, on port 53; added to the loopback of the sandbox. */
  readonly address: string;
  /** Names with their A records; it knows nothing else. */
  readonly names: Readonly<Record<string, readonly string[]>>;
  /** Where its configuration is written. */
  readonly folder: string;
  /** More lines of its section `server`, in the words of unbound.conf. */
  readonly more?: readonly string[];
  /** Another resolver that it asks for what it does not know itself. */
  readonly forward?: string;
}

/** The simulated internet has no signatures. */
const FORWARDING = ['module-config: "iterator"', 'do-not-query-localhost: no'];

/** Ends it as soon as its own input ends, so that it outlives no test. */
const TIED = '"$0" "$@" & cat; kill -KILL $!';

/** Starts Unbound in a sandbox. It sends 1232 bytes over UDP at most, as it comes from Debian. */
export async function startUnbound(sandbox: Sandbox, settings: UnboundSettings): Promise<AsyncDisposable> {
  const { address, folder } = settings;
  const file = join(folder, `unbound-${address}.conf`);
  await writeFile(file, configuration(settings));
  sandbox.sh(`ip addr add ${address}/32 dev lo 2>/dev/null || true`);
  const [program = '', ...prefix] = sandbox.prefix;
  const child = spawn(program, [...prefix, 'sh', '-c', TIED, 'unbound', '-d', '-c', file], {
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  await started(child);
  return {
    [Symbol.asyncDispose]: async () => {
      const gone = once(child, 'close');
      child.stdin.end();
      await gone;
    },
  };
}

async function started(child: ChildProcessByStdio<Writable, null, Readable>): Promise<void> {
  const said: string[] = [];
  const ready = new Promise<boolean>((resolve) => {
    // Read on after the start: Unbound must not be held up by a full pipe.
    createInterface({ input: child.stderr }).on('line', (line) => {
      said.push(line);
      if (line.includes('start of service')) resolve(true);
    });
    child.once('close', () => {
      resolve(false);
    });
  });
  if (!(await ready)) throw new Error(`Cannot start Unbound: ${said.join('\n')}`);
}

function configuration({ address, names, more = [], forward }: UnboundSettings): string {
  const records = Object.entries(names).flatMap(([name, addresses]) =>
    addresses.map((data) => `  local-data: "${name}. 300 IN A ${data}"`),
  );
  return `
server:
  interface: ${address}
  access-control: 0.0.0.0/0 allow
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
${[...(forward === undefined ? ['local-zone: "." static'] : FORWARDING), ...more].map((line) => `  ${line}`).join('\n')}
${records.join('\n')}
remote-control:
  control-enable: no
${forward === undefined ? '' : `forward-zone:\n  name: "."\n  forward-addr: ${forward}\n`}`;
}
