import type { EpochMs } from '../../core/clock.ts';
import { isoTime, utcText, type Zone, zoneOf } from '../../core/time-text.ts';
import { type StaticFile, taggedFile } from '../static-files.ts';
import type { TimeStyle, Tone } from '../../document/document.ts';
import { type Content, type Markup, markup, toHtml } from '../../document/html.ts';

/** The path to the status page is relative, because a reverse proxy can serve the pages under any path. */
export type Root = '' | `../${string}`;

interface PageDocument {
  readonly title: string;
  readonly site: string;
  readonly root: Root;
  readonly icon: 'ready' | 'warning' | 'not-ready' | 'unknown';
  /** The entry of the navigation that is marked. */
  readonly place?: keyof typeof PLACES;
  readonly scripts: readonly string[];
  readonly head?: Content;
  /** For pages that show distances. */
  readonly reader?: Reader;
  readonly main: Markup;
}

export function pageDocument(page: PageDocument): string {
  return toHtml(documentView(page, page.reader === undefined ? null : markup` data-now="${page.reader.now}"`));
}

/** A page that asks for news. Its tag covers everything except the time at which the page is created. */
export function livePage(page: PageDocument & { readonly reader: Reader }): StaticFile {
  const { etag } = taggedFile(toHtml(documentView(page, null)), HTML);
  const body = toHtml(documentView(page, markup` data-now="${page.reader.now}" data-tag="${etag}"`));
  return { contentType: HTML, body, etag };
}

export const HTML = 'text/html; charset=UTF-8';

function documentView(page: PageDocument, mainAttributes: Content): Markup {
  const { title, site, root, icon, place, scripts, head = null, reader, main } = page;
  const home = root === '' ? './' : root;
  return markup`<!doctype html>
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
<header class="bar"><a class="brand" href="${home}">ftm-watch</a><p class="site">${site}</p>
<nav aria-label="Pages">${Object.entries(PLACES).map(([id, { path, name }]) => {
    const current = id === place ? markup` aria-current="page"` : null;
    return markup`<a href="${path === '' ? home : `${root}${path}`}"${current}>${name}</a> `;
  })}</nav>${
    reader === undefined ? null : markup`<p class="quiet">Times: ${reader.zone.name}</p>`
  }<p id="live" role="status" hidden></p></header>
<p id="lost" role="status" hidden></p>
<main data-timezone="${reader?.zone.name ?? 'UTC'}"${mainAttributes}>${main}</main>
</body>
</html>
`;
}

const PLACES = {
  status: { path: '', name: 'Status' },
  incidents: { path: 'incidents', name: 'Incidents' },
  runbooks: { path: 'runbooks', name: 'Runbooks' },
} as const;

/** Screen readers skip the icon, because the word next to it has the same meaning. */
export function sign(tone: Tone): Markup {
  return markup`<svg class="sign ${tone}" aria-hidden="true" viewBox="0 0 16 16"><use href="#sign-${tone}"/></svg>`;
}

export function badge(tone: Tone, word: Content): Markup {
  // Several parts must stay one text beside the sign.
  const text = typeof word === 'string' ? word : markup`<span>${word}</span>`;
  return markup`<span class="badge ${tone}">${sign(tone)}${text}</span>`;
}

/** A command in one line, with a button that copies it. */
export function commandView(line: string): Markup {
  return markup`<code class="command block" data-copy><span class="line">${line}</span></code>`;
}

/** Each page must include these definitions once. */
const SIGN_SHEET: Markup = markup`<svg class="sheet" aria-hidden="true" width="0" height="0"><defs>
<symbol id="sign-good" viewBox="0 0 16 16"><path d="M3.5 8.5l3 3 6-7"/></symbol>
<symbol id="sign-warn" viewBox="0 0 16 16"><path d="M8 3.2v5.8M8 12.4v.2"/></symbol>
<symbol id="sign-bad" viewBox="0 0 16 16"><path d="M4 4l8 8M12 4l-8 8"/></symbol>
<symbol id="sign-wait" viewBox="0 0 16 16"><path d="M5.5 4v8M10.5 4v8"/></symbol>
<symbol id="sign-unsure" viewBox="0 0 16 16">
<path d="M5.4 5.8a2.6 2.6 0 1 1 3.9 2.4c-.9.5-1.3 1-1.3 1.9M8 12.8v.2"/></symbol>
<symbol id="sign-none" viewBox="0 0 16 16"><path d="M4.5 8h7"/></symbol>
<symbol id="sign-info" viewBox="0 0 16 16"><path d="M8 7v5.4M8 3.6v.2"/></symbol>
</defs></svg>`;

/** Links to the full list if entries are omitted. */
export function more(count: number, what: 'incidents' | 'notifications' | 'silences' | 'status'): Markup | null {
  return count > 0 ? markup`<p class="quiet">and ${count} more: <a href="api/v1/${what}">as JSON</a></p>` : null;
}

/** The time at which the page is created and the time zone in which it shows times. */
export interface Reader {
  readonly now: EpochMs;
  readonly zone: Zone;
  readonly times: TimeStyle;
}

export function readerAt(now: EpochMs, timezone: string): Reader {
  const zone = zoneOf(timezone);
  return { now, zone, times: (at) => zone.short(at, now) };
}

/** A script replaces the time with its distance, such as `5 min ago`. */
export function distance(at: EpochMs, reader: Reader): Markup {
  return timeView(at, reader, markup` data-distance`);
}

/** A script adds the distance to the time. */
export function timeAndDistance(at: EpochMs, reader: Reader): Markup {
  return timeView(at, reader, markup` data-distance="added"`);
}

/** A script adds how long ago it was, such as `13:00:05 (5 min)`. */
export function timeAndAge(at: EpochMs, reader: Reader): Markup {
  return timeView(at, reader, markup` data-distance="age"`);
}

/** The time of day, or the day and the time if it is another day. */
export function moment(at: EpochMs, reader: Reader): Markup {
  return timeView(at, reader, null);
}

function timeView(at: EpochMs, { times }: Reader, attribute: Content): Markup {
  return markup`<time datetime="${isoTime(at)}" title="${utcText(at)}"${attribute}>${times(at)}</time>`;
}
