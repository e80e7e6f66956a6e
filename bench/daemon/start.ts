import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { freePort } from '../../test/support/network/free-port.ts';
import type { Build } from '../build.ts';
import { Figures } from '../figures.ts';
import { startBlackbox } from '../probes/blackbox.ts';
import type { Site } from '../probes/site.ts';
import { runMilliseconds } from '../process-figures.ts';
import { startBareServer } from './bare-server.ts';
import { startOwnDaemon, writeConfiguration } from './own-daemon.ts';

/** Measures starts and commands, of all programs in turn, after one warm-up. */
export async function measureStart(site: Site, builds: readonly Build[], times: number): Promise<Figures> {
  const figures = new Figures();
  for (let time = 0; time <= times; time += 1) {
    const counted = time === 0 ? new Figures() : figures;
    for (const build of time % 2 === 0 ? builds.toReversed() : builds) {
      await addStart(counted, startOwnDaemon(site, build, false));
      await addCommands(counted, site, build);
    }
    await addStart(counted, startBareServer());
    await addStart(counted, startBlackbox(site));
  }
  return figures;
}

interface Started extends AsyncDisposable {
  readonly name: string;
  readonly pid: number;
  /** From the start of the process to its first answer. */
  readonly startedAfterMs: number;
}

async function addStart(figures: Figures, starting: Promise<Started>): Promise<void> {
  await using started = await starting;
  figures.add('start to the first answer of `/metrics`, ms', started.name, started.startedAfterMs);
  figures.add('the same, CPU, ms', started.name, runMilliseconds(started.pid));
}

/** Measures commands on a path without faults. @throws {Error} if a command fails or finds a fault */
async function addCommands(figures: Figures, site: Site, build: Build): Promise<void> {
  const { file, store } = await writeConfiguration(site, await freePort());
  const commands = [
    ['--version'],
    ['config', 'check', '--config', file],
    ['explain', '--config', file, 'FTM polling error: SSL session failed'],
    ['check', '--json', '--config', file],
  ];
  for (const command of commands) {
    const [name = ''] = command.join(' ').split(/ --config/u);
    figures.add(`\`${name}\`, CPU, ms`, build.name, await cpuOf(build, command, site.folder));
  }
  await rm(store, { force: true });
}

/** Bash tells the time to a millisecond; of processes that have ended, /proc tells it to ten. */
async function cpuOf({ program, environment }: Build, command: readonly string[], cwd: string): Promise<number> {
  const timed = ['-c', 'TIMEFORMAT="%3U %3S"; time "$0" "$@"', process.execPath, program, ...command];
  const { stderr } = await promisify(execFile)('bash', timed, { cwd, env: environment });
  const [user = Number.NaN, system = Number.NaN] = (stderr.trim().split('\n').at(-1) ?? '').split(' ').map(Number);
  return (user + system) * 1000;
}
