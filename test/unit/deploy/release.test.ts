import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { isMaintainer, NO_MAINTAINER } from '../../../tools/package/maintainer.ts';
import { releasedChangelog, releaseNotes, unreleasedEntries } from '../../../tools/release/changelog.ts';

describe('isMaintainer()', () => {
  test.each(['A. Admin <admin@example.org>', NO_MAINTAINER])('takes "%s"', (text) => {
    expect(isMaintainer(text)).toBe(true);
  });

  test.each(['', 'A. Admin', 'admin@example.org', 'A <admin>', 'A <a@b> <c@d>', 'A\nB <a@b>', '%{lua:x} <a@b>'])(
    'refuses "%s"',
    (text) => expect(isMaintainer(text)).toBe(false),
  );
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
    expect(releaseNotes(released, '0.2.0')).toBe(entries.trim());
    expect([releaseNotes(released, '0.2'), releaseNotes(released, 'Unreleased')]).toEqual([null, null]);
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
