const UNRELEASED = /(?<=^## Unreleased\n)[^]*?(?=^## |(?![^]))/mu;

/** Returns the entries in `CHANGELOG.md` under "Unreleased". */
export function unreleasedEntries(changelog: string): readonly string[] {
  return (UNRELEASED.exec(changelog)?.[0] ?? '').split('\n').filter((line) => line.startsWith('- '));
}

/** Returns the changelog with the unreleased entries under a version and its date, and an empty "Unreleased" above. */
export function releasedChangelog(changelog: string, version: string, date: string): string {
  return changelog.replace(UNRELEASED, (entries) => `\n## ${version} (${date})\n${entries}`);
}
