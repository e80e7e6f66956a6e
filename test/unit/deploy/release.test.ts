import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { releasedChangelog, unreleasedEntries } from '../../../tools/release/changelog.ts';
import { nextVersion } from '../../../tools/release/version.ts';

describe('nextVersion()', () => {
  it.each([
    ['patch', '0.9.10'],
    ['minor', '0.10.0'],
    ['major', '1.0.0'],
    ['0.9.10', '0.9.10'],
    ['0.10.0', '0.10.0'],
    ['2.0.0', '2.0.0'],
  ])('takes %s after 0.9.9 for %s', (wanted, version) => {
    expect(nextVersion('0.9.9', wanted)).toBe(version);
  });

  it.each(['0.9.9', '0.9.8', '0.8.100', '0.0.1'])('refuses %s after 0.9.9', (wanted) => {
    expect(() => nextVersion('0.9.9', wanted)).toThrow(
      `Cannot release "${wanted}": expected a version later than 0.9.9`,
    );
  });

  it.each(['v1.0.0', '1.0', '1.0.0-rc.1', '01.0.0', 'next', ''])('refuses "%s", which is no version', (wanted) => {
    expect(() => nextVersion('0.9.9', wanted)).toThrow('expected major, minor, patch or a version like 1.2.3');
  });
});

describe('the changelog', () => {
  const BEFORE = '# Changelog\n\n## 0.1.0\n\n- [FEATURE] One.\n';

  test('is released under the version and the date, and begins again', () => {
    const entries = '- [CHANGE] Two,\n  in two lines.\n- [BUGFIX] Three.\n';
    const changelog = BEFORE.replace('## 0.1.0', `## Unreleased\n\n${entries}\n## 0.1.0`);
    expect(unreleasedEntries(changelog)).toEqual(['- [CHANGE] Two,', '- [BUGFIX] Three.']);
    const released = releasedChangelog(changelog, '0.2.0', '2026-11-26');
    expect(released).toBe(BEFORE.replace('## 0.1.0', `## Unreleased\n\n## 0.2.0 (2026-11-26)\n\n${entries}\n## 0.1.0`));
    expect(unreleasedEntries(released)).toEqual([]);
  });

  test('may have no release yet', () => {
    expect(releasedChangelog('# Changelog\n\n## Unreleased\n\n- One.\n', '0.1.0', '2026-11-26')).toBe(
      '# Changelog\n\n## Unreleased\n\n## 0.1.0 (2026-11-26)\n\n- One.\n',
    );
  });

  test('of this project has a place for what is not released', () => {
    expect(readFileSync('CHANGELOG.md', 'utf8')).toMatch(/^## Unreleased\n/mu);
    expect(unreleasedEntries(BEFORE)).toEqual([]);
  });
});
