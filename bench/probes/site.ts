import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startHost } from '../../test/support/process/host.ts';
import type { ServedSite, SitePorts } from './site-host.ts';

/** Everything that is probed, on loopback, in a process whose cost is not counted. */
export interface Site extends AsyncDisposable {
  readonly folder: string;
  readonly ports: SitePorts;
  /** PEM files with the trusted roots: of the licence server and the mail server, and of the control hosts. */
  readonly fortinetCa: string;
  readonly otherCa: string;
}

/** @param addresses addresses of the licence server and the resolver, on loopback */
export async function createSite(addresses: readonly string[] = ['127.0.0.1']): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'ftm-watch-bench-'));
  const module = new URL('site-host.ts', import.meta.url);
  const host = await startHost<readonly string[], ServedSite, never>(module, addresses);
  const [fortinetCa, otherCa] = [join(folder, 'fortinet-ca.pem'), join(folder, 'other-ca.pem')];
  await writeFile(fortinetCa, host.ready.fortinetCa);
  await writeFile(otherCa, host.ready.otherCa);
  await mkdir(join(folder, 'data'));
  return {
    folder,
    ports: host.ready.ports,
    fortinetCa,
    otherCa,
    [Symbol.asyncDispose]: async () => {
      await host[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
