import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { cleanEnvironment } from '../process/clean-environment.ts';

const run = promisify(execFile);

/** The npm settings of this machine, for an npm elsewhere. */
export interface NpmSettings {
  readonly registry: string;
  /** A file with the authorities of the registry's certificate; null: Node's default. */
  readonly cafile: string | null;
  /** The folder of npm's cache. */
  readonly cache: string;
}

export async function npmSettings(): Promise<NpmSettings> {
  const { stdout } = await run('npm', ['config', 'get', 'registry', 'cafile', 'cache'], { env: cleanEnvironment() });
  const setting = (name: string): string => new RegExp(`^${name}=(.*)$`, 'mu').exec(stdout)?.[1] ?? '';
  const cafile = setting('cafile');
  return {
    registry: setting('registry'),
    cafile: cafile === 'null' || cafile === '' ? null : cafile,
    cache: setting('cache'),
  };
}
