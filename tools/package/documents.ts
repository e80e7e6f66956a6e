import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, extname, join, normalize, relative } from 'node:path';

/** A project file and its path in the package. */
interface Placed {
  readonly source: string;
  readonly path: string;
}

/** The folder for documents, below the prefix. */
export const DOCUMENTS = 'share/doc/ftm-watch';
/** Examples refer to each other, so they keep the structure of `deploy`. */
const EXAMPLES = `${DOCUMENTS}/examples`;
/**
 * What another system imports or runs as it is. Debian's policy (12.3, 12.6) lets nobody rely on documents and
 * examples, and many small systems are installed without them.
 */
const IMPORTS = 'share/ftm-watch';
const IMPORTED = /^(?:checkmk|prtg|webhooks|zabbix)\//u;

/** Code is skipped, because brackets in code are not links. */
const CODE_OR_LINK =
  /^```[^]*?^```|`[^`\n]+`|(?<image>!?)\[(?<label>[^\]]*)\]\((?<target>[^)\s#]+)(?<anchor>#[^)\s]*)?\)/gmu;

/** The groups of the expression above. All are undefined for code. */
type LinkParts = readonly (string | undefined)[];

/** Returns everything that users read or deploy, below the prefix. */
export function userDocuments(root: string): readonly Placed[] {
  const places = [
    { below: 'docs', under: () => DOCUMENTS },
    { below: 'deploy', under: (name: string) => (IMPORTED.test(name) ? IMPORTS : EXAMPLES) },
    { below: 'config', under: () => join(EXAMPLES, 'config') },
  ];
  return [
    ...places.flatMap(({ below, under }) =>
      // It follows the chart's links, so the chart in the package is complete.
      readdirSync(join(root, below), { recursive: true, encoding: 'utf8' })
        .filter((name) => statSync(join(root, below, name)).isFile())
        .toSorted()
        .map((name) => ({ source: join(below, name), path: join(under(name), name) })),
    ),
    ...['CHANGELOG.md', 'SECURITY.md'].map((name) => ({ source: name, path: join(DOCUMENTS, name) })),
  ];
}

/** Writes the documents to their paths below `folder`. */
export function stageDocuments(folder: string, root: string, documents: readonly Placed[]): void {
  for (const one of documents) {
    const file = join(folder, one.path);
    mkdirSync(dirname(file), { recursive: true });
    if (extname(one.path) === '.md') writeFileSync(file, documentText(root, one, documents));
    else cpSync(join(root, one.source), file);
  }
}

/**
 * Returns a Markdown document for the package. Its links lead to the files' paths in the package. A link to a file that
 * is not among `documents` becomes text that names the file.
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
