import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DELIVERY_CAUSES } from '../../../src/checks/delivery/causes.ts';
import { describe, expect, it } from 'vitest';
import { CHECKS } from '../../../src/checks/registry.ts';
import type { CauseWords } from '../../../src/engine/words/cause-words.ts';
import { ANY_SERVER, fill } from '../../../src/engine/words/wording.ts';

const FOLDER = 'docs/runbooks';

/** What a runbook says as it is, without an incident. */
const KNOWN_BEFOREHAND: readonly string[] = ['host', 'port', 'config', 'interface'];

describe('the runbooks', () => {
  it.each(readdirSync(FOLDER))('name no placeholder in %s, and link to pages that exist', (name) => {
    const text = readFileSync(join(FOLDER, name), 'utf8');
    expect(text.match(/\{[a-z]+\}/gu)).toBeNull();
    const links = [...text.matchAll(/\]\(([^)#:]+)[^)]*\)/gu)].map(([, path = '']) => join(FOLDER, path));
    expect(links.filter((path) => !existsSync(path))).toEqual([]);
  });

  it.each(CHECKS.flatMap(({ causes }) => Object.entries<CauseWords>(causes)))(
    'name in brackets whatever the texts of %s fill in',
    (cause, {
      kinds = {},
      summary,
      remedy,
      brokenPath,
      proxyRemedy = [],
      productRemedy = {},
      anyProductRemedy = [],
    }) => {
      const steps = [
        ...[remedy, proxyRemedy, anyProductRemedy, brokenPath?.remedy ?? []].flat(),
        ...[...Object.values(productRemedy), ...Object.values(kinds).map((kind) => kind.remedy)].flat(),
      ].map((step) => (typeof step === 'string' ? step : step.text));
      const texts = [summary, brokenPath?.summary ?? '', ...Object.values(kinds).map((kind) => kind.summary), ...steps];
      const text = readFileSync(join(FOLDER, `${cause}.md`), 'utf8').replaceAll(/\s+/gu, ' ');
      const names = new Set(texts.flatMap((each) => [...each.matchAll(/\{([a-z]+)\}/gu)].map(([, name = '']) => name)));
      const general = [...names]
        .filter((name) => !KNOWN_BEFOREHAND.includes(name))
        .map((name) => fill(`{${name}}`, ANY_SERVER));
      expect(general.filter((word) => text.includes(word))).toEqual([]);
    },
  );

  it.each(Object.keys(DELIVERY_CAUSES))('do not take the licence server for the host of %s', (cause) => {
    expect(readFileSync(join(FOLDER, `${cause}.md`), 'utf8')).not.toContain('fortitokenmobile.fortinet.com');
  });
});
