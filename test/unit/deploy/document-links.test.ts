import { existsSync, globSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { deadLinks, linksIn } from '../../support/packaging/document-links.ts';

const DOCUMENTS = globSync(['*.md', 'docs/**/*.md', 'deploy/**/*.md', 'bench/**/*.md', 'test/*.md']);
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
    expect(DOCUMENTS.flatMap(deadLinks)).toEqual([]);
  });

  test('are all found from the map', () => {
    const linked = new Set(linksIn('docs/README.md').map((target) => target.split('#')[0] ?? ''));
    const pages = globSync(['docs/*.md', 'docs/internals/*.md']).map((path) => relative('docs', path));
    expect(pages.filter((page) => page !== 'README.md' && !linked.has(page))).toEqual([]);
    expect(linksIn('README.md')).toContain('docs/README.md');
  });
});
