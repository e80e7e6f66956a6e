import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const FOLDER = 'docs/runbooks';

describe('the runbooks', () => {
  it.each(readdirSync(FOLDER))('name no placeholder in %s, and link to pages that exist', (name) => {
    const text = readFileSync(join(FOLDER, name), 'utf8');
    expect(text.match(/\{[a-z]+\}/gu)).toBeNull();
    const links = [...text.matchAll(/\]\(([^)#:]+)[^)]*\)/gu)].map(([, path = '']) => join(FOLDER, path));
    expect(links.filter((path) => !existsSync(path))).toEqual([]);
  });
});
