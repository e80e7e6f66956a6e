import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const CHECKOUT: string = fileURLToPath(new URL('..', import.meta.url));

/** A built version of the program. */
export interface Build {
  readonly name: string;
  /** The bundle's `main.js`. */
  readonly program: string;
  /** The variables with which its unit starts it. */
  readonly environment: NodeJS.ProcessEnv;
}

export function buildIn(checkout: string, name: string = checkout): Build {
  return { name, program: resolve(checkout, 'dist', 'main.js'), environment: unitEnvironment(checkout) };
}

/** Returns the variables that the unit of a checkout sets, and PATH. */
export function unitEnvironment(checkout: string = CHECKOUT): NodeJS.ProcessEnv {
  const unit = readFileSync(join(checkout, 'deploy/systemd/ftm-watch.service'), 'utf8');
  const [, variables = ''] = /^Environment=(.*)$/mu.exec(unit) ?? [];
  return { PATH: process.env['PATH'], ...Object.fromEntries(variables.split(' ').map((one) => one.split('='))) };
}
