import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { LICENSE_HOST } from '../../src/demo/lab/site.ts';
import { ask } from '../child-messages.ts';
import { endProcess } from '../child-process.ts';
import type { FloorKind, ProbeKind } from './kinds.ts';
import type { ProbeLoadDone, ProberSettings } from './own-prober.ts';
import type { Prober } from './prober.ts';
import type { Site } from './site.ts';

const PROGRAM = fileURLToPath(new URL('own-prober.ts', import.meta.url));

export async function startOwnProber(site: Site): Promise<Prober<ProbeKind | FloorKind>> {
  const child = fork(PROGRAM, { execArgv: [] });
  await ask<string>(child, { configuration: configurationOf(site) } satisfies ProberSettings);
  return {
    pid: child.pid ?? 0,
    load: async (load) => {
      const { probes, problem } = await ask<ProbeLoadDone>(child, load);
      if (problem !== null)
        throw new Error(`A probe of ftm-watch (${load.kind}) found a fault where there is none: ${problem}`);
      return probes;
    },
    [Symbol.asyncDispose]: () => endProcess(child),
  };
}

/** Hosts are configured by address, so that each probe does only its own kind of work. */
function configurationOf({ folder, ports, fortinetCa }: Site): string {
  const address = '127.0.0.1';
  return JSON.stringify({
    licenseServer: { host: address, port: ports.ecdsa, serverName: LICENSE_HOST, expectedAddresses: [address] },
    trust: { profile: 'fortinet', caFiles: [fortinetCa], baselineFile: `${folder}/data/baseline.json` },
    services: [
      {
        name: 'rsa',
        host: address,
        port: ports.rsa,
        serverName: LICENSE_HOST,
        trust: { profile: 'fortinet', caFiles: [fortinetCa] },
        severity: 'critical',
      },
    ],
    resolvers: [`udp://${address}:${String(ports.dns)}`],
    mail: [
      {
        host: address,
        port: ports.mail,
        security: 'starttls',
        from: 'fac@example.org',
        to: 'probe@example.org',
        caFile: fortinetCa,
      },
    ],
    store: { path: `${folder}/data/unused.sqlite` },
  });
}
