import { activationOutlook, type ActivationOutlook } from '../../checks/activation-steps.ts';
import type { EpochMs } from '../../core/clock.ts';
import type { Diagnosis } from '../../engine/diagnosis.ts';
import { type ChartRange, USUAL_RANGE } from '../chart-data.ts';
import type { Health, WebSources } from '../sources.ts';
import { activityView } from './activity-view.ts';
import { causesView } from './causes-view.ts';
import { certificatesView } from './certificates-view.ts';
import { checklistView } from './checklist-view.ts';
import { conclusionOf } from './conclusion.ts';
import { historyView } from './history-view.ts';
import { incidentsView } from './incidents-view.ts';
import { pageDocument } from './document.ts';
import { breakable, type Markup, markup } from './markup.ts';
import { routeMapOf } from './route-map.ts';
import { routeMapView } from './route-map-view.ts';
import { notificationsView } from './notifications-view.ts';
import { silencesView } from './silences-view.ts';
import { READINESS_TONES, READINESS_WORDS, sign } from './signs.ts';
import { outlookLine } from './steps-view.ts';
import { distance, type Reader, readerAt } from './time-text.ts';

type PageSources = Pick<
  WebSources,
  | 'activity'
  | 'alertHistory'
  | 'certificates'
  | 'diagnosis'
  | 'health'
  | 'maintenance'
  | 'rangeData'
  | 'silences'
  | 'site'
  | 'timezone'
  | 'version'
>;

/** The whole page. It needs no script; with one it keeps itself up to date. */
export function renderStatusPage(sources: PageSources, now: EpochMs, range: ChartRange = USUAL_RANGE): string {
  const reader = readerAt(now, sources.timezone());
  const diagnosis = sources.diagnosis();
  const ready = diagnosis?.ready ?? 'unknown';
  const word = diagnosis === null ? 'Starting' : READINESS_WORDS[ready];
  return pageDocument({
    title: word,
    site: sources.site(),
    root: '',
    icon: ready,
    scripts: ['live.js', 'history.js'],
    head: markup`<noscript><meta http-equiv="refresh" content="30"></noscript>\n`,
    mainAttributes: markup` data-now="${now}" data-seen="${diagnosis?.at ?? 0}" data-word="${word}"`,
    main: mainView(sources, diagnosis, { reader, range }),
  });
}

/** What a person needs first stands first, on every screen: the state, its causes, what to do; then where it is. */
function mainView(
  sources: PageSources,
  diagnosis: Diagnosis | null,
  { reader, range }: { readonly reader: Reader; readonly range: ChartRange },
): Markup {
  const own = ownTroubleView(sources.health());
  if (diagnosis === null)
    return markup`${startingView()}${own}${activityView(sources.activity(), sources.version, reader)}`;
  const { incidents } = sources.alertHistory();
  const outlook = activationOutlook(diagnosis);
  return markup`${verdictView(diagnosis, outlook, reader)}
${causesView(diagnosis.causes, { incidents, conclusion: conclusionOf(diagnosis) })}${own}
${routeMapView(routeMapOf(diagnosis.preconditions), outlook)}
${detailsView(sources, diagnosis, reader)}
${certificatesView(sources.certificates(), reader)}
${historyView(sources.rangeData(range), reader)}
${activityView(sources.activity(), sources.version, reader)}`;
}

function detailsView(sources: PageSources, { preconditions }: Diagnosis, reader: Reader): Markup {
  const [alertHistory, plan, silences] = [sources.alertHistory(), sources.maintenance(), sources.silences()];
  const { states, noChannel } = sources.activity();
  const quiet = { maintenance: plan.until !== null, silences };
  return markup`<div class="grid">${checklistView(preconditions, reader)}
<div class="narrow">${incidentsView(alertHistory, quiet, states, reader)}${silencesView(silences, plan, reader)}</div></div>
${notificationsView(alertHistory, { states, noChannel }, reader)}`;
}

function verdictView(diagnosis: Diagnosis, outlook: ActivationOutlook, reader: Reader): Markup {
  const tone = READINESS_TONES[diagnosis.ready];
  return markup`<section class="verdict ${tone}" aria-labelledby="verdict"><span class="node">${sign(tone)}</span>
<div><h1 id="verdict">${READINESS_WORDS[diagnosis.ready]}</h1><p class="conclusion">${breakable(conclusionOf(diagnosis))}</p>${outlookLine(outlook)}</div>
<p class="quiet asof">Seen ${distance(diagnosis.at, reader)}<br>${reader.zone.text(diagnosis.at)}</p></section>`;
}

function startingView(): Markup {
  return markup`<section class="verdict unsure" aria-labelledby="verdict"><span class="node">${sign('unsure')}</span>
<div><h1 id="verdict">Starting</h1>
<p class="conclusion">The first round is not finished yet: it takes up to 15 seconds.</p></div></section>`;
}

/** Trouble of our own never looks like the target's: it has a place of its own. */
function ownTroubleView({ problems }: Health): Markup | null {
  if (problems.length === 0) return null;
  return markup`<section class="own" aria-labelledby="own-title"><h2 id="own-title">ftm-watch itself</h2>
<ul>${problems.map((problem) => markup`<li>${breakable(problem)}</li>`)}</ul></section>`;
}
