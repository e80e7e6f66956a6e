import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';

const DOCUMENTS = globSync(['*.md', 'docs/**/*.md', 'deploy/**/*.md', 'bench/**/*.md', 'test/*.md']);
const LINK = /\]\((?<target>[^)\s]+)\)/gu;

/** Returns the links outside code, because brackets in code are not links. */
function linksIn(file: string): readonly string[] {
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

/** Returns the project files that a document mentions in backquotes, except paths with the placeholder `ID`. */
function namedFiles(file: string): readonly string[] {
  const named = readFileSync(file, 'utf8').match(
    /(?<=`)(?:bench|deploy|src|test|tools)\/[\w./-]+\.(?:ts|ya?ml|md)(?=`)/gu,
  );
  return (named ?? []).filter((path) => !path.includes('/ID/'));
}

describe('the documents', () => {
  test('name files of this project that are there', () => {
    const named = DOCUMENTS.flatMap((file) => namedFiles(file).map((path) => ({ file, path })));
    expect(named.length).toBeGreaterThan(100);
    expect(named.filter(({ path }) => !existsSync(path))).toEqual([]);
  });

  test('lead to files and headings that are there', () => {
    expect(DOCUMENTS.length).toBeGreaterThan(50);
    const broken = DOCUMENTS.flatMap((file) =>
      linksIn(file)
        .filter((target) => !/^[a-z]+:/u.test(target))
        .filter((target) => {
          const [path = '', anchor] = target.split('#');
          const to = path === '' ? file : join(dirname(file), path);
          if (!existsSync(to)) return true;
          return anchor !== undefined && to.endsWith('.md') && !anchorsOf(to).includes(anchor);
        })
        .map((target) => `${file}: ${target}`),
    );
    expect(broken).toEqual([]);
  });

  test('are all found from the map', () => {
    const linked = new Set(linksIn('docs/README.md').map((target) => target.split('#')[0] ?? ''));
    const pages = globSync(['docs/*.md', 'docs/internals/*.md']).map((path) => relative('docs', path));
    expect(pages.filter((page) => page !== 'README.md' && !linked.has(page))).toEqual([]);
    expect(linksIn('README.md')).toContain('docs/README.md');
  });
});
