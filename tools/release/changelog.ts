const UNRELEASED = /(?<=^## Unreleased\n)[^]*?(?=^## |(?![^]))/mu;

/** What `CHANGELOG.md` lists under "Unreleased"; empty: nothing. */
export function unreleasedEntries(changelog: string): readonly string[] {
  return (UNRELEASED.exec(changelog)?.[0] ?? '').split('\n').filter((line) => line.startsWith('- '));
}

/** The changelog with what was unreleased under a version and its date, and an empty "Unreleased" above. */
export function releasedChangelog(changelog: string, version: string, date: string): string {
  return changelog.replace(UNRELEASED, (entries) => `\n## ${version} (${date})\n${entries}`);
}
