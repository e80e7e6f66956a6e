import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

import { ADDRESSES } from './site.ts';

/** Set in the process inside the namespace. */
const INSIDE = 'FTM_WATCH_SOAK_INSIDE';

export function isInside(env: NodeJS.ProcessEnv): boolean {
  return env[INSIDE] === '1';
}

/**
 * Runs this program again in a new network namespace, where the site has the real addresses and ports and nothing can
 * reach any other machine. Root is not needed if the kernel lets users create namespaces. Returns the exit code.
 */
export async function runInside(program: string, parts: readonly string[]): Promise<number> {
  const own = process.getuid?.() === 0 ? ['--net'] : ['--user', '--map-root-user', '--net'];
  const child = spawn('unshare', [...own, '--', process.execPath, program, ...parts], {
    stdio: 'inherit',
    env: { ...process.env, [INSIDE]: '1' },
  });
  const end = (): void => {
    child.kill('SIGTERM');
  };
  process.once('SIGINT', end).once('SIGTERM', end);
  const [code] = (await once(child, 'close')) as readonly (number | null)[];
  return code ?? 1;
}

/** Adds the addresses of the site to the loopback interface. */
export function putUp(): void {
  const lines = ['link set lo up', ...ADDRESSES.map((address) => `addr add ${address}/32 dev lo`)];
  const { status, stderr } = spawnSync('ip', ['-batch', '-'], { input: `${lines.join('\n')}\n`, encoding: 'utf8' });
  if (status !== 0) throw new Error(`Cannot put the addresses of the site on the loopback interface: ${stderr.trim()}`);
}
