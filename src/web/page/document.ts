import { type Content, type Markup, markup, toHtml } from './markup.ts';
import { SIGN_SHEET } from './signs.ts';

/** From the address of a page to the folder of the status page: a reverse proxy may have put it anywhere. */
export type Root = '' | '../' | '../../';

export interface PageDocument {
  readonly title: string;
  readonly site: string;
  readonly root: Root;
  /** Of the three icons, the one that tells the state. */
  readonly icon: 'ready' | 'not-ready' | 'unknown';
  /** In `static/`. */
  readonly scripts: readonly string[];
  /** More of the head. */
  readonly head?: Content;
  /** The attributes of `main`, written by `markup`. */
  readonly mainAttributes?: Content;
  readonly main: Markup;
}

/** The frame of every page. */
export function pageDocument(page: PageDocument): string {
  const { title, site, root, icon, scripts, head = null, mainAttributes = null, main } = page;
  return toHtml(markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} – ${site} – ftm-watch</title>
<link rel="icon" id="icon" href="${root}static/icon-${icon}.svg" type="image/svg+xml">
<link rel="stylesheet" href="${root}static/style.css">
${head}${scripts.map((name) => markup`<script type="module" src="${root}static/${name}"></script>\n`)}</head>
<body>${SIGN_SHEET}
<header class="bar"><a class="brand" href="${root === '' ? './' : root}">ftm-watch</a><p class="site">${site}</p>
<nav aria-label="Pages"><a href="${root}incidents">Incidents</a></nav><p id="live" role="status" hidden></p></header>
<main${mainAttributes}>${main}</main>
</body>
</html>
`);
}
