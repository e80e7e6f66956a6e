import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const LINK = /\]\((?<target>[^)\s]+)\)/gu;

/** Returns the links outside code, because brackets in code are not links. */
export function linksIn(file: string): readonly string[] {
  const text = readFileSync(file, 'utf8').replaceAll(/^```[^]*?^```|`[^`\n]+`/gmu, '');
  return [...text.matchAll(LINK)].map(({ groups }) => groups?.['target'] ?? '');
}

/** Returns the anchors of the headings as GitHub generates them. */
function anchorsOf(file: string): readonly string[] {
  const headings =
    readFileSync(file, 'utf8')
      .replaceAll(/^```[^]*?^```/gmu, '')
      .match(/^#+ .+$/gmu) ?? [];
  return headings.map((heading) =>
    heading
      .replace(/^#+ /u, '')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** Returns the document's links to files or headings that do not exist. */
export function deadLinks(file: string): readonly string[] {
  return linksIn(file)
    .filter((target) => !/^[a-z]+:/u.test(target))
    .filter((target) => {
      const [path = '', anchor] = target.split('#');
      const to = path === '' ? file : join(dirname(file), path);
      if (!existsSync(to)) return true;
      return anchor !== undefined && to.endsWith('.md') && !anchorsOf(to).includes(anchor);
    })
    .map((target) => `${file}: ${target}`);
}
