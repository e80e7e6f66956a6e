import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHierarchy } from '../../support/certificates/hierarchy.ts';
import { chainPem } from '../../../src/demo/lab/identity.ts';
import { listensIn, startProgram } from '../../support/process/start-program.ts';
import { captured, type CaptureOrder } from '../../support/network/packet-captures.ts';
import { createSandbox, type Sandbox } from '../../support/network/sandbox.ts';

export const WIRE_HOST = 'license.example.test';
export const WIRE_SERVER = '10.0.0.1';
/** Enables TLS 1.0 and 1.1, which are disabled by default. */
const OLD = 'ALL@SECLEVEL=0';

export const WIRE_NEEDS = ['root', 'network-namespaces', { program: 'tcpdump' }, { program: 'openssl' }] as const;

/** A client and a TLS server on port 443, connected by a cable on which tcpdump listens. */
export interface Wire extends AsyncDisposable {
  /** Working directory of all commands, with `root.pem`, `chain.pem`, `leaf.pem`, `inner.pem` and `key.pem`. */
  readonly folder: string;
  readonly server: Sandbox;
  readonly client: Sandbox;
  /** Options of `openssl s_server` for the server's chain. */
  readonly identity: string;
  sh(sandbox: Sandbox, command: string): { readonly stdout: string };
  /** Runs a server until it is disposed. */
  listening(command: string, port: number): Promise<AsyncDisposable>;
  /** Connects with `openssl s_client`. */
  connect(options: string, to?: string): void;
  capture(happen: () => unknown, more?: Partial<CaptureOrder>): Promise<Buffer>;
}

export async function createWire(): Promise<Wire> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'ftm-watch-captures-'));
  stack.defer(() => rm(folder, { recursive: true }));
  const server = stack.use(await createSandbox());
  const client = stack.use(await createSandbox());
  client.sh(`
    ip link add wire type veth peer name wire netns ${String(server.pid)}
    ip addr add 10.0.0.2/24 dev wire && ip addr add fd00::2/64 dev wire nodad && ip link set wire up
  `);
  server.sh(`
    ip addr add ${WIRE_SERVER}/24 dev wire && ip addr add fd00::1/64 dev wire nodad && ip link set wire up
  `);
  const { leaf, intermediate, root } = await createHierarchy({
    name: `CN=${WIRE_HOST}`,
    dnsNames: [WIRE_HOST],
    key: 'RSA-2048',
  });
  const files = {
    'chain.pem': chainPem(leaf, intermediate),
    'leaf.pem': leaf.pem,
    'inner.pem': intermediate.pem,
    'key.pem': leaf.keyPem,
    'root.pem': root.pem,
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);

  const identity = '-key key.pem -cert leaf.pem -cert_chain inner.pem';
  const sh: Wire['sh'] = ({ prefix: [program = '', ...prefix] }, command) =>
    spawnSync(program, [...prefix, 'sh', '-c', `cd ${folder} && ${command}`], { encoding: 'utf8', timeout: 15_000 });

  function listening(command: string, port: number): Promise<AsyncDisposable> {
    return startProgram(() => ({
      command: ['sh', '-c', `cd ${folder} && exec ${command}`],
      readyWhen: listensIn(server, port),
      sandbox: server,
    }));
  }

  stack.use(await listening(`openssl s_server -accept 443 ${identity} -www -cipher ${OLD} -min_protocol TLSv1`, 443));
  const owned = stack.move();
  let captures = 0;
  return {
    folder,
    server,
    client,
    identity,
    sh,
    listening,
    connect: (options, to = `${WIRE_SERVER}:443`) => {
      const host = `-servername ${WIRE_HOST} -CAfile root.pem`;
      sh(client, `echo Q | timeout 10 openssl s_client -connect ${to} ${host} ${options} 2>&1`);
    },
    capture: (happen, more = {}) => {
      captures += 1;
      const file = join(folder, `${String(captures)}.pcap`);
      return captured(client, { name: 'wire', file, peer: WIRE_SERVER, ...more }, async () => {
        happen();
        await Promise.resolve();
      });
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
