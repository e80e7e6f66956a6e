import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sourceDate } from '../../../tools/package/source-date.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ftm-watch-date-'));
});

afterEach(() => rmSync(root, { recursive: true }));

describe('sourceDate()', () => {
  test('is what SOURCE_DATE_EPOCH says', () => {
    expect(sourceDate(root, { SOURCE_DATE_EPOCH: '1700000000' })).toBe(1_700_000_000);
  });

  test('is else the time of the commit, whatever the changelog says', () => {
    writeFileSync(join(root, 'CHANGELOG.md'), '## 1.2.0 (2026-11-24)\n');
    const env = { PATH: process.env['PATH'], GIT_COMMITTER_DATE: '1600000000 +0200' };
    const who = ['-c', 'user.name=a', '-c', 'user.email=a@example.org'];
    execFileSync('git', ['init', '--quiet'], { cwd: root });
    execFileSync('git', [...who, 'commit', '--quiet', '--allow-empty', '--message=a'], { cwd: root, env });
    expect(sourceDate(root, {})).toBe(1_600_000_000);
  });

  test('is in a source without git that of the newest release', () => {
    writeFileSync(join(root, 'CHANGELOG.md'), '## Unreleased\n\n## 1.2.0 (2026-11-24)\n\n## 1.1.0 (2026-10-01)\n');
    expect(sourceDate(root, {})).toBe(Date.UTC(2026, 10, 24) / 1000);
  });

  test('is refused where nothing tells it', () => {
    writeFileSync(join(root, 'CHANGELOG.md'), '## Unreleased\n');
    expect(() => sourceDate(root, { SOURCE_DATE_EPOCH: 'now' })).toThrow(
      'Cannot date the packages: set SOURCE_DATE_EPOCH, or build from a commit',
    );
  });
});
