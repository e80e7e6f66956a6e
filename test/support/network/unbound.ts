import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { Sandbox } from './sandbox.ts';

export interface UnboundSettings {
  /** Address on which it listens, on port 53. It is added to the sandbox's loopback. */
  readonly address: string;
  /** Names with their A records. It resolves no other names. */
  readonly names: Readonly<Record<string, readonly string[]>>;
  /** Folder of its configuration. */
  readonly folder: string;
  /** Additional lines of section `server` in unbound.conf. */
  readonly more?: readonly string[];
  /** Another resolver, for names that it cannot resolve itself. */
  readonly forward?: string;
}

/** The simulated internet has no DNSSEC signatures. */
const FORWARDING = ['module-config: "iterator"', 'do-not-query-localhost: no'];

/** Kills it as soon as its own input closes, so that it never outlives a test. */
const TIED = '"$0" "$@" & cat; kill -KILL $!';

/** Starts Unbound in a sandbox. It sends at most 1232 bytes over UDP, which is Debian's default. */
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
    // Reading continues after the start, so that Unbound is not blocked by a full pipe.
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
