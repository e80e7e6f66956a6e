import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { addressOf, hostNames } from './network.ts';
import type { Site } from './site.ts';

/** Number of targets and appliances that one daemon monitors. */
export interface Size {
  /** Services in addition to the licence server. */
  readonly targets: number;
  /** FortiAuthenticators, each with an API and a log. */
  readonly appliances: number;
  /** null: one round after the start only, and no API of an appliance. */
  readonly everySeconds: number | null;
}

const A_LEAP_DAY = '0 0 0 29 2 *';

/** Writes a configuration and the files that it refers to into a folder. Returns the path of the configuration. */
export async function writeConfiguration(
  folder: string,
  { targets, appliances, everySeconds }: Size,
  site: Site,
): Promise<string> {
  const port = site.tlsPort;
  const [license = '', ...hosts] = hostNames(targets);
  const controls = hosts.slice(0, 2);
  const trust = { profile: 'pinned', caFiles: ['root.pem'] };
  const each = everySeconds === null ? A_LEAP_DAY : `*/${String(everySeconds)} * * * * *`;
  const config = {
    site: 'scale',
    licenseServer: { host: license, port },
    trust,
    services: hosts.slice(2).map((host, index) => ({ name: `service-${String(index + 1)}`, host, port, trust })),
    controlHosts: controls.map((host) => `${host}:${String(port)}`),
    resolvers: [`udp://127.0.0.1:${String(site.dnsPort)}`],
    appliances: Array.from({ length: appliances }, (_, index) => ({
      name: `fac-${String(index + 1)}`,
      logSources: [addressOf('appliance', index)],
      licenses: [`EFTM${String(index).padStart(12, '0')}`],
      ...(everySeconds === null
        ? {}
        : {
            api: {
              url: `https://${addressOf('appliance', index)}:${String(site.appliancePort)}`,
              user: site.user,
              keyFile: 'key',
              caFile: 'appliance.pem',
            },
          }),
    })),
    logs: { syslog: { udp: '0.0.0.0:0' } },
    clock: { ntp: [] },
    schedule: { probes: each, appliance: each },
    web: { listen: '127.0.0.1:0' },
    store: { path: 'data/ftm-watch.sqlite', retention: '90d' },
  };
  const file = join(folder, 'ftm-watch.yaml');
  await Promise.all([
    writeFile(join(folder, 'root.pem'), site.rootPem),
    writeFile(join(folder, 'appliance.pem'), site.appliancePem),
    writeFile(join(folder, 'key'), site.key, { mode: 0o600 }),
    // JSON is valid YAML.
    writeFile(file, JSON.stringify(config, null, 1)),
  ]);
  return file;
}
