import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { debianBase } from './debian-base.ts';
import { until } from '../time/until.ts';

const run = promisify(execFile);

export interface Outcome {
  readonly status: number | null;
  /** Standard output, then standard error. */
  readonly output: string;
}

/** A separate Debian with systemd in a folder, as an installer leaves a machine. Needs root. */
export interface FreshDebian extends AsyncDisposable {
  readonly root: string;
  /**
   * Runs commands in a root shell, without init and with this machine's network, and stops at the first command that
   * fails.
   */
  shell(commands: string): Promise<Outcome>;
  /** Boots its systemd, with a network that has only loopback. */
  boot(): Promise<BootedDebian>;
}

export interface BootedDebian extends AsyncDisposable {
  /** Process id of its init on this machine. */
  readonly init: string;
  /** As `FreshDebian.shell`. */
  shell(commands: string): Promise<Outcome>;
}

/**
 * systemd requires the unified control group hierarchy, and its files in a tmpfs. If this machine has another
 * hierarchy, they are mounted over it for this container only. `$1` is the name of a separate control group.
 */
const CONTAINER = `
  mount --make-rprivate /
  mkdir --parents /run/systemd && mount -t tmpfs tmpfs /run/systemd
  [ "$(stat --file-system --format=%T /sys/fs/cgroup)" = cgroup2fs ] || mount -t cgroup2 cgroup2 /sys/fs/cgroup
  mkdir --parents "/sys/fs/cgroup/$1" && echo $$ >"/sys/fs/cgroup/$1/cgroup.procs" && shift
  exec systemd-nspawn --quiet --register=no --keep-unit --link-journal=no --console=pipe "$@"
`;

/** Removes the container's control group, wherever it is mounted. */
const TIDY =
  'for base in /sys/fs/cgroup /sys/fs/cgroup/unified; do [ ! -d "$base/$1" ] || find "$base/$1" -depth -type d ' +
  '-delete; done';

const BOOT_LIMIT = 60_000;
const HALT_LIMIT = 20_000;

/** Creates a Debian of this machine's release. */
export async function createFreshDebian(): Promise<FreshDebian> {
  const base = await mkdtemp(join(tmpdir(), 'ftm-watch-debian-'));
  const root = join(base, 'root');
  const group = base.slice(base.lastIndexOf('/') + 1);
  await mkdir(root);
  await run('tar', ['--extract', '--file', await debianBase(), '--directory', root]);
  // This machine's apt settings, such as ignoring dates.
  cpSync('/etc/apt/apt.conf.d', join(root, 'etc/apt/apt.conf.d'), { recursive: true });
  const container = ['--mount', 'sh', '-ec', CONTAINER, 'sh', group, `--directory=${root}`];
  return {
    root,
    shell: (commands) => finish('unshare', [...container, '--as-pid2', '--', '/bin/sh', '-ec', commands]),
    boot: () => boot([...container, '--private-network', '--boot']),
    [Symbol.asyncDispose]: async () => {
      await run('sh', ['-c', TIDY, 'sh', group]);
      await rm(base, { recursive: true, force: true });
    },
  };
}

async function boot(args: readonly string[]): Promise<BootedDebian> {
  const child = spawn('unshare', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const said = Promise.all([text(child.stdout), text(child.stderr)]);
  const ended = once(child, 'close');
  // The command execs, so the spawned process is systemd-nspawn, and its child is the container's first process.
  const pid = String(child.pid ?? 0);
  const init = await until(
    () => Promise.resolve(firstProcessBelow(pid)),
    (found) => found !== null || child.exitCode !== null,
    BOOT_LIMIT,
  );
  if (init === null) throw new Error(`Cannot boot the container: ${(await said).join('')}`);
  const shell = (commands: string): Promise<Outcome> =>
    finish('nsenter', [
      `--target=${init}`,
      '--mount',
      '--uts',
      '--ipc',
      '--net',
      '--pid',
      '--cgroup',
      '--root',
      '--wd',
      '--',
      '/bin/sh',
      '-ec',
      commands,
    ]);
  await until(
    () => shell('systemctl is-system-running'),
    ({ output }) => /^(?:running|degraded)$/mu.test(output),
    BOOT_LIMIT,
  );
  return {
    init,
    shell,
    [Symbol.asyncDispose]: async () => {
      // The first signal halts it, and the second makes it stop immediately.
      child.kill('SIGTERM');
      const impatience = setTimeout(() => child.kill('SIGTERM'), HALT_LIMIT);
      await ended;
      clearTimeout(impatience);
    },
  };
}

function firstProcessBelow(parent: string): string | null {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/u.test(name))) {
    const status = statusOf(pid);
    if (new RegExp(`^PPid:\\t${parent}$`, 'mu').test(status) && /^NSpid:.*\t1$/mu.test(status)) return pid;
  }
  return null;
}

function statusOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    // The process has exited.
    return '';
  }
}

async function finish(command: string, args: readonly string[]): Promise<Outcome> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return { status, output: stdout + stderr };
}
