import { spawnSync } from 'node:child_process';

/** All of 11.0.0.0/8 is local in the network namespace of the bench: public addresses, as many as are wanted. */
const PREFIX = 11;

const KINDS = { target: 1, appliance: 2 } as const;

export function addressOf(kind: keyof typeof KINDS, index: number): string {
  return `${String(PREFIX)}.${String(KINDS[kind])}.${String(Math.floor(index / 250))}.${String((index % 250) + 1)}`;
}

/** The licence server, two control hosts, and then the services. */
export function hostNames(services: number): readonly string[] {
  const names = Array.from({ length: services }, (_, index) => `service-${String(index + 1)}.scale.example`);
  return ['license.scale.example', 'control-1.scale.example', 'control-2.scale.example', ...names];
}

const INSIDE = 'FTM_SCALE_BENCH_INSIDE';

/**
 * Whether this process runs in the bench's own network; if not, it is started again there, and this one ends with it.
 */
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
