import { STATUS_CODES } from 'node:http';
import type { MiddlewareHandler } from 'hono';
import { breakable, type Content, type Markup, markup, toHtml } from '../document/html.ts';
import { HTML, pageDocument, type Root } from './page/page-document.ts';
import type { WebEnv } from './sources.ts';

type Look = (title: string, content: Content, root: Root) => string;

/** For readers who are known. Otherwise, the name of the site and the style sheet are not for them. */
export function errorPages(site: () => string): MiddlewareHandler<WebEnv> {
  return showAsPage((title, content, root) =>
    pageDocument({
      title,
      site: site(),
      root,
      icon: 'unknown',
      scripts: [],
      main: markup`<section class="card stack" aria-labelledby="error">${content}</section>`,
    }),
  );
}

/** Nothing on the page asks for a login again. */
export const bareErrorPages: MiddlewareHandler<WebEnv> = showAsPage((title, content) =>
  toHtml(markup`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>${title} – ftm-watch</title></head>
<body><main>${content}</main></body></html>
`),
);

/** If a browser asks, an error is a page with a way back. Programs receive the text. */
function showAsPage(look: Look): MiddlewareHandler<WebEnv> {
  return async (context, next) => {
    await next();
    const { req, res } = context;
    const isText = res.headers.get('Content-Type')?.startsWith('text/plain') === true;
    if (res.status < 400 || !isText || req.header('Accept')?.includes('text/html') !== true) return;
    const title = STATUS_CODES[res.status] ?? 'Error';
    const root = rootFrom(req.path);
    const page = look(title, contentOf(title, await res.text(), root), root);
    // Other headers are kept.
    context.res = new Response(page, { status: res.status, headers: { 'Content-Type': HTML } });
    context.res.headers.append('Vary', 'Accept');
  };
}

function contentOf(title: string, text: string, root: Root): Markup {
  const lines = text.split('\n').filter((line) => line !== '');
  return markup`<h1 id="error">${title}</h1>
${lines.map((line) => markup`<p>${breakable(line)}</p>`)}
<p><a href="${root === '' ? './' : root}">Status page</a></p>`;
}

/** No page is deeper. */
const DEEPEST = 8;

function rootFrom(path: string): Root {
  const up = Math.min(path.split('/').length - 2, DEEPEST);
  return up < 1 ? '' : `../${'../'.repeat(up - 1)}`;
}
