import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { renderRunbooks } from '../../../deploy/runbooks/render.ts';

const FOLDER = 'docs/runbooks';
const pages = renderRunbooks();

describe('the runbooks', () => {
  it.each([...pages])('have %s as the catalogue has it: else run "npm run runbooks"', (name, text) => {
    expect(readFileSync(join(FOLDER, name), 'utf8')).toBe(text);
  });

  it('have no page of a cause that is gone', () => {
    expect(readdirSync(FOLDER).filter((name) => !pages.has(name))).toEqual(['alerts.md']);
  });

  it.each(readdirSync(FOLDER))('name no placeholder in %s, and link to pages that exist', (name) => {
    const text = readFileSync(join(FOLDER, name), 'utf8');
    expect(text.match(/\{[a-z]+\}/gu)).toBeNull();
    const links = [...text.matchAll(/\]\(([^)#:]+)[^)]*\)/gu)].map(([, path = '']) => join(FOLDER, path));
    expect(links.filter((path) => !existsSync(path))).toEqual([]);
  });
});
