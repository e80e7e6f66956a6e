import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const CACHE = resolve('.cache/debian-base');
const OPTIONS = ['--variant=minbase', '--include=systemd'];

/**
 * Returns the archive of a minimal Debian with systemd, of this machine's release and from its package sources. It is
 * bootstrapped once for all tests, then cached in `.cache` under a name derived from its inputs. Needs root and
 * debootstrap.
 */
export async function debianBase(): Promise<string> {
  const { codename, mirror } = ownRelease();
  const key = createHash('sha256')
    .update(JSON.stringify([OPTIONS, codename, mirror]))
    .digest('hex')
    .slice(0, 16);
  await mkdir(CACHE, { recursive: true });
  const archive = join(CACHE, `${key}.tar`);
  if (existsSync(archive)) return archive;
  const folder = await mkdtemp(join(CACHE, 'new-'));
  try {
    const root = join(folder, 'root');
    await run('debootstrap', [...OPTIONS, codename, root, mirror], { maxBuffer: 2 ** 26 });
    await run('tar', ['--create', '--file', `${root}.tar`, '--directory', root, '--exclude=./var/cache/apt/*', '.']);
    // The archive gets its final name only when it is complete, because two tests may create it at the same time.
    await rename(`${root}.tar`, archive);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return archive;
}

function ownRelease(): { readonly codename: string; readonly mirror: string } {
  const codename = /^VERSION_CODENAME=(\w+)$/mu.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'stable';
  const folder = '/etc/apt/sources.list.d';
  const sources = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
  const [entry] = sources
    .flatMap((source) => source.split('\n\n'))
    .filter((source) => source.includes(`Suites: ${codename}`));
  return { codename, mirror: /^URIs: (\S+)$/mu.exec(entry ?? '')?.[1] ?? 'http://deb.debian.org/debian' };
}
