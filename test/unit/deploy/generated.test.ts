import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ARTEFACTS } from '../../../tools/generate/artefacts.ts';
import { outdatedFiles } from '../../../tools/generate/outdated.ts';

const ROOT = join(import.meta.dirname, '../../..');
/** Generating takes seconds. */
const ONCE = ARTEFACTS.map((artefact) => {
  const files = artefact.files();
  return { ...artefact, files: () => files };
});
const files = ONCE.flatMap((artefact) => [...artefact.files()]);

describe('what is generated', () => {
  it('is as it follows from elsewhere: else run "npm run generate"', () => {
    const outdated = outdatedFiles(ROOT, ONCE).map(({ path, text }) => {
      const found = existsSync(join(ROOT, path)) ? readFileSync(join(ROOT, path), 'utf8') : null;
      return { path, text, found };
    });
    const missing = outdated.filter(({ text, found }) => text === null || found === null);
    expect(missing.map(({ path }) => path)).toEqual([]);
    for (const { path, text, found } of outdated) expect.soft(found, path).toBe(text);
  });

  it('has each file once', () => {
    const paths = files.map(([path]) => path);
    expect(paths).toHaveLength(new Set(paths).size);
  });
});

describe('outdatedFiles()', () => {
  let root = '';

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'ftm-watch-generated-'));
    for (const [path, text] of files) {
      mkdirSync(join(root, dirname(path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
  });

  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  it('names what was changed by hand, what is missing and what is too much, with what it follows from', () => {
    expect(outdatedFiles(root, ONCE)).toEqual([]);
    writeFileSync(join(root, 'deploy/prometheus/mixin/dashboards/site.json'), '{}\n');
    writeFileSync(join(root, 'docs/runbooks/gone.md'), '# A cause of the past\n');
    writeFileSync(join(root, 'docs/runbooks/alerts.md'), '# By hand\n');
    rmSync(join(root, 'docs/runbooks/egress-blocked.md'));
    expect(outdatedFiles(root, ONCE)).toEqual([
      { path: 'docs/runbooks/alerts.md', text: expect.stringContaining('# '), from: 'src/checks' },
      { path: 'docs/runbooks/egress-blocked.md', text: expect.stringContaining('# '), from: 'src/checks' },
      { path: 'docs/runbooks/gone.md', text: null, from: 'src/checks' },
      {
        path: 'deploy/prometheus/mixin/dashboards/site.json',
        text: expect.stringContaining('"uid"'),
        from: 'tools/generate/grafana',
      },
    ]);
  });
});
