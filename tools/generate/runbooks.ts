import { CAUSE_IDS, type CauseId, CHECKS, isCauseId, isFaultId, wordsOf } from '../../src/checks/registry.ts';
import { ALERT_RUNBOOK } from '../../src/document/alert-runbook.ts';
import { markdownFile, type MarkdownLinks, partBlock, sectionBlocks } from '../../src/document/markdown.ts';
import { type Runbook, runbookOf } from '../../src/document/runbook.ts';

/** Returns every page by file name: one for each cause, a list of them, and one for all alerts without a cause. */
export function renderRunbooks(): ReadonlyMap<string, string> {
  const runbooks = CAUSE_IDS.map((id) => ({ id, runbook: runbookOf(id) }));
  return new Map([
    ['README.md', renderList()],
    ['alerts.md', renderPage(ALERT_RUNBOOK)],
    ...runbooks.map(({ runbook }): readonly [string, string] => [`${runbook.name}.md`, renderPage(runbook)]),
    // Alerts link to the page of a cause by its id.
    ...runbooks
      .filter(({ id, runbook }) => runbook.name !== id)
      .map(({ id, runbook }): readonly [string, string] => [`${id}.md`, renderReference(id, runbook.name)]),
  ]);
}

function renderReference(id: CauseId, name: string): string {
  return markdownFile([`# ${id}`, GENERATED, `See [${name}](${name}.md).`]);
}

const GENERATED = '<!-- Generated from src/checks. -->';

function renderList(): string {
  const others = { title: 'Any precondition', causes: CAUSE_IDS.filter((id) => !isFaultId(id)) };
  const parts = [...CHECKS.map(({ title, causes }) => ({ title, causes: Object.keys(causes) })), others];
  const intro =
    'A page for each cause that ftm-watch can find, in the order of the path. The daemon serves the same pages at ' +
    '`/runbooks/CAUSE`. Alerts about ftm-watch itself: [alerts.md](alerts.md).\n\n' +
    'The incident, on the status page and in messages, contains these steps with your addresses filled in. After the ' +
    'repair, run `ftm-watch check --verify INCIDENT`. The incident closes after `notify.policy.recoveries` rounds ' +
    'without the cause.';
  return markdownFile([
    '# Runbooks',
    GENERATED,
    intro,
    ...parts.flatMap(({ title, causes }) => [
      `## ${title}`,
      causes
        .filter(isCauseId)
        .map((id) => `- [${id}](${runbookOf(id).name}.md): ${wordsOf(id).title} (${wordsOf(id).severity})`)
        .join('\n'),
    ]),
  ]);
}

function renderPage({ title, intro, sections }: Pick<Runbook, 'title' | 'intro' | 'sections'>): string {
  return markdownFile([
    `# ${title}`,
    GENERATED,
    ...intro.map((part) => partBlock(part, LINKS)),
    ...sectionBlocks(sections, LINKS),
  ]);
}

const LINKS: MarkdownLinks = {
  runbook: (cause) => `${runbookOf(cause).name}.md`,
  document: (path) => `../${path}`,
};
