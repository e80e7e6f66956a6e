import { spawnSync } from 'node:child_process';

/** All of 11.0.0.0/8 is local in the bench's network namespace, which provides as many public addresses as needed. */
const PREFIX = 11;

const KINDS = { target: 1, appliance: 2 } as const;

export function addressOf(kind: keyof typeof KINDS, index: number): string {
  return `${String(PREFIX)}.${String(KINDS[kind])}.${String(Math.floor(index / 250))}.${String((index % 250) + 1)}`;
}

/** Returns the names of the licence server, two control hosts and the services. */
export function hostNames(services: number): readonly string[] {
  const names = Array.from({ length: services }, (_, index) => `service-${String(index + 1)}.scale.example`);
  return ['license.scale.example', 'control-1.scale.example', 'control-2.scale.example', ...names];
}

const INSIDE = 'FTM_SCALE_BENCH_INSIDE';

/** If this process is not in the bench's own network, starts it again there and exits with it. */
export function enterNetwork(): void {
  if (process.env[INSIDE] !== undefined) {
    for (const command of [
      ['link', 'set', 'lo', 'up'],
      ['route', 'add', 'local', `${String(PREFIX)}.0.0.0/8`, 'dev', 'lo'],
    ])
      if (spawnSync('ip', command, { stdio: 'inherit' }).status !== 0)
        throw new Error('Cannot set up the network: is "iproute2" installed?');
    return;
  }
  const asRoot = process.getuid?.() === 0 ? [] : ['--map-root-user'];
  const { status } = spawnSync('unshare', [...asRoot, '--net', process.execPath, ...process.argv.slice(1)], {
    stdio: 'inherit',
    env: { ...process.env, [INSIDE]: '1' },
  });
  if (status === null) throw new Error('Cannot make a network namespace: "unshare" of util-linux is needed, on Linux');
  process.exit(status);
}
