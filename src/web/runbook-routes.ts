import { readFile } from 'node:fs/promises';
import type { Context, Hono } from 'hono';
import { headline } from '../checks/headline.ts';
import { isCauseId } from '../checks/registry.ts';
import { zoneOf } from '../core/time-text.ts';
import { breakable, type Markup, markup, ownHtml, subjectView } from '../document/html.ts';
import type { Incident } from '../engine/incident/incident.ts';
import { capital } from '../engine/words.ts';
import type { Web } from './access.ts';
import { pageDocument } from './page/page-document.ts';
import type { WebEnv, WebSources } from './sources.ts';

/** `npm run generate` writes these files. */
const PAGES: URL = new URL('./runbooks/', import.meta.url);
/** Pages that are not about a cause. */
const OTHERS: readonly string[] = ['alerts', 'procedures'];
const MOST_INCIDENTS = 5;

export function addRunbookRoutes(app: Hono<WebEnv>, { sources }: Web): void {
  app.get('/runbooks', async (context) =>
    context.html(
      pageDocument({
        title: 'Runbooks',
        site: sources.site(),
        root: '',
        icon: 'unknown',
        place: 'runbooks',
        scripts: [],
        main: await article('index'),
      }),
    ),
  );
  app.get('/runbooks/:cause', async (context) => {
    const name = context.req.param('cause');
    if (!isCauseId(name) && !OTHERS.includes(name)) return context.notFound();
    const incidents = incidentsView(incidentsOf(context, sources, name), sources);
    return context.html(
      pageDocument({
        title: `Runbook ${name}`,
        site: sources.site(),
        root: '../',
        icon: 'unknown',
        place: 'runbooks',
        scripts: ['runbooks.js'],
        main: markup`${incidents}${await article(name)}`,
      }),
    );
  });
}

async function article(name: string): Promise<Markup> {
  const text = await readFile(new URL(`${name}.html`, PAGES), 'utf8');
  return markup`<article class="card runbook">${ownHtml(text)}</article>`;
}

/** The incident from whose page the runbook was opened, otherwise the open incidents with this cause. */
function incidentsOf(context: Context<WebEnv>, sources: WebSources, cause: string): readonly Incident[] {
  const asked = sources.incidentRecord(context.req.query('incident') ?? '');
  if (asked !== null) return [asked.incident];
  return sources
    .alertHistory()
    .incidents.filter((incident) => incident.status === 'open' && incident.cause.id === cause)
    .slice(0, MOST_INCIDENTS);
}

function incidentsView(incidents: readonly Incident[], sources: WebSources): Markup | null {
  if (incidents.length === 0) return null;
  const zone = zoneOf(sources.timezone());
  const rows = incidents.map(({ id, cause, since }) => {
    const link = markup`<a href="../incidents/${encodeURIComponent(id)}">${breakable(capital(headline(cause)))}</a>`;
    return markup`<li>${link} ${subjectView(cause.subject)}, since ${zone.text(since)}</li>`;
  });
  return markup`<section class="card" aria-labelledby="incidents-title">
<h2 id="incidents-title">With your own values</h2>
<p>The commands are filled in on the page of the incident:</p>
<ul>${rows}</ul></section>`;
}
