import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Artefact, packages } from '../package/artefacts.ts';
import type { Build } from '../package/program-tree.ts';
import type { Git } from './git.ts';

/**
 * Returns all files of a release: the packages, and git archives of the checked-out commit. The same commit gives the
 * same bytes, except for the bill of materials.
 */
export function releaseFiles(build: Build, git: Git): readonly Artefact[] {
  const name = `ftm-watch-${build.version}`;
  const archive = (prefix: string, ...content: readonly string[]): Artefact['write'] => {
    return (file) => void git('archive', '--format=tar.gz', `--output=${file}`, `--prefix=${prefix}`, ...content);
  };
  return [
    ...packages(build),
    { name: `${name}-source.tar.gz`, purpose: 'the source', write: archive(`${name}/`, 'HEAD') },
    {
      name: `${name}-image.tar.gz`,
      purpose: 'what the image is built from: docker build - < FILE',
      write: archive('', 'HEAD', 'Dockerfile', '.dockerignore', ...imageContext(build.root)),
    },
    { name: `${name}.tgz`, purpose: 'the Helm chart', write: archive('ftm-watch/', 'HEAD:deploy/helm/ftm-watch') },
  ];
}

/** Returns the files that `.dockerignore` includes. */
function imageContext(root: string): readonly string[] {
  const lines = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n');
  return lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
}
