import type { Runbook, RunbookBlock, RunbookSource } from '../../checks/runbook.ts';
import { type Markup, markup, toHtml } from './markup.ts';

/** A runbook by itself: it needs no script, and changes nothing. */
export function renderRunbook({ title, intro, sections }: Runbook, site: string): string {
  return toHtml(markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} – ${site} – ftm-watch</title>
<link rel="icon" href="../static/icon-unknown.svg" type="image/svg+xml">
<link rel="stylesheet" href="../static/style.css">
</head>
<body>
<header class="bar"><p class="brand"><a href="../">ftm-watch</a></p><p class="site">${site}</p></header>
<main><h1>${title}</h1>
${intro.map(blockView)}
${sections.map((section) => markup`<h2>${section.title}</h2>\n${section.blocks.map(blockView)}`)}</main>
</body>
</html>
`);
}

function blockView(block: RunbookBlock): Markup {
  switch (block.kind) {
    case 'text':
      return markup`<p>${block.words.map((word) => (typeof word === 'string' ? word : markup`<code>${word.code}</code>`))}</p>\n`;
    case 'steps':
      return markup`<ol class="remedy">${block.steps.map((step) => markup`<li>${step}</li>`)}</ol>\n`;
    case 'sources':
      return markup`<ul>${block.sources.map((source) => markup`<li>${sourceView(source)}</li>`)}</ul>\n`;
  }
}

function sourceView({ text, url }: RunbookSource): Markup {
  return url === null ? markup`${text}` : markup`<a href="${url}" rel="noreferrer">${text}</a>`;
}
