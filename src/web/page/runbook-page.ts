import type { Runbook, RunbookBlock, RunbookSource } from '../../checks/runbook.ts';
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
${sections.map((section) => markup`<h2>${section.title}</h2>\n${section.blocks.map(blockView)}`)}</article>`,
  });
}

function blockView(block: RunbookBlock): Markup {
  switch (block.kind) {
    case 'text':
      return markup`<p>${block.words.map((word) => (typeof word === 'string' ? word : markup`<code>${word.code}</code>`))}</p>\n`;
    case 'steps':
      return markup`${remedyView(block.steps)}\n`;
    case 'sources':
      return markup`<ul>${block.sources.map((source) => markup`<li>${sourceView(source)}</li>`)}</ul>\n`;
  }
}

function sourceView({ text, url }: RunbookSource): Markup {
  return url === null ? markup`${text}` : markup`<a href="${url}" rel="noreferrer">${text}</a>`;
}
