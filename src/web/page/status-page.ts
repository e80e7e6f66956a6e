import { activationOutlook, type ActivationOutlook } from '../../checks/activation-steps.ts';
import type { EpochMs, Millis } from '../../core/clock.ts';
import { isOutdated, readinessAt } from '../../engine/availability.ts';
import { type Cause, type Diagnosis, type PreconditionStatus, type Finding, isFault } from '../../engine/model.ts';
import { type ChartRange, USUAL_RANGE, type Health, type WebSources, type Activity } from '../sources.ts';
import type { MaintenancePlan } from '../../notify/maintenance.ts';
import { clauseOf } from '../../engine/words.ts';
import type { StaticFile } from '../static-files.ts';
import { certificatesView, identityOf } from './certificates-view.ts';
import { historyView } from './history-view.ts';
import { ninetyDays } from './ninety-days.ts';
import { incidentsView, quietNow } from './incidents-view.ts';
import { livePage, sign, distance, timeAndDistance, type Reader, readerAt, badge, more } from './document.ts';
import { breakable, type Markup, markup, type Content, subjectView, partsOf } from '../../document/html.ts';
import {
  READINESS_TONES,
  READINESS_WORDS,
  STATE_TONES,
  STATE_WORDS,
  SEVERITY_TONES,
  SEVERITY_WORDS,
} from '../../document/states.ts';
import { evidenceSection, remedySection } from '../../document/incident-story.ts';
import { routeMapOf, routeMapView, outlookLine } from './route-map.ts';
import { notificationsView } from './notifications-view.ts';
import { counted } from '../../core/visible-text.ts';
import { spanText } from '../../core/time-text.ts';
import { isAgentCause, titleOf } from '../../checks/registry.ts';
import { type Incident, isPlanned, sameFault, type Silence } from '../../engine/incident/incident.ts';
import { headline, leftOutSentence } from '../../checks/headline.ts';

/** The page works without scripts, and updates itself if scripts are enabled. */
export function renderStatusPage(sources: WebSources, now: EpochMs, range: ChartRange = USUAL_RANGE): StaticFile {
  const reader = readerAt(now, sources.timezone());
  const diagnosis = sources.diagnosis();
  const ready = readinessAt(now, diagnosis, sources.knownFor());
  const word = diagnosis === null ? 'Starting' : READINESS_WORDS[ready];
  return livePage({
    title: word,
    site: sources.site(),
    root: '',
    icon: ready,
    scripts: ['live.js', 'history.js'],
    head: markup`<noscript><meta http-equiv="refresh" content="30"></noscript>\n`,
    reader,
    main: mainView(sources, diagnosis, { reader, range }),
  });
}

/** In order of importance: the state, the causes with their remedies, and the fault's location on the path. */
function mainView(
  sources: WebSources,
  diagnosis: Diagnosis | null,
  { reader, range }: { readonly reader: Reader; readonly range: ChartRange },
): Markup {
  const health = sources.health();
  if (diagnosis === null)
    return markup`${startingView()}${ownTroubleView(health.problems, [])}
${activityView(sources.activity(), sources.version, reader)}`;
  const outlook = activationOutlook(diagnosis);
  const days = ninetyDays(sources.lastDays());
  // Otherwise, the first step of the remedy must be on the first screen of a phone.
  const isCalm = diagnosis.causes.length === 0;
  const context = { incidents: sources.alertHistory().incidents, conclusion: conclusionOf(diagnosis).text };
  const [own, others] = [diagnosis.causes.filter(isOwn), diagnosis.causes.filter((cause) => !isOwn(cause))];
  const reported = diagnosis.preconditions.flatMap(({ findings }) => findings).filter(isFault);
  const problems = health.problems.filter((problem) => reported.every(({ claim }) => claim !== problem));
  return markup`${
    isOutdated(reader.now, diagnosis.at, sources.knownFor())
      ? outdatedView(diagnosis, reader)
      : verdictView(diagnosis, outlook, reader)
  }${isCalm ? markup`<section class="card">${days}</section>` : null}
${others.map((cause) => causeView(cause, context))}${ownTroubleView(
  problems,
  own.map((cause) => causeView(cause, context)),
)}
${routeMapView(routeMapOf(diagnosis.preconditions), outlook)}
${detailsView(sources, diagnosis, reader)}
${certificatesView(sources.certificates(), reader)}
${historyView(sources.rangeData(range), reader, isCalm ? null : days)}
${activityView(sources.activity(), sources.version, reader)}`;
}

function detailsView(sources: WebSources, { preconditions }: Diagnosis, reader: Reader): Markup {
  const [alertHistory, plan, silences] = [sources.alertHistory(), sources.maintenance(), sources.silences()];
  const { states, noChannel } = sources.activity();
  return markup`<div class="grid">${checklistView(preconditions, reader)}
<div class="narrow">${incidentsView(alertHistory, quietNow(sources), states, reader)}${silencesView(silences, plan, reader)}</div></div>
${notificationsView(alertHistory, { states, noChannel }, reader)}`;
}

function verdictView(diagnosis: Diagnosis, outlook: ActivationOutlook, reader: Reader): Markup {
  const tone = READINESS_TONES[diagnosis.ready];
  const conclusion = conclusionOf(diagnosis);
  return markup`<section class="verdict ${tone}" aria-labelledby="verdict"><span class="node">${sign(tone)}</span>
<div><h1 id="verdict">${headingOf(diagnosis)}</h1>
<p class="conclusion" data-kind="${conclusion.kind}">${breakable(conclusion.text)}</p>${outlookLine(outlook)}</div>
<p id="seen" class="quiet asof">Seen ${timeAndDistance(diagnosis.at, reader)}</p></section>`;
}

/** The last result is shown below, but nobody knows whether it still holds. */
function outdatedView({ at, ready }: Diagnosis, reader: Reader): Markup {
  return markup`<section class="verdict unsure" aria-labelledby="verdict"><span class="node">${sign('unsure')}</span>
<div><h1 id="verdict">Unknown</h1>
<p class="conclusion" data-kind="outdated">No check has finished since ${timeAndDistance(at, reader)}. Below: its result, “${READINESS_WORDS[ready]}”.</p></div></section>`;
}

function headingOf({ ready, causes: [first] }: Diagnosis): string {
  const word = READINESS_WORDS[ready];
  return ready === 'not-ready' && first !== undefined ? `${word}: ${clauseOf(first.impact)}` : word;
}

function startingView(): Markup {
  return markup`<section class="verdict unsure" aria-labelledby="verdict"><span class="node">${sign('unsure')}</span>
<div><h1 id="verdict">Starting</h1>
<p class="conclusion">The first round has not finished yet. A round takes up to 15 seconds.</p></div></section>`;
}

interface CausesContext {
  readonly incidents: readonly Incident[];
  readonly conclusion: string;
}

function causeView(cause: Cause, { incidents, conclusion }: CausesContext): Markup {
  const tone = SEVERITY_TONES[cause.severity];
  const id = `cause-${identityOf([cause.id, cause.subject])}`;
  const incident = incidents.find((one) => one.status === 'open' && sameFault(one.cause, cause));
  return markup`<article id="${id}" class="card cause ${tone}" aria-labelledby="${id}-title">
<header>${badge(tone, SEVERITY_WORDS[cause.severity])}${
    cause.confidence === 'suspected' ? markup`<span class="tag">suspected</span>` : null
  }<code class="tag">${cause.id}</code>${subjectView(cause.subject)}</header>
<h2 id="${id}-title">${breakable(headline(cause))}</h2>${cause.summary === conclusion ? null : markup`<p>${breakable(cause.summary)}</p>`}
<section><h3>What to do</h3>${partsOf(remedySection(cause))}</section>
<p class="impact"><strong>Impact</strong> ${breakable(cause.impact)}</p>
<p class="links">${
    incident === undefined
      ? null
      : markup`<a href="incidents/${encodeURIComponent(incident.id)}">Acknowledge, silence, timeline</a> `
  }<a href="runbooks/${cause.id}">Runbook</a></p>
<details id="${id}-evidence"><summary>Evidence</summary>${partsOf(evidenceSection(cause))}</details>
</article>`;
}

/** A separate section, so that ftm-watch's own problems are not mistaken for problems with activation. */
function ownTroubleView(problems: Health['problems'], causes: readonly Markup[]): Markup | null {
  if (problems.length + causes.length === 0) return null;
  const list = markup`<ul>${problems.map((problem) => markup`<li>${breakable(problem)}</li>`)}</ul>`;
  return markup`<section class="own" aria-labelledby="own-title"><h2 id="own-title">ftm-watch itself</h2>
${problems.length === 0 ? null : list}${causes}</section>`;
}

function isOwn({ id }: Cause): boolean {
  return isAgentCause(id);
}

function activityView(activity: Activity, version: string, reader: Reader): Markup {
  return markup`<footer id="activity" class="activity"><h2>What ftm-watch is doing</h2>
<dl>${item('Last round', lastRound(activity, reader))}${item('Next round', nextRound(activity, reader))}${item(
    'Configuration',
    lastReload(activity, reader),
  )}
${item('Store', activity.storeWritable ? badge('good', 'Writable') : badge('bad', 'Not writable'))}
${item('Notifications', activity.notificationsPending === 0 ? 'None pending' : badge('warn', `${String(activity.notificationsPending)} pending`))}
${item('Log lines', logLines(activity, reader))}${item('Running', markup`since ${distance(activity.startedAt, reader)}`)}</dl>
<p class="quiet">ftm-watch ${version} · <a href="changes">changes</a> · <a href="api/v1/status">status</a> · <a href="api/v1/incidents">incidents</a> ·
<a href="api/v1/notifications">notifications</a> as JSON · <a href="metrics">metrics</a></p></footer>`;
}

function item(name: string, content: Content): Markup {
  return markup`<div><dt>${name}</dt><dd>${content}</dd></div>`;
}

function lastRound({ lastRound: last }: Activity, reader: Reader): Content {
  return last === null ? 'None yet' : markup`${distance(last.at, reader)}, took ${spanText(last.durationMs)}`;
}

function nextRound({ nextRound: next }: Activity, reader: Reader): Content {
  return next === null ? 'None planned' : markup`due ${distance(next, reader)}`;
}

function lastReload({ lastReload: last }: Activity, reader: Reader): Content {
  if (last === null) return 'Not reloaded since startup';
  return last.taken
    ? markup`${badge('good', 'Reloaded')} ${distance(last.at, reader)}`
    : markup`${badge('bad', 'Rejected')} ${distance(last.at, reader)}, the previous one is still active`;
}

function logLines({ logLines: lines }: Activity, reader: Reader): Content {
  if (lines === null) return 'Not received';
  return lines.lastAt === null
    ? 'None received'
    : markup`${lines.received}, the last one ${distance(lines.lastAt, reader)}`;
}

interface PageConclusion {
  /** `cause`: the text is the summary of the most severe cause. */
  readonly kind: 'ready' | 'warnings' | 'cause' | 'no-cause' | 'unknown';
  readonly text: string;
}

/** The state of activation in one or two sentences. */
export function conclusionOf(diagnosis: Diagnosis): PageConclusion {
  const { ready, causes, preconditions } = diagnosis;
  const [worst] = causes;
  switch (ready) {
    case 'not-ready':
      return worst === undefined
        ? { kind: 'no-cause', text: 'FortiToken Mobile activation does not work.' }
        : { kind: 'cause', text: worst.summary };
    case 'unknown': {
      const unknown = preconditions.filter(({ state }) => state === 'unknown').length;
      const many = unknown === 1 ? '1 precondition is' : `${String(unknown)} preconditions are`;
      return {
        kind: 'unknown',
        text: `Some checks could not be evaluated: ${many} unknown. No faults are known.`,
      };
    }
    case 'ready': {
      const warnings = causes.filter((cause) => cause.severity === 'warning' && !isOwn(cause)).length;
      const leftOut = leftOutSentence(diagnosis);
      const all = `All configured checks pass.${leftOut && ` ${leftOut}`}`;
      if (warnings === 0) return { kind: 'ready', text: all };
      const many = warnings === 1 ? 'One warning needs' : `${String(warnings)} warnings need`;
      return { kind: 'warnings', text: `${all} ${many} attention.` };
    }
  }
}

const MAX_FINDINGS = 20;

function checklistView(preconditions: readonly PreconditionStatus[], reader: Reader): Markup {
  return markup`<section class="card" aria-labelledby="checklist-title">
<h2 id="checklist-title">Preconditions</h2>
<ul class="checklist">${preconditions.map((status) => itemView(status, reader))}</ul>
</section>`;
}

function itemView({ id, state, summary, findings }: PreconditionStatus, reader: Reader): Markup {
  const notes = findings.filter(({ level }) => level === 'note');
  const faults = findings.filter(({ level }) => level !== 'note');
  return markup`<li id="${id}" class="${STATE_TONES[state]}">
<span class="name">${titleOf(id)}</span>${badge(STATE_TONES[state], STATE_WORDS[state])}
<div class="said"><p>${breakable(summary)}</p>${notes
    .slice(0, MAX_FINDINGS)
    .map(
      (note) => markup`<p class="quiet">${breakable(`${note.subject}: ${note.claim}`)}</p>`,
    )}${faultsView(id, faults, reader)}</div>
</li>`;
}

function faultsView(id: string, faults: readonly Finding[], reader: Reader): Markup | null {
  if (faults.length === 0) return null;
  return markup`<details id="${id}-findings"><summary>${counted(faults.length, 'finding')}</summary>
<ul class="findings">${faults
    .slice(0, MAX_FINDINGS)
    .map((finding) => findingView(finding, reader))}</ul>${more(faults.length - MAX_FINDINGS, 'status')}</details>`;
}

function findingView(finding: Finding, { zone }: Reader): Markup {
  const { rule, subject, claim, expected, actual, quote, fullNames = [], facts, at } = finding;
  const rows: readonly (readonly [title: string, text: string | undefined])[] = [
    ['Expected', expected],
    ['Seen', actual],
    ['Full names', fullNames.length === 0 ? undefined : fullNames.join('; ')],
    ['Verbatim', quote !== undefined && actual?.includes(quote) !== true ? quote : undefined],
    ['Address', facts?.address],
    ['Last seen', at === undefined ? undefined : zone.text(at)],
  ];
  return markup`<li><p>${subjectView(subject)} <code class="quiet">${rule}</code></p>
<p>${breakable(claim)}</p>
<dl>${rows.map(([title, text]) =>
    text === undefined ? null : markup`<div><dt>${title}</dt><dd>${breakable(text)}</dd></div>`,
  )}</dl></li>`;
}

const MAX_SHOWN = 10;
/** An active silence that ends soon is highlighted, so that people who rely on it can extend it. */
const SOON: Millis = 30 * 60_000;

/** Null if no notifications are held back and neither a silence nor maintenance is planned. */
function silencesView(all: readonly Silence[], { until, next }: MaintenancePlan, reader: Reader): Markup | null {
  const lasting = all.filter((silence) => silence.until > reader.now).toSorted((a, b) => a.until - b.until);
  if (lasting.length === 0 && until === null && next === null) return null;
  return markup`<section id="silences" class="card" aria-labelledby="silences-title">
<h2 id="silences-title">Silences <span class="count">${lasting.length}</span></h2>
${until === null ? null : markup`<p>${badge('wait', 'Maintenance')} Notifications are held back. Maintenance ends ${timeAndDistance(until, reader)}</p>`}
${
  lasting.length === 0
    ? null
    : markup`<ul class="incidents">${lasting.slice(0, MAX_SHOWN).map((silence) => silenceView(silence, reader))}</ul>`
}
${more(lasting.length - MAX_SHOWN, 'silences')}
${
  next === null
    ? null
    : markup`<p class="quiet">Next maintenance ${timeAndDistance(next.from, reader)}, for ${spanText(
        next.until - next.from,
      )}</p>`
}
</section>`;
}

function silenceView(silence: Silence, reader: Reader): Markup {
  const { id, cause, subject, from, until, by, comment } = silence;
  const planned = isPlanned(silence, reader.now);
  return markup`<li id="lasting-${id}"><p>${silenceBadge(silence, reader)} ${
    cause === null ? 'All causes' : markup`<code class="tag">${cause}</code>`
  }${subject === null ? null : [' ', subjectView(subject)]}</p>
<p>${comment}</p><p class="quiet">By ${by}; ${planned ? markup`begins ${timeAndDistance(from, reader)}, ` : null}ends ${timeAndDistance(until, reader)}</p>
<code class="command block" data-copy><span class="line">ftm-watch silence remove ${id}</span></code></li>`;
}

function silenceBadge(silence: Silence, { now }: Reader): Markup {
  if (isPlanned(silence, now)) return badge('wait', 'Planned');
  return silence.until - now < SOON ? badge('warn', 'Ends soon') : badge('wait', 'Silenced');
}
