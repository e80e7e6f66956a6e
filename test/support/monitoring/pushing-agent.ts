import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Daemon, startDaemon } from '../../../src/demo/daemon.ts';
import { PROGRAM } from '../process/program.ts';
import type { Lab } from '../../../src/demo/lab/lab.ts';

/**
 * Starts an agent of the lab's site that keeps its stored data to itself, pushes to Alertmanager and sends no mail.
 *
 * @param more top-level keys that replace those of the configuration
 */
export async function startAgent(
  lab: Lab,
  name: string,
  alertmanagers: readonly string[],
  more: Readonly<Record<string, unknown>> = {},
): Promise<Daemon> {
  const config = JSON.parse(readFileSync(lab.configFile, 'utf8')) as Readonly<Record<string, object>>;
  const path = join(lab.folder, `${name}.yaml`);
  mkdirSync(join(lab.folder, name));
  const notify = {
    ...(alertmanagers.length > 0 && { alertmanager: { urls: alertmanagers } }),
    policy: { confirmations: 2, recoveries: 2 },
  };
  writeFileSync(path, JSON.stringify({ ...config, notify, store: { path: `${name}/ftm-watch.sqlite` }, ...more }));
  return startDaemon(path, lab.folder, PROGRAM);
}
