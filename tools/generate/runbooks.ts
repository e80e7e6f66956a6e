import { CAUSE_IDS, CHECKS, isCauseId, isFaultId, wordsOf } from '../../src/checks/registry.ts';
import { ALERT_RUNBOOK } from '../../src/document/alert-runbook.ts';
import {
  anchorOf,
  isLinked,
  type LinkedLine,
  type LinkedStep,
  type Paragraph,
  type Part,
  type Word,
} from '../../src/document/document.ts';
import { procedurePage, type Runbook, runbookOf } from '../../src/document/runbook.ts';
import { type Block, blocksOf } from '../../src/engine/model.ts';

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

function renderReference(id: string, { name, title }: Runbook): string {
  return joined([`# ${id}`, `See [${title}](${name}.md).`]);
}

const GENERATED = '<!-- All pages in this folder are generated from src/checks and src/document. -->';

function renderList(): string {
  const others = { title: 'Any precondition', causes: CAUSE_IDS.filter((id) => !isFaultId(id)) };
  const parts = [...CHECKS.map(({ title, causes }) => ({ title, causes: Object.keys(causes) })), others];
  const intro =
    'Each cause that ftm-watch can find has a runbook, which the daemon also serves at `/runbooks/CAUSE`. ' +
    '[Procedures](procedures.md) explains how to silence an incident, check the repair and get help. For alerts ' +
    'without a cause, see [Prometheus alerts](alerts.md).';
  return joined([
    '# Runbooks',
    GENERATED,
    intro,
    ...parts.flatMap(({ title, causes }) => [
      `## ${title}`,
      causes
        .filter(isCauseId)
        .map((id) => `- [${id}](${runbookOf(id).name}.md): ${wordsOf(id).title}`)
        .join('\n'),
    ]),
  ]);
}

function renderPage({ title, intro, sections }: Pick<Runbook, 'title' | 'intro' | 'sections'>): string {
  return joined([
    `# ${title}`,
    ...intro.map(partText),
    ...sections.flatMap((section) => [`## ${section.title}`, ...section.parts.map(partText)]),
  ]);
}

function partText(part: Part): string {
  switch (part.kind) {
    case 'text':
      return part.lines.map(paragraphText).join('\n\n');
    case 'list':
      return part.lines.map(itemText).join('\n');
    case 'steps':
      return part.lines.map(stepText).join('\n');
    case 'commands':
      return part.lines.map((block) => commandsText(block, 'text')).join('\n\n');
  }
}

function paragraphText(line: Paragraph): string {
  return typeof line === 'string' ? escaped(line) : line.map(wordText).join('');
}

function wordText(word: Word): string {
  if (typeof word === 'string') return escaped(word);
  if ('code' in word) return `\`${word.code}\``;
  if ('cause' in word) return `[${word.cause}](${runbookOf(word.cause).name}.md)`;
  if ('procedure' in word) return `[${word.procedure}](procedures.md#${anchorOf(word.procedure)})`;
  return 'url' in word ? `<${word.url}>` : `[${word.document}](../${word.document})`;
}

function stepText(step: LinkedStep, index: number): string {
  const { text, see } = step;
  const words = [...(text === '' ? [] : [escaped(text)]), ...(see === undefined ? [] : [paragraphText(see)])];
  const blocks = blocksOf(step).map((block) => commandsText(block, step.syntax === 'shell' ? 'sh' : 'text'));
  return [`${String(index + 1)}. ${words.join(' ')}`, ...blocks].join('\n\n');
}

/** Indents the commands for the list item. */
function commandsText(block: Block, language: string): string {
  return [`${block.place}:`, '', `\`\`\`${language}`, ...block.text.split('\n'), '```']
    .map((line) => (line === '' ? '' : `   ${line}`))
    .join('\n');
}

function itemText(line: Paragraph | LinkedLine): string {
  return isLinked(line)
    ? ['-', line.text, ...line.links.map(([, url]) => `<${url}>`)].filter((word) => word !== '').join(' ')
    : `- ${paragraphText(line)}`;
}

/** Placeholders in commands, such as `<inside>`, are not HTML. */
function escaped(text: string): string {
  return text.replaceAll(/[<>*_`]/gu, String.raw`\$&`);
}

function joined(blocks: readonly string[]): string {
  return `${blocks.join('\n\n')}\n`;
}
