const UNRELEASED = /(?<=^## Unreleased\n)[^]*?(?=^## |(?![^]))/mu;

/** Returns the entries in `CHANGELOG.md` under "Unreleased". */
export function unreleasedEntries(changelog: string): readonly string[] {
  return (UNRELEASED.exec(changelog)?.[0] ?? '').split('\n').filter((line) => line.startsWith('- '));
}

/** Returns the changelog with the unreleased entries under a version and its date, and an empty "Unreleased" above. */
export function releasedChangelog(changelog: string, version: string, date: string): string {
  return changelog.replace(UNRELEASED, (entries) => `\n## ${version} (${date})\n${entries}`);
}

/** Returns what changed in a released version, or null for a version that is not released. */
export function releaseNotes(changelog: string, version: string): string | null {
  const section = changelog.split(/^## /mu).find((text) => text.startsWith(`${version} (`));
  return section === undefined ? null : section.slice(section.indexOf('\n')).trim();
}
