import type { Activity } from '../sources.ts';
import { type Content, type Markup, markup } from './markup.ts';
import { badge } from './signs.ts';
import { distance, durationText, type Reader } from './time-text.ts';

/** What the daemon itself is doing. */
export function activityView(activity: Activity, version: string, reader: Reader): Markup {
  return markup`<footer id="activity" class="activity"><h2>What ftm-watch is doing</h2>
<dl>${item('Last round', lastRound(activity, reader))}${item('Next round', nextRound(activity, reader))}${item(
    'Configuration',
    lastReload(activity, reader),
  )}
${item('Store', activity.storeWritable ? badge('good', 'Writable') : badge('bad', 'Cannot be written'))}
${item('Notifications', activity.notificationsPending === 0 ? 'None pending' : badge('warn', `${String(activity.notificationsPending)} pending`))}
${item('Log lines', logLines(activity, reader))}${item('Running', markup`since ${distance(activity.startedAt, reader)}`)}</dl>
<p class="quiet">ftm-watch ${version} · <a href="changes">who changed what</a> · <a href="api/v1/status">status</a> · <a href="api/v1/incidents">incidents</a> ·
<a href="api/v1/notifications">notifications</a> as JSON · <a href="metrics">metrics</a></p></footer>`;
}

function item(name: string, content: Content): Markup {
  return markup`<div><dt>${name}</dt><dd>${content}</dd></div>`;
}

function lastRound({ lastRound: last }: Activity, reader: Reader): Content {
  return last === null ? 'None yet' : markup`${distance(last.at, reader)}, took ${durationText(last.durationMs)}`;
}

function nextRound({ nextRound: next }: Activity, reader: Reader): Content {
  return next === null ? 'None planned' : markup`due ${distance(next, reader)}`;
}

function lastReload({ lastReload: last }: Activity, reader: Reader): Content {
  if (last === null) return 'As at the start';
  return last.taken
    ? markup`${badge('good', 'Taken')} ${distance(last.at, reader)}`
    : markup`${badge('bad', 'Refused')} ${distance(last.at, reader)}, the old one stays`;
}

function logLines({ logLines: lines }: Activity, reader: Reader): Content {
  if (lines === null) return 'Not listened for';
  return lines.lastAt === null
    ? 'None received'
    : markup`${lines.received}, the last ${distance(lines.lastAt, reader)}`;
}
