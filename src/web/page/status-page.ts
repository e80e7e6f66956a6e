import { activationOutlook } from '../../checks/activation-steps.ts';
import { isAgentCause } from '../../checks/registry.ts';
import { unknownChecks, verdictAt } from '../../checks/verdict-words.ts';
import type { EpochMs, Millis } from '../../core/clock.ts';
import type { PeerObservation } from '../../core/round.ts';
import { spanText } from '../../core/time-text.ts';
import { counted } from '../../core/visible-text.ts';
import { isOutdated } from '../../engine/availability.ts';
import { type Incident, sameFault } from '../../engine/incident/incident.ts';
import { type Diagnosis, isFault } from '../../engine/model.ts';
import { breakable, type Content, type Markup, markup } from '../../document/html.ts';
import type { StaticFile } from '../static-files.ts';
import { type Activity, type ChartRange, type Health, USUAL_RANGE, type WebSources } from '../sources.ts';
import { causeCards } from './cause-cards.ts';
import { certificatesView } from './certificates-view.ts';
import { checklistView } from './checklist-view.ts';
import { badge, distance, livePage, moment, type Reader, readerAt, timeAndAge } from './page-document.ts';
import { pageFaults } from './faults.ts';
import { historyView } from './history-view.ts';
import { ninetyDays } from './ninety-days.ts';
import { openIncidentsView, quietNow, recentIncidentsView } from './incidents-view.ts';
import { notificationsView } from './notifications-view.ts';
import { routeMapOf, routeMapView } from './route-map.ts';
import { silencesView } from './silences-view.ts';
import { outdatedView, startingView, verdictView } from './verdict-view.ts';

interface Asked {
  readonly range: ChartRange;
  /** True if the reader may acknowledge and silence, under a name that is known. */
  readonly mayChange: boolean;
}

/** The page works without scripts, and updates itself if scripts are enabled. */
export function renderStatusPage(
  sources: WebSources,
  now: EpochMs,
  { range, mayChange }: Asked = { range: USUAL_RANGE, mayChange: false },
): StaticFile {
  const reader = readerAt(now, sources.timezone());
  const diagnosis = sources.diagnosis();
  const { look, text } = verdictAt(now, diagnosis, sources.knownFor());
  return livePage({
    title: text,
    site: sources.site(),
    root: '',
    icon: look,
    place: 'status',
    scripts: ['live.js', 'history.js'],
    head: markup`<noscript><meta http-equiv="refresh" content="30"></noscript>\n`,
    reader,
    main: mainView(sources, diagnosis, reader, { range, mayChange }),
  });
}

/** In order of importance: the state, the causes with their remedies, and the fault's location on the path. */
function mainView(
  sources: WebSources,
  diagnosis: Diagnosis | null,
  reader: Reader,
  { range, mayChange }: Asked,
): Markup {
  const { problems } = sources.health();
  const activity = sources.activity();
  const footer = activityView(activity, sources.version, reader);
  if (diagnosis === null) return markup`${startingView()}${ownTroubleView(problems, [])}\n${footer}`;
  const [history, quiet] = [sources.alertHistory(), quietNow(sources)];
  const faults = pageFaults(diagnosis.causes, history.incidents);
  const [own, others] = [true, false].map((isOwn) =>
    faults.filter(({ causes: [{ id }] }) => isAgentCause(id) === isOwn),
  );
  const outlook = activationOutlook(diagnosis);
  const days = ninetyDays(sources.lastDays());
  const isOld = isOutdated(reader.now, diagnosis.at, sources.knownFor());
  const unknown = isOld ? [] : unknownChecks(diagnosis);
  // Otherwise, what to do must be on the first screen of a phone.
  const isCalm = diagnosis.causes.length === 0 && unknown.length === 0;
  const unknownSince = unknown.length === 0 ? null : sources.unknownSince();
  const listed = (others ?? []).filter(({ causes: [{ severity }] }) => severity !== 'info');
  const [first, ...more] = listed;
  const told = isOld || first === undefined ? null : { fault: first, isOnly: more.length === 0 };
  const context = {
    outboxEntries: history.outboxEntries,
    quiet,
    states: activity.states,
    reader,
    mayChange,
    controlSocket: sources.controlSocket(),
    told,
  };
  const route = routeMapView(routeMapOf(diagnosis.preconditions), outlook, faults);
  const checklist = checklistView(diagnosis, { faults, unknown, reader });
  const { nextRound } = activity;
  const verdict = isOld
    ? outdatedView(diagnosis, nextRound, reader)
    : verdictView(diagnosis, { outlook, faults: listed, history, quiet, unknownSince, nextRound, reader });
  const result = markup`<div id="todo" class="stack todo">${causeCards(others ?? [], context)}${ownTroubleView(
    unreported(problems, diagnosis),
    causeCards(own ?? [], context),
  )}${openIncidentsView(withoutCard(history.incidents, diagnosis), context)}</div>
<div id="where" class="stack where">${unknown.length === 0 ? [route, checklist] : [checklist, route]}</div>
<aside id="side" class="stack side" aria-label="What happened">
${silencesView(quiet.silences, sources.maintenance(), reader)}
${notificationsView(history, activity, reader)}${certificatesView(sources.certificates(), reader)}
${recentIncidentsView(history, reader)}</aside>`;
  return markup`${verdict}${isCalm ? markup`<section id="calm" class="card">${days}</section>` : null}
${isOld ? outdatedResultView(result, diagnosis.at, reader) : markup`<div id="now" class="grid">${result}</div>`}
${historyView(sources.rangeData(range), reader, isCalm ? null : days)}
${footer}`;
}

function outdatedResultView(result: Markup, at: EpochMs, reader: Reader): Markup {
  return markup`<p>As of <strong>${moment(at, reader)}</strong>:</p>
<div id="now" class="grid old">${result}</div>`;
}

/** The daemon's own problems that no precondition reports. */
function unreported(problems: Health['problems'], { preconditions }: Diagnosis): Health['problems'] {
  const reported = preconditions.flatMap(({ findings }) => findings).filter(isFault);
  return problems.filter((problem) => reported.every(({ claim }) => claim !== problem));
}

function withoutCard(incidents: readonly Incident[], { causes }: Diagnosis): readonly Incident[] {
  return incidents.filter((incident) => causes.every((cause) => !sameFault(incident.cause, cause)));
}

/** A separate section, so that ftm-watch's own problems are not mistaken for problems with activation. */
function ownTroubleView(problems: Health['problems'], cards: readonly Markup[]): Markup | null {
  if (problems.length + cards.length === 0) return null;
  const list = markup`<ul id="own-problems">${problems.map((problem) => markup`<li>${breakable(problem)}</li>`)}</ul>`;
  return markup`<section id="own" class="own" aria-labelledby="own-title"><h2 id="own-title">ftm-watch itself</h2>
${problems.length === 0 ? null : list}${cards}</section>`;
}

function activityView(activity: Activity, version: string, reader: Reader): Markup {
  const { startedAt, lastRound, lastReload, storeWritable, notificationsPending: pending, log, peers } = activity;
  const facts: readonly Content[] = [
    lastRound === null ? 'No check yet' : `The last check took ${spanText(lastRound.durationMs)}`,
    log === null ? 'No log is received' : logText(log, reader),
    peers.length === 0 ? null : markup`Other installations of ftm-watch: ${peers.map((peer) => [peerView(peer), ' '])}`,
    storeWritable ? null : badge('bad', 'The store is not writable'),
    pending === 0 ? null : badge('warn', `${counted(pending, 'notification')} pending`),
    lastReload === null ? null : reloadText(lastReload, reader),
    markup`Running since ${timeAndAge(startedAt, reader)}`,
  ];
  return markup`<footer id="activity" class="activity"><p class="quiet">${facts
    .filter((fact) => fact !== null)
    .map((fact) => markup`<span>${fact}</span> `)}</p>
<p class="quiet"><span>ftm-watch ${version}</span> <a href="changes">Changes</a> <a href="api/v1">API</a>
<a href="metrics">Metrics</a></p></footer>`;
}

function peerView(peer: PeerObservation): Markup {
  if (peer.kind === 'failed') return badge('warn', `${peer.peer} cannot be read`);
  const faults = peer.causes.filter(({ severity }) => severity !== 'info').length;
  return faults === 0
    ? badge('good', `${peer.peer} reports no fault`)
    : badge('bad', `${peer.peer} reports ${counted(faults, 'fault')}`);
}

function reloadText({ at, taken }: NonNullable<Activity['lastReload']>, reader: Reader): Markup {
  return taken
    ? markup`Configuration reloaded ${moment(at, reader)}`
    : markup`${badge('bad', 'Configuration rejected')} ${moment(at, reader)}, the previous one is still active`;
}

const MINUTE: Millis = 60_000;

/** To the minute, because the page would otherwise have news with every line. `/metrics` counts the lines. */
function logText({ lastLineAt: at }: NonNullable<Activity['log']>, reader: Reader): Content {
  return at === null
    ? 'No log lines received'
    : markup`The last log line came ${distance(Math.floor(at / MINUTE) * MINUTE, reader)}`;
}
