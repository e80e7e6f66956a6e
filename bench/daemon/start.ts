import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { freePort } from '../../test/support/network/free-port.ts';
import { startBlackbox } from '../probes/blackbox.ts';
import type { Site } from '../probes/site.ts';
import { childrenCpuMilliseconds } from '../process-figures.ts';
import { spreadOf } from '../statistics.ts';
import type { Spread } from '../statistics.ts';
import { startBareServer } from './bare-server.ts';
import { INSTALLED_ENVIRONMENT } from '../installed-environment.ts';
import { PROGRAM, startOwnDaemon, writeConfiguration } from './own-daemon.ts';

export interface StartUp {
  /** From the start of the process to the first answer of `/metrics`, in milliseconds. */
  readonly ownMs: Spread;
  /** Of an idle HTTP server in Node. */
  readonly bareMs: Spread;
  readonly blackboxMs: Spread;
  /** CPU of `check --json`, from start to exit, in milliseconds. */
  readonly checkCpuMs: Spread;
}

export async function measureStart(site: Site, times: number): Promise<StartUp> {
  const own: number[] = [];
  const bare: number[] = [];
  const blackbox: number[] = [];
  const checks: number[] = [];
  for (let time = 0; time < times; time += 1) {
    own.push(await startedAfter(startOwnDaemon(site, false)));
    bare.push(await startedAfter(startBareServer()));
    blackbox.push(await startedAfter(startBlackbox(site)));
    checks.push(await checkCpu(site));
  }
  return { ownMs: spreadOf(own), bareMs: spreadOf(bare), blackboxMs: spreadOf(blackbox), checkCpuMs: spreadOf(checks) };
}

interface Started extends AsyncDisposable {
  readonly startedAfterMs: number;
}

async function startedAfter(starting: Promise<Started>): Promise<number> {
  await using started = await starting;
  return started.startedAfterMs;
}

/** Measures `check` on a path without faults. @throws {Error} if a fault is found */
async function checkCpu(site: Site): Promise<number> {
  const { file, store } = await writeConfiguration(site, await freePort());
  const before = childrenCpuMilliseconds(process.pid);
  await promisify(execFile)(process.execPath, [PROGRAM, 'check', '--json', '--config', file], {
    cwd: site.folder,
    env: INSTALLED_ENVIRONMENT,
  });
  const spent = childrenCpuMilliseconds(process.pid) - before;
  await rm(store, { force: true });
  return spent;
}
