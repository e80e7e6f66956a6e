import { CAUSE_IDS, type CauseId, CHECKS, isCauseId, isFaultId, wordsOf } from '../../src/checks/registry.ts';
import { generalName } from '../../src/checks/headline.ts';
import { ALERT_RUNBOOK } from '../../src/document/alert-runbook.ts';
import { anchorOf } from '../../src/document/document.ts';
import { markdownFile, type MarkdownPlace, partBlock, sectionBlocks } from '../../src/document/markdown.ts';
import { procedurePage, type Runbook, runbookOf } from '../../src/document/runbook.ts';

/** Returns every page by file name: one for each cause, a list of them, and those that concern no single cause. */
export function renderRunbooks(): ReadonlyMap<string, string> {
  const runbooks = CAUSE_IDS.map((id) => ({ id, runbook: runbookOf(id) }));
  return new Map([
    ['README.md', renderList()],
    ['alerts.md', renderPage(ALERT_RUNBOOK)],
    ['procedures.md', renderPage(procedurePage())],
    ...runbooks.map(({ runbook }): readonly [string, string] => [`${runbook.name}.md`, renderPage(runbook)]),
    // Alerts link to the page of a cause by its id.
    ...runbooks
      .filter(({ id, runbook }) => runbook.name !== id)
      .map(({ id, runbook }): readonly [string, string] => [`${id}.md`, renderReference(id, runbook)]),
  ]);
}

function renderReference(id: CauseId, { name, title }: Runbook): string {
  return markdownFile([`# ${id}`, `See [${title}](${name}.md).`]);
}

const GENERATED = '<!-- All pages in this folder are generated from src/checks and src/document. -->';

function renderList(): string {
  const others = { title: 'Any precondition', causes: CAUSE_IDS.filter((id) => !isFaultId(id)) };
  const parts = [...CHECKS.map(({ title, causes }) => ({ title, causes: Object.keys(causes) })), others];
  const intro =
    'Each cause that ftm-watch can find has a runbook, which the daemon also serves at `/runbooks/CAUSE`. ' +
    '[Procedures](procedures.md) explains how to silence an incident, check the repair and get help. For alerts ' +
    'without a cause, see [Prometheus alerts](alerts.md).';
  return markdownFile([
    '# Runbooks',
    GENERATED,
    intro,
    ...parts.flatMap(({ title, causes }) => [
      `## ${title}`,
      causes
        .filter(isCauseId)
        .map((id) => `- [${id}](${runbookOf(id).name}.md): ${generalName(wordsOf(id).name)}`)
        .join('\n'),
    ]),
  ]);
}

function renderPage({ title, intro, sections }: Pick<Runbook, 'title' | 'intro' | 'sections'>): string {
  return markdownFile([`# ${title}`, ...intro.map((part) => partBlock(part, HERE)), ...sectionBlocks(sections, HERE)]);
}

const HERE: MarkdownPlace = {
  runbook: (cause) => `${runbookOf(cause).name}.md`,
  procedure: (title) => `procedures.md#${anchorOf(title)}`,
  document: (path) => `../${path}`,
  // The page of procedures explains the placeholders.
  // The language of the block already marks shell commands.
  blockHead: ({ place }) => (place === 'Shell' ? '' : `${place}:`),
  isUntrusted: false,
};
