import type { ActivationOutlook } from '../../checks/activation-steps.ts';
import { STEPS } from '../../checks/check.ts';
import { leftOutSentence } from '../../checks/headline.ts';
import { isAgentCause, titleOf } from '../../checks/registry.ts';
import { groupHeadline, restOfImpact, shortImpact, unknownChecks, verdictWords } from '../../checks/verdict-words.ts';
import type { EpochMs } from '../../core/clock.ts';
import { counted } from '../../core/visible-text.ts';
import { breakable, type Content, type Markup, markup } from '../../document/html.ts';
import { VERDICT_TONES } from '../../document/states.ts';
import { lastedText } from '../../engine/incident/incident.ts';
import type { Diagnosis } from '../../engine/model.ts';
import type { AlertHistory, WebSources } from '../sources.ts';
import { commandView, distance, moment, type Reader, sign, timeAndAge, timeAndDistance } from './page-document.ts';
import {
  type Fault,
  hasOwner,
  heldView,
  linkTo,
  maintenanceView,
  ownerView,
  silenceView,
  sinceView,
} from './faults.ts';
import type { Quiet } from './incidents-view.ts';

interface VerdictContext {
  readonly outlook: ActivationOutlook;
  readonly faults: readonly Fault[];
  readonly history: AlertHistory;
  /** Since when the state is unknown. */
  readonly unknownSince: EpochMs | null;
  readonly quiet: Quiet;
  readonly nextRound: ReturnType<WebSources['activity']>['nextRound'];
  readonly reader: Reader;
}

/** Says once whether activation works, since when, why, what it means and who is on it. */
export function verdictView(diagnosis: Diagnosis, context: VerdictContext): Markup {
  const { outlook, nextRound, reader } = context;
  const { look, text } = verdictWords(diagnosis);
  const note = noteOf(diagnosis);
  const checked = markup`Checked ${timeAndDistance(diagnosis.at, reader)}`;
  const next = nextRound === null ? null : markup`, next due ${distance(nextRound, reader)}`;
  const tone = VERDICT_TONES[look];
  return markup`<section id="state" class="card verdict ${tone}" aria-labelledby="verdict">
<span class="node">${sign(tone)}</span>
<div class="head"><h1 id="verdict">${text}</h1>${sinceLine(diagnosis, context)}${maintenanceLine(context)}</div>
<div class="rest">${note === '' ? null : markup`<p>${note}</p>`}${unknownView(diagnosis, context)}
${answersView(diagnosis, context)}
<p class="outlook"><a href="#steps">${outlookText(outlook)}</a></p></div>
<p class="quiet asof"><span id="seen">${checked}</span><span id="next">${next}</span></p></section>`;
}

export function startingView(): Markup {
  return markup`<section id="state" class="card verdict unsure" aria-labelledby="verdict">
<span class="node">${sign('unsure')}</span>
<div class="head"><h1 id="verdict">Starting</h1></div>
<div class="rest"><p>The first check has not finished yet. A check takes up to 15 seconds.</p></div></section>`;
}

/** The last result is shown below, but it is unknown whether it still holds. */
export function outdatedView(diagnosis: Diagnosis, nextRound: EpochMs | null, reader: Reader): Markup {
  const isPlanned = nextRound !== null && nextRound > reader.now;
  return markup`<section id="state" class="card verdict unsure" aria-labelledby="verdict">
<span class="node">${sign('unsure')}</span>
<div class="head"><h1 id="verdict">${verdictWords({ ...diagnosis, ready: 'unknown' }).text}</h1></div>
<div class="rest"><p>No check has finished since ${timeAndDistance(diagnosis.at, reader)}.
Last known: “${verdictWords(diagnosis).text}”.</p>
${isPlanned ? markup`<p>Next check due ${timeAndDistance(nextRound, reader)}.</p>` : STUCK}</div></section>`;
}

const STUCK = markup`<p>ftm-watch may be stuck. On its machine:</p>
${['journalctl -u ftm-watch -n 50', 'systemctl restart ftm-watch'].map(commandView)}`;

function sinceLine(diagnosis: Diagnosis, context: VerdictContext): Markup | null {
  const { faults, history, unknownSince, reader } = context;
  switch (diagnosis.ready) {
    case 'unknown':
      return unknownSince === null ? null : sinceText(unknownSince, reader);
    case 'not-ready': {
      // Another fault may have begun earlier, but not what the heading says.
      const these = faults.filter((fault) => isInHeading(fault, diagnosis));
      const begun = these.flatMap((fault) => (fault.since === null ? [] : [{ fault, since: fault.since }]));
      const [first] = begun.toSorted((a, b) => a.since - b.since);
      if (first === undefined) return these.length === 0 ? null : markup`<p class="since">not confirmed yet</p>`;
      const number = faults.indexOf(first.fault) + 1;
      return sinceText(first.since, reader, faults.length > 1 ? `, when fault ${String(number)} began` : '');
    }
    case 'ready':
      return markup`<p class="since">${worksSince(history, reader)}</p>`;
  }
}

function maintenanceLine({ quiet: { maintenanceUntil: until }, reader }: VerdictContext): Markup | null {
  return until === null ? null : markup`<p class="since">during maintenance until ${moment(until, reader)}</p>`;
}

function sinceText(at: EpochMs, reader: Reader, why = ''): Markup {
  return markup`<p class="since">since <strong>${timeAndAge(at, reader)}</strong>${why}</p>`;
}

function isInHeading({ causes: [cause] }: Fault, diagnosis: Diagnosis): boolean {
  return verdictWords(diagnosis).impact === shortImpact(cause);
}

function worksSince({ incidents, complete }: AlertHistory, reader: Reader): Content {
  const [last] = incidents
    .filter(({ closedAt, cause }) => closedAt !== null && cause.severity === 'critical' && !isAgentCause(cause.id))
    .toSorted((a, b) => (b.closedAt ?? 0) - (a.closedAt ?? 0));
  if (last === undefined) return complete ? 'no outage within 7 days' : null;
  const { id, since, closedAt, lastSeen } = last;
  const link = markup`<a href="incidents/${encodeURIComponent(id)}">${moment(since, reader)}</a>`;
  return markup`since <strong>${timeAndAge(closedAt ?? lastSeen, reader)}</strong>.
Last incident: ${link}, lasted ${lastedText(last)}`;
}

/** What the faults do not say. */
function noteOf(diagnosis: Diagnosis): string {
  const { ready, causes } = diagnosis;
  const leftOut = leftOutSentence(diagnosis);
  switch (ready) {
    case 'not-ready':
      return causes.length === 0 ? 'The cause is not known.' : '';
    case 'unknown':
      return '';
    case 'ready':
      return verdictWords(diagnosis).look === 'ready' ? `All configured checks pass. ${leftOut}`.trim() : leftOut;
  }
}

/** Why the state is unknown. What to do is in the list of preconditions, or in a card. */
function unknownView(diagnosis: Diagnosis, { faults }: VerdictContext): Markup | null {
  const unknown = unknownChecks(diagnosis);
  if (unknown.length === 0) return null;
  return markup`<ul class="answers">${unknown.map(({ id, summary }) => {
    const isTold = faults.some(({ causes }) => causes.some(({ precondition }) => precondition === id));
    return markup`<li><a href="#${id}">${titleOf(id)}</a>${isTold ? null : markup` ${breakable(summary)}`}</li>`;
  })}</ul>${diagnosis.causes.length === 0 ? markup`<p>No faults are known.</p>` : null}`;
}

const MOST_LISTED = 10;

function answersView(diagnosis: Diagnosis, context: VerdictContext): Markup | null {
  const { ready } = diagnosis;
  const { faults, quiet, reader } = context;
  const [first, ...others] = faults;
  if (first === undefined) return null;
  if (others.length === 0) {
    const { impact } = first.causes[0];
    // The heading tells the first sentence about a fault.
    const rest = ready === 'not-ready' ? restOfImpact({ impact }) : impact;
    const since = ready === 'not-ready' ? null : markup` <span class="quiet">${sinceView(first, reader)}</span>`;
    return markup`<dl class="answers"><div><dt>Cause</dt><dd>${causeLink(first, context)}${since}</dd></div>
${rest === '' ? null : markup`<div><dt>Impact</dt><dd>${breakable(rest)}</dd></div>`}
<div><dt>Owner</dt><dd>${ownerView(first, reader)}</dd></div>${notificationsRow(heldView(first, quiet, reader))}</dl>`;
  }
  const more = faults.length - MOST_LISTED;
  const name = ready === 'not-ready' ? 'Faults' : 'Warnings';
  const isTaken = faults.some(hasOwner);
  const rows = faults.slice(0, MOST_LISTED).map((fault) => {
    const since = markup`<span class="quiet">${sinceView(fault, reader)}</span>`;
    return markup`<li>${causeLink(fault, context)} ${since}${aboutView(fault, isTaken, diagnosis, context)}</li>`;
  });
  return markup`<dl class="answers"><div><dt>${name}</dt><dd><ol>${rows}</ol>
${isTaken ? null : markup`<p>Nobody is on them</p>`}
<p class="quiet">${more > 0 ? `${counted(more, 'more')} below. ` : ''}Order: severity, then step of an activation</p>
</dd></div>
${notificationsRow(maintenanceView(quiet, reader))}</dl>`;
}

function notificationsRow(held: Markup | null): Markup | null {
  return held === null ? null : markup`<div><dt>Notifications</dt><dd>${held}</dd></div>`;
}

/** Of one of several faults: what the heading does not say, who is on it if anybody is on one of them, its silence. */
function aboutView(fault: Fault, isTaken: boolean, diagnosis: Diagnosis, context: VerdictContext): Markup | null {
  const measured = diagnosis.ready === 'ready' ? markup`${breakable(measuredText(fault, diagnosis))} ` : null;
  const impact = isInHeading(fault, diagnosis) ? null : markup`${breakable(shortImpact(fault.causes[0]))}. `;
  const owner = isTaken ? markup`${ownerView(fault, context.reader)} ` : null;
  const silence = silenceView(fault, context.quiet, context.reader);
  const isSilent = measured === null && impact === null && owner === null && silence === null;
  return isSilent ? null : markup`<p>${measured}${impact}${owner}${silence}</p>`;
}

/** How near a warning is to a fault. Empty if several subjects are affected. */
function measuredText({ causes: [{ id, subject }, ...others] }: Fault, { preconditions }: Diagnosis): string {
  const findings = preconditions.flatMap((status) => (others.length === 0 ? status.findings : []));
  return findings.find((finding) => finding.suggests === id && finding.subject === subject)?.claim ?? '';
}

function causeLink(fault: Fault, { faults }: VerdictContext): Markup {
  const [first] = fault.causes;
  return markup`<a class="cause-link" href="${linkTo(fault, faults)}">${breakable(groupHeadline(fault.causes))}</a>${
    first.confidence === 'suspected' ? markup` <span class="tag">suspected</span>` : null
  }`;
}

function outlookText({ answer, steps }: ActivationOutlook): string {
  switch (answer) {
    case 'fails': {
      const at = steps.findIndex((step) => step.answer === 'fails');
      const where = at < 0 ? '' : ` at step ${String(at + 1)} of ${String(steps.length)}: ${STEPS[at]?.about ?? ''}`;
      return `An activation would fail${where}`;
    }
    case 'not-visible':
      return 'What is known about the steps of an activation';
    case 'passes':
      return 'Would an activation succeed now? Yes, as far as this can be checked from here';
  }
}
