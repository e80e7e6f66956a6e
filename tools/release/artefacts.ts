import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Artefact, packages } from '../package/artefacts.ts';
import type { Build } from '../package/program-tree.ts';
import type { Git } from './git.ts';

const CHART = 'deploy/helm/ftm-watch';

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
    {
      name: `${name}.tgz`,
      purpose: 'the Helm chart',
      // The chart without its symbolic links, because Helm does not follow them in an archive.
      write: archive(
        '',
        ...linkedFiles(build.root),
        '--prefix=ftm-watch/',
        `--mtime=${new Date(build.date * 1000).toISOString()}`,
        `HEAD:${CHART}`,
        '.',
        ':(exclude)files',
      ),
    },
  ];
}

/** Returns git's options that add the files to which the chart links. */
function linkedFiles(root: string): readonly string[] {
  return ['dashboards', 'rules'].flatMap((folder) => [
    `--prefix=ftm-watch/files/${folder}/`,
    ...readdirSync(join(root, CHART, 'files', folder)).map((name) => `--add-file=${CHART}/files/${folder}/${name}`),
  ]);
}

/** Returns the files that `.dockerignore` includes. */
function imageContext(root: string): readonly string[] {
  const lines = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n');
  return lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
}
