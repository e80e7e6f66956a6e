import { readFileSync } from 'node:fs';
import { dirname, extname, join, normalize, relative } from 'node:path';
import { copyOf, type FileTree, filesBelow, type TreeFile } from './file-tree.ts';

/** A project file and its path in the package. */
interface Placed {
  readonly source: string;
  readonly path: string;
}

/** Code is skipped, because brackets in code are not links. */
const CODE_OR_LINK =
  /^```[^]*?^```|`[^`\n]+`|(?<image>!?)\[(?<label>[^\]]*)\]\((?<target>[^)\s#]+)(?<anchor>#[^)\s]*)?\)/gmu;

/** The groups of the expression above. All are undefined for code. */
type LinkParts = readonly (string | undefined)[];

/** Returns everything that users read or deploy, for a folder of the package. */
export function userDocuments(root: string, folder: string): readonly Placed[] {
  const places = [
    { below: 'docs', under: folder },
    { below: 'deploy', under: join(folder, 'deploy') },
    { below: 'config', under: join(folder, 'config') },
  ];
  return [
    ...places.flatMap(({ below, under }) =>
      filesBelow(join(root, below), under).map(([path]) => ({ source: join(below, relative(under, path)), path })),
    ),
    ...['CHANGELOG.md', 'SECURITY.md'].map((name) => ({ source: name, path: join(folder, name) })),
  ];
}

export function documentTree(root: string, documents: readonly Placed[]): FileTree {
  return new Map(
    documents.map((one): readonly [string, TreeFile] => [
      one.path,
      extname(one.path) === '.md'
        ? { content: documentText(root, one, documents), mode: 0o644 }
        : copyOf(join(root, one.source)),
    ]),
  );
}

/**
 * Returns a Markdown document for the package. Its links lead to the files' paths in the package. A link to a file that is not among `documents`
 * becomes text that names the file.
 */
export function documentText(root: string, { source, path }: Placed, documents: readonly Placed[]): string {
  return readFileSync(join(root, source), 'utf8').replaceAll(CODE_OR_LINK, (whole: string, ...parts: LinkParts) => {
    const [image = '', label = '', target, anchor = ''] = parts;
    if (target === undefined || /^[a-z]+:/u.test(target)) return whole;
    const wanted = normalize(join(dirname(source), target)).replace(/\/$/u, '');
    const found = pathOf(wanted, documents);
    if (found !== null) return `${image}[${label}](${relative(dirname(path), found)}${anchor})`;
    return image === '' ? `${label} (\`${wanted}\` in the source)` : label;
  });
}

/** Returns the path of a file or folder in the package. */
function pathOf(wanted: string, documents: readonly Placed[]): string | null {
  const found = documents.find(({ source }) => source === wanted || source.startsWith(`${wanted}/`));
  return found === undefined ? null : found.path.slice(0, found.path.length - (found.source.length - wanted.length));
}
