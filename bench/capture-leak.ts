/**
 * Checks that capturing chains does not leak memory: sends 20,000 probes to a server on loopback, which presents the
 * same leaf each time, or (`new-leaf`) a different leaf for each connection, as an inspecting proxy may. Prints the
 * memory of this process, after garbage collection, at intervals, and fails if it grew. Node 24 grows by 5.3 kB a
 * probe.
 *
 *   node --expose-gc --max-semi-space-size=1 bench/capture-leak.ts [same-leaf | new-leaf] [probes] [depth: tls | http]
 *
 * Without the second flag, V8 lets its young generation grow in steps up to 100 MB at this rate, which hides a leak.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { createCertificateCache } from '../src/core/parse-certificate.ts';
import { ENDPOINT_LIMITS, observeEndpoint, type EndpointRequest } from '../src/round/endpoint.ts';
import { createSystemLookup } from '../src/network/lookup.ts';
import { createProbeSecureContext } from '../src/network/tls/secure-context.ts';
import { probeContext } from '../test/support/checks/probe-context.ts';

const HOST = 'license.example.test';
const IN_FLIGHT = 4;
const LEAVES = 4096;
/** Normal variation of the heap. */
const ALLOWED_MB = 8;

/** The server runs in a separate process, so that only the probe's memory is measured. */
async function serve(mode: string): Promise<void> {
  const { chainPem, createIdentity } = await import('../src/demo/lab/identity.ts');
  const { createHierarchy } = await import('../test/support/certificates/hierarchy.ts');
  const { intermediate, leaf } = await createHierarchy();
  const server = createServer({ cert: chainPem(leaf, intermediate), key: leaf.keyPem }, (socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
  });
  server.on('tlsClientError', () => {});
  if (mode !== 'same-leaf') {
    const { keys, keyPem } = leaf;
    const certs: string[] = [];
    for (let made = 0; made < LEAVES; made += 1) {
      certs.push(
        chainPem(
          await createIdentity({ name: `CN=${String(made)}`, dnsNames: [HOST], issuer: intermediate, keys }),
          intermediate,
        ),
      );
    }
    let next = 0;
    server.on('connection', () => {
      server.setSecureContext({ cert: certs[next % LEAVES] ?? '', key: keyPem });
      next += 1;
    });
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  process.send?.((server.address() as AddressInfo).port);
}

const secureContext = createProbeSecureContext();

async function measure(mode: string, probes: number, depth: EndpointRequest['depth']): Promise<void> {
  const child = fork(import.meta.filename, ['serve', mode], { execArgv: [] });
  const [port] = (await once(child, 'message')) as [number];
  const certificates = createCertificateCache(64);
  const deps = {
    contextFor: () => secureContext,
    parse: (der: Uint8Array) => certificates.parse(der),
    readSecret: () => Promise.resolve(''),
    system: createSystemLookup(),
    recognisePage: () => null,
    limits: ENDPOINT_LIMITS,
  };
  const request: EndpointRequest = {
    target: { host: HOST, port },
    address: '127.0.0.1',
    serverName: HOST,
    proxy: null,
    depth,
    method: 'GET',
    path: '/',
  };
  const ctx = probeContext();
  async function probeRepeatedly(times: number): Promise<void> {
    for (let done = 0; done < times; done += 1) {
      const seen = await observeEndpoint(request, ctx, deps);
      if (seen.tls?.kind !== 'established')
        throw new Error(`Cannot measure: expected a handshake, got ${JSON.stringify(seen)}`);
    }
  }
  const interval = Math.ceil(probes / 10 / IN_FLIGHT) * IN_FLIGHT;
  const levels: number[] = [];
  console.log(
    `${mode}, ${depth}, ${String(probes)} probes on Node ${process.version}; RSS at the start ${level().toFixed(1)} MB`,
  );
  try {
    for (let done = 0; done < probes; done += interval) {
      const before = process.cpuUsage();
      await Promise.all(Array.from({ length: IN_FLIGHT }, () => probeRepeatedly(interval / IN_FLIGHT)));
      const cpu = process.cpuUsage(before);
      levels.push(level());
      const milliseconds = (cpu.user + cpu.system) / 1000 / interval;
      console.log(
        `${String(done + interval).padStart(6)} probes  RSS ${levels.at(-1)?.toFixed(1) ?? ''} MB  ` +
          `CPU ${milliseconds.toFixed(2)} ms a probe`,
      );
    }
  } finally {
    child.kill();
  }
  const grown = Math.max(...levels.slice(-3)) - (levels[1] ?? 0);
  console.log(`grown by ${grown.toFixed(1)} MB since a fifth of the way; allowed: ${String(ALLOWED_MB)} MB`);
  if (grown > ALLOWED_MB) process.exitCode = 1;
}

/** Resident memory in MB, excluding what the next garbage collection would free. */
function level(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage.rss() / 1e6;
}

const [mode = 'same-leaf', second = '20000', depth = 'tls'] = process.argv.slice(2);
if (mode === 'serve') await serve(second);
else await measure(mode, Number(second), depth === 'http' ? 'http' : 'tls');
