import { constants, copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { completion } from '../../src/cli/completion.ts';
import type { Architecture } from './architecture.ts';
import { describedProgram } from './described-program.ts';
import { DOCUMENTS, stageDocuments, userDocuments } from './documents.ts';
import { manPage } from './man-page.ts';
import { nodeRuntime } from './node-runtime.ts';

/** Inputs of every package. */
export interface Build {
  /** The folder of this project. */
  readonly root: string;
  readonly version: string;
  /** Seconds since 1970. */
  readonly date: number;
  /** Such as `Name <mail address>`. */
  readonly maintainer: string;
  /** The folder with the bundled program. */
  readonly dist: string;
}

/** Licenses are included as documents. */
const LICENSES = /\/(?:LICENSE|THIRD-PARTY\.txt)$/u;

/** Where each shell searches for completions. */
const COMPLETIONS = [
  ['bash', 'share/bash-completion/completions/ftm-watch'],
  ['zsh', 'share/zsh/vendor-completions/_ftm-watch'],
  ['fish', 'share/fish/vendor_completions.d/ftm-watch.fish'],
] as const;

/**
 * Writes the program with its Node, command, manual page, documents and unit into `folder`. It will be installed at
 * `prefix`, such as `/usr` or `/opt/ftm-watch`.
 */
export function stageProgram(folder: string, build: Build, architecture: Architecture, prefix: string): void {
  const { root, version, dist } = build;
  const node = nodeRuntime(root, architecture);
  const described = describedProgram(version, () => undefined);
  const date = new Date(build.date * 1000).toISOString().slice(0, 10);
  const lib = join(folder, 'lib/ftm-watch');

  cpSync(dist, join(lib, 'program'), { recursive: true, filter: (path) => !LICENSES.test(path) });
  // It is not executable here, because its first line would search for another Node.
  writeFileSync(join(lib, 'program/main.js'), read(dist, 'main.js').replace(/^#!.*\n/u, ''));
  copyFileSync(join(node, 'bin/node'), join(lib, 'node'), constants.COPYFILE_FICLONE);
  stageText(folder, 'bin/ftm-watch', command(prefix), 0o755);
  const unit = read(root, 'deploy/systemd/ftm-watch.service');
  stageText(folder, 'lib/systemd/system/ftm-watch.service', unit.replaceAll('/usr/', `${prefix}/`));
  for (const kind of ['sysusers', 'tmpfiles'])
    stageText(folder, `lib/${kind}.d/ftm-watch.conf`, read(root, `deploy/systemd/ftm-watch.${kind}`));
  for (const [shell, path] of COMPLETIONS) stageText(folder, path, completion(shell, described));
  stageText(folder, 'share/man/man1/ftm-watch.1', manPage({ version, date }));
  stageDocuments(folder, root, userDocuments(root));
  for (const name of readdirSync(join(root, 'deploy/checkmk'))) {
    const check = read(root, `deploy/checkmk/${name}`);
    stageText(folder, `share/ftm-watch/checkmk/${name}`, check.replaceAll('/usr/bin/', `${prefix}/bin/`), 0o755);
  }
  stageText(folder, `${DOCUMENTS}/copyright`, read(root, 'tools/package/copyright'));
  stageText(folder, `${DOCUMENTS}/THIRD-PARTY.txt`, read(dist, 'THIRD-PARTY.txt'));
  stageText(folder, `${DOCUMENTS}/NODE-LICENSE`, read(node, 'LICENSE'));
}

/** Writes a file and its folders. */
export function stageText(folder: string, path: string, text: string, mode = 0o644): void {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text, { mode });
}

function read(folder: string, name: string): string {
  return readFileSync(join(folder, name), 'utf8');
}

function command(prefix: string): string {
  return `#!/bin/sh\nexec ${prefix}/lib/ftm-watch/node --disable-sigusr1 ${prefix}/lib/ftm-watch/program/main.js "$@"\n`;
}
