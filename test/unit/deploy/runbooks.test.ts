import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DELIVERY_CAUSES } from '../../../src/checks/delivery/causes.ts';
import { describe, expect, it } from 'vitest';

const FOLDER = 'docs/runbooks';

describe('the runbooks', () => {
  it.each(readdirSync(FOLDER))('name no placeholder in %s, and link to pages that exist', (name) => {
    const text = readFileSync(join(FOLDER, name), 'utf8');
    expect(text.match(/\{[a-z]+\}/gu)).toBeNull();
    const links = [...text.matchAll(/\]\(([^)#:]+)[^)]*\)/gu)].map(([, path = '']) => join(FOLDER, path));
    expect(links.filter((path) => !existsSync(path))).toEqual([]);
  });

  it.each(Object.keys(DELIVERY_CAUSES))('do not take the licence server for the host of %s', (cause) => {
    expect(readFileSync(join(FOLDER, `${cause}.md`), 'utf8')).not.toContain('fortitokenmobile.fortinet.com');
  });
});
