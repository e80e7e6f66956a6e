import { join } from 'node:path';
import { startProgram } from '../process/start-program.ts';
import type { Sandbox } from './sandbox.ts';

export interface UnboundSettings {
  /** Address on which it listens, on port 53. It is added to the sandbox's loopback. */
  readonly address: string;
  /** Names with their A records. It resolves no other names. */
  readonly names: Readonly<Record<string, readonly string[]>>;
  /** Additional lines of section `server` in unbound.conf. */
  readonly more?: readonly string[];
  /** Another resolver, for names that it cannot resolve itself. */
  readonly forward?: string;
}

/** The simulated internet has no DNSSEC signatures. */
const FORWARDING = ['module-config: "iterator"', 'do-not-query-localhost: no'];

/** Starts Unbound in a sandbox. It sends at most 1232 bytes over UDP, which is Debian's default. */
export function startUnbound(sandbox: Sandbox, settings: UnboundSettings): Promise<AsyncDisposable> {
  sandbox.sh(`ip addr add ${settings.address}/32 dev lo 2>/dev/null || true`);
  return startProgram((folder) => ({
    command: ['unbound', '-d', '-c', join(folder, 'unbound.conf')],
    config: { 'unbound.conf': configuration(settings) },
    readyWhen: (output) => output.includes('start of service'),
    sandbox,
  }));
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
