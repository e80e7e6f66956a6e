import {
  anchorOf,
  type Runbook,
  type RunbookBlock,
  type RunbookSource,
  type RunbookWord,
  type RunbookWords,
} from '../../checks/runbook.ts';
import { pageDocument, type Markup, markup } from './document.ts';
import { remedyView } from './causes-view.ts';

/** A runbook by itself: it needs no script, and changes nothing. */
export function renderRunbook({ title, intro, sections }: Runbook, site: string): string {
  return pageDocument({
    title,
    site,
    root: '../',
    icon: 'unknown',
    scripts: [],
    main: markup`<article class="card runbook"><h1>${title}</h1>
${intro.map(blockView)}
${sections.map((section) => markup`<h2 id="${anchorOf(section.title)}">${section.title}</h2>\n${section.blocks.map(blockView)}`)}</article>`,
  });
}

function blockView(block: RunbookBlock): Markup {
  switch (block.kind) {
    case 'text':
      return markup`<p>${wordsView(block.words)}</p>\n`;
    case 'list':
      return markup`<ol>${block.items.map((item) => markup`<li>${wordsView(item)}</li>`)}</ol>\n`;
    case 'steps':
      return markup`${remedyView(block.steps)}\n`;
    case 'sources':
      return markup`<ul>${block.sources.map((source) => markup`<li>${sourceView(source)}</li>`)}</ul>\n`;
  }
}

function wordsView(words: RunbookWords): readonly Markup[] {
  return words.map(wordView);
}

function wordView(word: RunbookWord): Markup {
  if (typeof word === 'string') return markup`${word}`;
  if ('code' in word) return markup`<code>${word.code}</code>`;
  if ('cause' in word) return markup`<a href="${word.cause}">${word.cause}</a>`;
  // The daemon does not serve the docs.
  return markup`<code>docs/${word.document}</code>`;
}

function sourceView({ text, url }: RunbookSource): Markup {
  return url === null ? markup`${text}` : markup`<a href="${url}" rel="noreferrer">${text}</a>`;
}
