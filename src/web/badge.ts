import type { Hono } from 'hono';
import { type VerdictLook, verdictAt } from '../checks/verdict-words.ts';
import type { Clock, EpochMs } from '../core/clock.ts';
import { visibleText } from '../core/visible-text.ts';
import { type Markup, markup, toXml } from '../document/html.ts';
import type { WebEnv, WebSources } from './sources.ts';

interface BadgeDeps {
  readonly sources: Pick<WebSources, 'site' | 'diagnosis' | 'knownFor'>;
  readonly clock: Pick<Clock, 'now'>;
}

/** The badge as an image, and as JSON for https://shields.io/badges/endpoint-badge. */
export function addBadgeRoutes(app: Hono<WebEnv>, { sources, clock }: BadgeDeps): void {
  app.get('/badge.json', (context) => {
    const { label, message, look } = badgeOf(sources, clock.now());
    return context.json({ schemaVersion: 1, label, message, color: LOOKS[look].name });
  });
  app.get('/badge.svg', (context) =>
    context.body(badgeImage(badgeOf(sources, clock.now())), 200, {
      'Content-Type': 'image/svg+xml; charset=utf-8',
      // Pages in the same domain, such as a wiki, can embed the badge. Other pages cannot, because the image's size
      // would reveal the state.
      'Cross-Origin-Resource-Policy': 'same-site',
    }),
  );
}

interface Badge {
  readonly label: string;
  readonly message: string;
  readonly look: VerdictLook;
}

/** Names from shields.io, and fill colours on which white text has a contrast of at least 4.5. */
const LOOKS: Readonly<Record<VerdictLook, { readonly name: string; readonly fill: string }>> = {
  ready: { name: 'brightgreen', fill: '#1a7f4b' },
  warning: { name: 'yellow', fill: '#8a6100' },
  'not-ready': { name: 'red', fill: '#b42318' },
  unknown: { name: 'lightgrey', fill: '#646b75' },
};

const MAX_SITE = 40;

function badgeOf(sources: BadgeDeps['sources'], now: EpochMs): Badge {
  const label = `FTM ${visibleText(sources.site(), MAX_SITE)}`;
  const { look } = verdictAt(now, sources.diagnosis(), sources.knownFor());
  return { label, message: look.replace('-', ' '), look };
}

const HEIGHT = 20;
const PADDING = 6;

/** The image has no style sheet, fonts or links, so it looks the same everywhere. */
function badgeImage({ label, message, look }: Badge): string {
  const left = 2 * PADDING + lengthOf(label);
  const right = 2 * PADDING + lengthOf(message);
  const width = left + right;
  const text = (words: string, from: number): Markup =>
    markup`<text x="${from + PADDING}" y="14" textLength="${lengthOf(words)}">${words}</text>`;
  const size = markup`width="${width}" height="${HEIGHT}"`;
  const title = `${label}: ${message}`;
  return toXml(markup`<svg xmlns="http://www.w3.org/2000/svg" ${size} viewBox="0 0 ${width} ${HEIGHT}"
 role="img" aria-label="${title}"><title>${title}</title>
<clipPath id="edge"><rect ${size} rx="3"/></clipPath>
<g clip-path="url(#edge)"><rect ${size} fill="#3d444d"/>
<rect x="${left}" width="${right}" height="${HEIGHT}" fill="${LOOKS[look].fill}"/></g>
<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">
${text(label, 0)}${text(message, left)}</g></svg>
`);
}

/** Estimated width in pixels. `textLength` fits the text to this width in any font. */
function lengthOf(text: string): number {
  let length = 0;
  for (const character of text) length += character < '\u0300' ? 6.5 : 12;
  return Math.round(length);
}
