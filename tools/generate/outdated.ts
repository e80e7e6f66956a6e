import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ARTEFACTS, type Artefact } from './artefacts.ts';

/** A file that differs from its generated contents. */
export interface OutdatedFile {
  /** Relative to the project's folder. */
  readonly path: string;
  /** The expected contents; null: the file must be deleted. */
  readonly text: string | null;
  readonly from: string;
}

/** Returns all files that `npm run generate` would change. */
export function outdatedFiles(root: string, artefacts: readonly Artefact[] = ARTEFACTS): readonly OutdatedFile[] {
  return artefacts.flatMap((artefact) => {
    const files = artefact.files();
    const changed = [...files].filter(([path, text]) => textAt(join(root, path)) !== text);
    return [
      ...changed.map(([path, text]) => ({ path, text, from: artefact.from })),
      ...leftOver(root, artefact, files).map((path) => ({ path, text: null, from: artefact.from })),
    ];
  });
}

function leftOver(root: string, { folder }: Artefact, files: ReadonlyMap<string, string>): readonly string[] {
  if (folder === undefined) return [];
  return readdirSync(join(root, folder.path))
    .filter((name) => !folder.byHand.includes(name))
    .map((name) => `${folder.path}/${name}`)
    .filter((path) => !files.has(path));
}

function textAt(path: string): string | null {
  return existsSync(path) ? readFileSync(path, 'utf8') : null;
}
