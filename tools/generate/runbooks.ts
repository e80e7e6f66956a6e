import { type Block, blocksOf, headOf, type RemedyStep } from '../../src/engine/model.ts';
import { CAUSE_IDS, CHECKS, isFaultId, wordsOf } from '../../src/checks/registry.ts';
import { ALERT_RUNBOOK } from '../../src/checks/alert-runbook.ts';
import {
  type Runbook,
  type RunbookBlock,
  runbookOf,
  type RunbookSource,
  type RunbookWord,
} from '../../src/checks/runbook.ts';

/** Every page by its file name: one for each cause, the list of them, and one for all alerts without a cause. */
export function renderRunbooks(): ReadonlyMap<string, string> {
  return new Map([
    ['README.md', renderList()],
    ['alerts.md', renderPage(ALERT_RUNBOOK)],
    ...CAUSE_IDS.map((id): readonly [string, string] => [`${id}.md`, renderPage(runbookOf(id))]),
  ]);
}

const GENERATED = '<!-- Written by "npm run generate" from src/checks: change it there. -->';

function renderList(): string {
  const others = { title: 'Any precondition', causes: CAUSE_IDS.filter((id) => !isFaultId(id)) };
  const parts = [...CHECKS.map(({ title, causes }) => ({ title, causes: Object.keys(causes) })), others];
  const intro =
    'A page for each cause that ftm-watch can find, in the order of the path. Alerts about ftm-watch itself: ' +
    '[alerts.md](alerts.md).';
  return joined([
    '# Runbooks',
    GENERATED,
    intro,
    ...parts.flatMap(({ title, causes }) => [
      `## ${title}`,
      causes.map((id) => `- [${id}](${id}.md): ${wordsOf(id).title} (${wordsOf(id).severity})`).join('\n'),
    ]),
  ]);
}

function renderPage({ title, intro, sections }: Runbook): string {
  return joined([
    `# ${title}`,
    GENERATED,
    ...intro.map(blockText),
    ...sections.flatMap((section) => [`## ${section.title}`, ...section.blocks.map(blockText)]),
  ]);
}

function blockText(block: RunbookBlock): string {
  switch (block.kind) {
    case 'text':
      return block.words.map(wordText).join('');
    case 'list':
      return block.items.map((item, index) => `${String(index + 1)}. ${item.map(wordText).join('')}`).join('\n');
    case 'steps':
      return block.steps.map(stepText).join('\n');
    case 'sources':
      return block.sources.map(sourceText).join('\n');
  }
}

function wordText(word: RunbookWord): string {
  if (typeof word === 'string') return escaped(word);
  if ('code' in word) return `\`${word.code}\``;
  if ('cause' in word) return `[${word.cause}](${word.cause}.md)`;
  return `[${word.document}](../${word.document})`;
}

function stepText(step: RemedyStep, index: number): string {
  const blocks = blocksOf(step).map((block) => commandsText(block, step.syntax === 'shell' ? 'sh' : 'text'));
  return [`${String(index + 1)}. ${escaped(step.text)}`, ...blocks].join('\n\n');
}

/** Within the item of the list. */
function commandsText(block: Block, language: string): string {
  return [escaped(headOf(block)), '', `\`\`\`${language}`, ...block.text.split('\n'), '```']
    .map((line) => (line === '' ? '' : `   ${line}`))
    .join('\n');
}

function sourceText({ text, url }: RunbookSource): string {
  return url === null ? `- ${text}` : `- <${url}>`;
}

/** Placeholders of commands such as `<inside>` are no HTML. */
function escaped(text: string): string {
  return text.replaceAll(/[<>*_`]/gu, String.raw`\$&`);
}

function joined(blocks: readonly string[]): string {
  return `${blocks.join('\n\n')}\n`;
}
