import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempDisposableSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Architecture } from './architecture.ts';
import { documentText, userDocuments } from './documents.ts';
import { type Build, stageProgram, stageText } from './program.ts';

const RECIPES = 'tools/package';

/** Writes the package for Debian and Ubuntu. The same source gives the same bytes. */
export function writeDebianPackage(file: string, build: Build, architecture: Architecture): void {
  using temporary = mkdtempDisposableSync(join(tmpdir(), 'ftm-watch-deb-'));
  const source = join(temporary.path, 'source');
  stageInstalled(join(source, 'tree'), build, architecture);
  cpSync(join(build.root, RECIPES, 'debian'), join(source, 'debian'), { recursive: true });
  const control = readFileSync(join(source, 'debian/control'), 'utf8');
  stageText(source, 'debian/control', control.replace('@MAINTAINER@', build.maintainer));
  stageText(source, 'debian/changelog', debianChangelog(build));
  const how = ['--build=binary', `--host-arch=${architecture.name}`, '--no-check-builddeps'];
  make('dpkg-buildpackage', [...how, '--unsigned-changes', '--unsigned-buildinfo'], source, build);
  cpSync(join(temporary.path, `ftm-watch_${build.version}_${architecture.name}.deb`), file);
}

/** Writes the package for Red Hat Enterprise Linux. The same source gives the same bytes. */
export function writeRpm(file: string, build: Build, architecture: Architecture): void {
  using temporary = mkdtempDisposableSync(join(tmpdir(), 'ftm-watch-rpm-'));
  const top = temporary.path;
  const staged = join(top, 'tree');
  stageInstalled(staged, build, architecture);
  const macros = { _topdir: top, staged, maintainer: build.maintainer, package_version: build.version };
  const defined = Object.entries(macros).flatMap(([name, value]) => ['--define', `${name} ${value}`]);
  const recipe = join(build.root, RECIPES, 'ftm-watch.spec');
  make('rpmbuild', ['-bb', '--target', `${architecture.rpmName}-linux`, ...defined, recipe], top, build);
  cpSync(join(top, 'RPMS', architecture.rpmName, basename(file)), file);
}

/**
 * Writes the archive for any Linux with glibc and systemd, to be unpacked at `/opt/ftm-watch`. The same source gives
 * the same bytes.
 */
export function writeArchive(file: string, build: Build, architecture: Architecture): void {
  using temporary = mkdtempDisposableSync(join(tmpdir(), 'ftm-watch-archive-'));
  const name = basename(file, '.tar.xz');
  const staged = join(temporary.path, name);
  stageProgram(staged, build, architecture, '/opt/ftm-watch');
  const instructions = { source: 'docs/install.md', path: 'INSTALL.md' };
  stageText(staged, 'INSTALL.md', documentText(build.root, instructions, userDocuments(build.root)));
  stageText(staged, 'etc/ftm-watch.yaml', configuration(build));
  const owner = ['--owner=0', '--group=0', '--numeric-owner', '--mode=u=rwX,go=rX'];
  // Always two threads, because one would give other bytes.
  const how = ['--format=gnu', '--sort=name', `--mtime=@${String(build.date)}`, ...owner];
  const packer = '--use-compress-program=xz --threads=2 -0';
  make('tar', [...how, packer, '--create', '--file', file, name], temporary.path, build);
}

/** Writes what is installed, from the root folder. */
function stageInstalled(folder: string, build: Build, architecture: Architecture): void {
  stageProgram(join(folder, 'usr'), build, architecture, '/usr');
  stageText(folder, 'etc/ftm-watch/ftm-watch.yaml', configuration(build), 0o640);
}

function configuration({ root }: Build): string {
  return readFileSync(join(root, 'deploy/systemd/ftm-watch.yaml'), 'utf8');
}

/** Debian requires a changelog in its own format. */
function debianChangelog({ version, date, maintainer }: Build): string {
  const time = new Date(date * 1000).toUTCString().replace('GMT', '+0000');
  return `ftm-watch (${version}) stable; urgency=medium

  * /usr/share/doc/ftm-watch/CHANGELOG.md has the changes.

 -- ${maintainer}  ${time}
`;
}

/** @throws {Error} with what the program said, if it fails */
function make(program: string, args: readonly string[], cwd: string, { date }: Build): void {
  const env = { ...process.env, SOURCE_DATE_EPOCH: String(date), LC_ALL: 'C.UTF-8' };
  execFileSync(program, args, { cwd, env, stdio: ['ignore', 'ignore', 'pipe'] });
}
