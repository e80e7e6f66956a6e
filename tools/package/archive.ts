import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Architecture } from './architecture.ts';
import { documentText, userDocuments } from './documents.ts';
import { copyOf, writeTree } from './file-tree.ts';
import { nodeRuntime } from './node-runtime.ts';
import { type Build, DOCUMENTS, programTree } from './program-tree.ts';

const INSTRUCTIONS = { source: 'docs/install.md', path: 'INSTALL.md' };

/**
 * Writes the archive for any Linux with glibc and systemd, to be unpacked at `/opt/ftm-watch`. The same source gives
 * the same bytes.
 */
export function writeArchive(file: string, build: Build, architecture: Architecture): void {
  const { root, date } = build;
  const temporary = mkdtempSync(join(tmpdir(), 'ftm-watch-archive-'));
  const name = basename(file, '.tar.xz');
  try {
    const documents = userDocuments(root, DOCUMENTS);
    const tree = new Map([
      ...programTree(build, nodeRuntime(root, architecture), '/opt/ftm-watch'),
      ['INSTALL.md', { content: documentText(root, INSTRUCTIONS, documents), mode: 0o644 }] as const,
      ['etc/ftm-watch.yaml', copyOf(join(root, 'deploy/systemd/ftm-watch.yaml'))] as const,
    ]);
    writeTree(join(temporary, name), tree, date);
    // Always two threads, because one would give other bytes.
    const how = [
      '--sort=name',
      '--format=gnu',
      '--owner=0',
      '--group=0',
      '--numeric-owner',
      `--mtime=@${String(date)}`,
    ];
    const packer = '--use-compress-program=xz --threads=2 -0';
    execFileSync('tar', [...how, packer, '--create', '--file', file, '--directory', temporary, name]);
  } finally {
    rmSync(temporary, { recursive: true });
  }
}
