import { execFileSync } from 'node:child_process';
import { dirname } from 'node:path';
import type { TestProject } from 'vitest/node';

/** Builds what users get, once for all end-to-end tests: it also starts with less than half of the CPU time. */
export function setup({ config }: TestProject): void {
  const program = config.env['FTM_WATCH_PROGRAM'];
  if (program === undefined) throw new Error('Cannot build the program: the project does not set FTM_WATCH_PROGRAM');
  execFileSync(process.execPath, ['tools/bundle/bundle.ts', dirname(program)], { stdio: 'inherit' });
}
