import { createHash } from 'node:crypto';
import { headline } from '../checks/headline.ts';
import { shortImpact } from '../checks/verdict-words.ts';
import type { EpochMs } from '../core/clock.ts';
import { isoTime, type Zone } from '../core/time-text.ts';
import { type Markup, markup, toXml } from '../document/html.ts';
import { SEVERITY_WORDS } from '../document/states.ts';
import { firstOccurrence, type Incident, lastedText } from '../engine/incident/incident.ts';
import { capital, quotation } from '../engine/words.ts';

/** Feed readers poll regularly and keep the entries that they have received. */
const MOST_ENTRIES = 50;

interface Feed {
  readonly site: string;
  /** If null, links are relative to the feed's URL. */
  readonly publicUrl: string | null;
  readonly incidents: readonly Incident[];
  /** The feed's modification time if there are no incidents. */
  readonly startedAt: EpochMs;
  readonly zone: Zone;
}

/** Returns the most recently changed incidents as an Atom feed (RFC 4287). */
export function renderFeed({ site, publicUrl, incidents, startedAt, zone }: Feed): string {
  const base = publicUrl === null ? '' : `${publicUrl.replace(/\/+$/u, '')}/`;
  const entries = incidents
    .map((incident) => ({ incident, updated: updatedAt(incident) }))
    .toSorted((a, b) => b.updated - a.updated)
    .slice(0, MOST_ENTRIES);
  return toXml(markup`<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">
<id>${idOf(`feed ${site}`)}</id>
<title>FortiToken Mobile activation at ${site}: incidents</title>
<updated>${isoTime(entries[0]?.updated ?? startedAt)}</updated>
<author><name>ftm-watch ${site}</name></author>
<link rel="self" type="application/atom+xml" href="${base}incidents.atom"/>
<link rel="alternate" type="text/html" href="${base}incidents"/>
${entries.map(({ incident, updated }) => entryOf(incident, updated, { base, zone }))}</feed>
`);
}

function entryOf(
  incident: Incident,
  updated: EpochMs,
  { base, zone }: { readonly base: string; readonly zone: Zone },
): Markup {
  const { id, cause, since, closedAt } = incident;
  const page = `${base}incidents/${encodeURIComponent(id)}`;
  const [step] = cause.remedy;
  const started = zone.text(since);
  const what = `${shortImpact(cause)}. ${cause.summary}`;
  const told = closedAt === null ? what : `Reported: ${quotation(what)}`;
  const duration = closedAt === null ? `Since ${started}` : `Started ${started} and lasted ${lastedText(incident)}`;
  return markup`<entry>
<id>${idOf(`incident ${id}`)}</id>
<title>${stateWord(incident)}: ${capital(headline(cause))}</title>
<published>${isoTime(firstOccurrence(incident).openedAt)}</published>
<updated>${isoTime(updated)}</updated>
<category term="${cause.id}"/>
<link rel="alternate" type="text/html" href="${page}"/>
<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>${told}</p>
<p>${duration}.</p>
${step === undefined ? null : markup`<p>What to do first: ${step}</p>`}
<p><a href="${page}">The incident</a></p></div></content>
</entry>
`;
}

function stateWord({ status, cause }: Incident): string {
  return status === 'open' ? SEVERITY_WORDS[cause.severity] : 'Resolved';
}

/**
 * The time at which the incident last opened, changed its cause or ended. Other changes are ignored, because every
 * round updates some fields.
 */
function updatedAt({ openedAt, closedAt, formerCauses }: Incident): EpochMs {
  return Math.max(openedAt, closedAt ?? openedAt, ...formerCauses.map(({ replacedAt }) => replacedAt));
}

/** Derives a UUID (RFC 9562 §5.8) that does not depend on the page's URL, because the URL can change. */
function idOf(name: string): string {
  const hex = createHash('sha256').update(`ftm-watch ${name}`).digest('hex');
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) % 4) + 8).toString(16);
  const [time, node] = [`${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}`, hex.slice(20, 32)];
  return `urn:uuid:${time}-${variant}${hex.slice(17, 20)}-${node}`;
}
