import type { Millis } from '../../core/clock.ts';
import { spanText } from '../../core/time-text.ts';
import type { Tone } from '../../document/document.ts';
import { counted } from '../../core/visible-text.ts';
import { type Markup, markup } from '../../document/html.ts';
import { type AvailabilityDay, availabilityShare } from '../../engine/availability.ts';
import { sign } from './page-document.ts';
import { shareText } from './history-view.ts';

/** A shorter gap, for example during an update, is not worth a look. */
const NOTABLE_GAP: Millis = 3_600_000;

interface Day {
  readonly tone: Tone;
  readonly words: string;
  readonly date: string;
  readonly href: string;
}

/** The cells are for the eye and the mouse. The list below has the same links for everybody. */
export function ninetyDays(days: readonly AvailabilityDay[]): Markup {
  const shown = days.map(dayOf);
  const isWatched = shown.some(({ tone }) => tone !== 'none');
  return markup`<section id="ninety-days" aria-labelledby="ninety-days-title">
<h2 id="ninety-days-title">Last 90 days</h2>
${isWatched ? stripView(days, shown) : markup`<p class="quiet">No history yet</p>`}</section>`;
}

const KEY: readonly (readonly [tone: Day['tone'], word: string])[] = [
  ['good', 'works'],
  ['warn', 'warning'],
  ['bad', 'outage'],
  ['unsure', 'unknown'],
  ['none', 'not watched'],
];

function stripView(days: readonly AvailabilityDay[], shown: readonly Day[]): Markup {
  const notable = shown.filter(({ tone }) => tone !== 'good' && tone !== 'none').toReversed();
  const cells = shown.map((day, index) => cellView(day, index > 0 && day.date.startsWith('1 ')));
  const key = KEY.map(([tone, word]) => markup`<li><i class="${tone}"></i>${word}</li>`);
  return markup`<div class="days" aria-hidden="true">${cells}</div>
<div class="scale quiet"><span>${shown[0]?.date ?? null}</span>
<ul class="key" aria-label="Key">${key}</ul><span>today</span></div>
${
  notable.length === 0
    ? markup`<p>${summaryOf(days, shown)}</p>`
    : markup`<details id="notable-days"><summary>${summaryOf(days, shown)}</summary><ul class="notable">${notable.map(
        ({ tone, words, date, href }) => markup`<li>${sign(tone)} <a href="${href}">${date}: ${words}</a></li>`,
      )}</ul></details>`
}`;
}

function cellView({ tone, words, date, href }: Day, isMonth: boolean): Markup {
  const month = isMonth ? markup` data-month="${date.slice(2)}"` : null;
  return markup`<a class="${tone}" href="${href}" title="${date}: ${words}" tabindex="-1"${month}></a>`;
}

function dayOf({ name, ready, notReady, unknown, hasWarning }: AvailabilityDay): Day {
  const date = DATE.format(Date.parse(name));
  const href = `incidents?from=${name}&until=${name}`;
  if (notReady > 0) return { tone: 'bad', words: `outage, ${spanText(notReady)}`, date, href };
  if (ready === 0) return { tone: 'none', words: 'not watched', date, href };
  if (unknown >= NOTABLE_GAP) return { tone: 'unsure', words: `unknown for ${spanText(unknown)}`, date, href };
  return hasWarning
    ? { tone: 'warn', words: 'works, with a warning', date, href }
    : { tone: 'good', words: 'works', date, href };
}

const DATE = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });

function summaryOf(days: readonly AvailabilityDay[], shown: readonly Day[]): string {
  const ready = days.reduce((sum, day) => sum + day.ready, 0);
  const notReady = days.reduce((sum, day) => sum + day.notReady, 0);
  const share = availabilityShare({ ready, notReady });
  const outages = shown.filter(({ tone }) => tone === 'bad').length;
  const warned = days.filter(({ hasWarning }) => hasWarning).length;
  const unknown = shown.filter(({ tone }) => tone === 'unsure').length;
  const parts = [
    share === null ? null : `${shareText(share * 100)} available`,
    outages === 0 ? null : `${counted(outages, 'day')} with an outage`,
    warned === 0 ? null : `${counted(warned, 'day')} with a warning`,
    unknown === 0 ? null : `${counted(unknown, 'day')} unknown for a time`,
  ];
  return parts.filter((part) => part !== null).join(' · ');
}
