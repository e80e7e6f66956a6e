import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { billOfMaterials } from '../sbom/bill.ts';
import type { Git } from './git.ts';

/** A file of a release, and what it is for. */
export interface ReleaseFile {
  readonly name: string;
  readonly purpose: string;
}

/** What `deploy/install.md` copies to the machine, beside the built program. */
const INSTALLED = ['docs', 'deploy/install.md', 'deploy/systemd'];

/**
 * Builds the program and writes all files of a release into a folder, from the commit that is checked out. Archives are
 * made by git: the same commit gives the same bytes.
 */
export function writeReleaseFiles(root: string, folder: string, version: string, git: Git): readonly ReleaseFile[] {
  const name = `ftm-watch-${version}`;
  const archive = (file: string, prefix: string, ...content: readonly string[]): void => {
    git('archive', '--format=tar.gz', `--output=${join(folder, file)}`, `--prefix=${prefix}`, ...content);
  };
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  execFileSync(process.execPath, ['deploy/bundle.ts'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  archive(`${name}.tar.gz`, `${name}/`, ...builtProgram(root, `${name}/`), `--prefix=${name}/`, 'HEAD', ...INSTALLED);
  archive(`${name}-source.tar.gz`, `${name}/`, 'HEAD');
  archive(`${name}-image.tar.gz`, '', 'HEAD', 'Dockerfile', '.dockerignore', ...imageContext(root));
  archive(`${name}.tgz`, 'ftm-watch/', 'HEAD:deploy/helm/ftm-watch');
  writeFileSync(join(folder, `${name}.cdx.json`), billOfMaterials());
  writeFileSync(join(folder, 'SHA256SUMS'), checksums(folder));
  return [
    { name: `${name}.tar.gz`, purpose: 'the built program: deploy/install.md in it' },
    { name: `${name}-source.tar.gz`, purpose: 'the source' },
    { name: `${name}-image.tar.gz`, purpose: 'what the image is built from: docker build - < FILE' },
    { name: `${name}.tgz`, purpose: 'the Helm chart' },
    { name: `${name}.cdx.json`, purpose: 'the bill of materials (CycloneDX)' },
    { name: 'SHA256SUMS', purpose: 'sha256sum --check SHA256SUMS' },
  ];
}

/** Options for `git archive` that add each file of `dist/`, which git does not know. */
function builtProgram(root: string, prefix: string): readonly string[] {
  return readdirSync(join(root, 'dist'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(root, '/').length))
    .toSorted()
    .flatMap((path) => [`--prefix=${prefix}${dirname(path)}/`, `--add-file=${join(root, path)}`]);
}

/** What `.dockerignore` lets in. */
function imageContext(root: string): readonly string[] {
  const lines = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n');
  return lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
}

function checksums(folder: string): string {
  const lines = readdirSync(folder)
    .toSorted()
    .map(
      (name) =>
        `${createHash('sha256')
          .update(readFileSync(join(folder, name)))
          .digest('hex')}  ${name}\n`,
    );
  return lines.join('');
}
