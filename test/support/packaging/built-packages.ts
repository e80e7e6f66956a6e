import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cleanEnvironment } from '../process/clean-environment.ts';

const run = promisify(execFile);

/** Output of `npm run package`. */
export interface BuiltPackages extends Disposable {
  readonly folder: string;
  /** Returns the only file with this ending. @throws if there is none or more than one */
  file(ending: string): string;
}

/** Builds the amd64 packages whose names contain one of `names`, from a project folder. */
export async function buildPackages(root: string, ...names: readonly string[]): Promise<BuiltPackages> {
  const folder = mkdtempSync(join(tmpdir(), 'ftm-watch-packages-'));
  const args = ['run', '--silent', 'package', '--', '--arch', 'amd64', '--output', folder, ...names];
  await run('npm', args, { cwd: root, env: cleanEnvironment() });
  return {
    folder,
    file: (ending) => {
      const [name, ...more] = readdirSync(folder).filter((one) => one.endsWith(ending));
      if (name === undefined || more.length > 0) throw new Error(`Cannot find one file "…${ending}" in ${folder}`);
      return join(folder, name);
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}
