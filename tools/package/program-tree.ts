import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { completion } from '../../src/cli/completion.ts';
import { describedProgram } from './described-program.ts';
import { documentTree, userDocuments } from './documents.ts';
import { copyOf, type FileTree, filesBelow, type TreeFile } from './file-tree.ts';
import { manPage } from './man-page.ts';

/** Inputs of every package. */
export interface Build {
  /** The folder of this project. */
  readonly root: string;
  readonly version: string;
  /** Seconds since 1970. */
  readonly date: number;
  /** The folder with the bundled program. */
  readonly dist: string;
}

/** The folder for documents, below the prefix. */
export const DOCUMENTS = 'share/doc/ftm-watch';
/** Licenses are included as documents. */
const LICENSES = /\/(?:LICENSE|THIRD-PARTY\.txt)$/u;

/**
 * Returns the program with its Node, command, manual page, documents and unit, by paths below a prefix such as `/usr`
 * or `/opt/ftm-watch`. `node` is the folder with Node.
 */
export function programTree(build: Build, node: string, prefix: string): FileTree {
  const { root, version, dist } = build;
  const unit = read(root, 'deploy/systemd/ftm-watch.service');
  const date = new Date(build.date * 1000).toISOString().slice(0, 10);
  return new Map<string, TreeFile>([
    ['bin/ftm-watch', { content: command(prefix), mode: 0o755 }],
    ['lib/ftm-watch/node', { ...copyOf(join(node, 'bin/node')), mode: 0o755 }],
    ...filesBelow(dist, 'lib/ftm-watch/program').filter(([path]) => !LICENSES.test(path)),
    // It is not executable here, because its first line would search for another Node.
    ['lib/ftm-watch/program/main.js', { content: read(dist, 'main.js').replace(/^#!.*\n/u, ''), mode: 0o644 }],
    ['lib/systemd/system/ftm-watch.service', { content: unit.replaceAll('/usr/', `${prefix}/`), mode: 0o644 }],
    ['lib/sysusers.d/ftm-watch.conf', copyOf(join(root, 'deploy/systemd/ftm-watch.sysusers'))],
    ['lib/tmpfiles.d/ftm-watch.conf', copyOf(join(root, 'deploy/systemd/ftm-watch.tmpfiles'))],
    ...completions(version),
    ['share/man/man1/ftm-watch.1.gz', packed(manPage({ version, date }))],
    ...documentTree(root, userDocuments(root, DOCUMENTS)),
    [`${DOCUMENTS}/copyright`, copyOf(join(root, 'tools/package/copyright'))],
    [`${DOCUMENTS}/THIRD-PARTY.txt.gz`, packed(read(dist, 'THIRD-PARTY.txt'))],
    [`${DOCUMENTS}/NODE-LICENSE.gz`, packed(read(node, 'LICENSE'))],
  ]);
}

/** Where each shell searches for completions. */
function completions(version: string): readonly (readonly [path: string, file: TreeFile])[] {
  const places = [
    ['bash', 'share/bash-completion/completions/ftm-watch'],
    ['zsh', 'share/zsh/vendor-completions/_ftm-watch'],
    ['fish', 'share/fish/vendor_completions.d/ftm-watch.fish'],
  ] as const;
  const program = describedProgram(version, () => undefined);
  return places.map(([shell, path]) => [path, { content: completion(shell, program), mode: 0o644 }]);
}

export function packed(text: string): TreeFile {
  return { content: gzipSync(text, { level: 9 }), mode: 0o644 };
}

function read(folder: string, name: string): string {
  return readFileSync(join(folder, name), 'utf8');
}

function command(prefix: string): string {
  return `#!/bin/sh\nexec ${prefix}/lib/ftm-watch/node --disable-sigusr1 ${prefix}/lib/ftm-watch/program/main.js "$@"\n`;
}
