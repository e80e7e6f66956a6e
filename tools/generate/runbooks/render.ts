import { CAUSE_IDS, isCauseId } from '../../../src/checks/registry.ts';
import { markup, partsView, sectionsView, toHtml } from '../../../src/document/html.ts';
import { markdownFile, type MarkdownPlace, partBlock, sectionBlocks } from '../../../src/document/markdown.ts';
import { headOf } from '../../../src/engine/model.ts';
import { ALERTS } from './alerts-page.ts';
import { listPage, type Page, PROCEDURES, type Runbook, runbookOf } from './pages.ts';

const GENERATED = '<!-- All pages in this folder are generated from src/checks and tools/generate/runbooks. -->';

/** Returns the pages of the documentation, by file name. */
export function renderMarkdown(): ReadonlyMap<string, string> {
  const runbooks = CAUSE_IDS.map((id) => ({ id, runbook: runbookOf(id) }));
  return new Map([
    ['README.md', markdownPage(listPage(), GENERATED)],
    ['alerts.md', markdownPage(ALERTS)],
    ['procedures.md', markdownPage(PROCEDURES)],
    ...runbooks.map(({ runbook }): readonly [string, string] => [`${runbook.name}.md`, markdownPage(runbook)]),
    // Alerts link to the page of a cause by its id.
    ...runbooks
      .filter(({ id, runbook }) => runbook.name !== id)
      .map(({ id, runbook }): readonly [string, string] => [`${id}.md`, reference(id, runbook)]),
  ]);
}

function reference(id: string, { name, title }: Runbook): string {
  return markdownFile([`# ${id}`, `See [${title}](${name}.md).`]);
}

function markdownPage({ title, intro, sections }: Page, ...comments: readonly string[]): string {
  return markdownFile([
    `# ${title}`,
    ...comments,
    ...intro.map((part) => partBlock(part, DOCS)),
    ...sectionBlocks(sections, DOCS),
  ]);
}

const DOCS: MarkdownPlace = {
  runbook: (path) => {
    const [page = '', anchor] = path.split('#');
    return `${isCauseId(page) ? runbookOf(page).name : page}.md${anchor === undefined ? '' : `#${anchor}`}`;
  },
  document: (path) => `../${path}`,
  // The language of the block already marks shell commands.
  blockHead: (block) => (block.missing === '' ? (block.place === 'Shell' ? '' : `${block.place}:`) : headOf(block)),
  isUntrusted: false,
};

/** Returns the pages that the daemon serves, by file name, without the parts that all its pages share. */
export function renderHtml(): ReadonlyMap<string, string> {
  return new Map([
    // This page is at /runbooks, all others are below.
    ['index.html', htmlPage(listPage()).replaceAll('<a href="', '<a href="runbooks/')],
    ['alerts.html', htmlPage(ALERTS)],
    ['procedures.html', htmlPage(PROCEDURES)],
    ...CAUSE_IDS.map((id): readonly [string, string] => [`${id}.html`, htmlPage(runbookOf(id))]),
  ]);
}

function htmlPage({ title, intro, sections }: Page): string {
  return toHtml(markup`<h1>${title}</h1>\n${partsView(intro)}${sectionsView(sections)}`);
}
