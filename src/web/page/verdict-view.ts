import type { ActivationOutlook } from '../../checks/activation-steps.ts';
import { STEPS } from '../../checks/check.ts';
import { leftOutSentence } from '../../checks/headline.ts';
import { isAgentCause } from '../../checks/registry.ts';
import { groupHeadline, shortImpact, verdictWords } from '../../checks/verdict-words.ts';
import { counted } from '../../core/visible-text.ts';
import type { Tone } from '../../document/document.ts';
import { breakable, type Content, type Markup, markup } from '../../document/html.ts';
import { type Incident, lastedText } from '../../engine/incident/incident.ts';
import type { Diagnosis } from '../../engine/model.ts';
import type { AlertHistory, WebSources } from '../sources.ts';
import { distance, moment, type Reader, sign, timeAndAge, timeAndDistance } from './document.ts';
import { type Fault, linkTo, ownerView, sinceView } from './faults.ts';
import type { Quiet } from './incidents-view.ts';

const TONES: Readonly<Record<ReturnType<typeof verdictWords>['look'], Tone>> = {
  ready: 'good',
  warning: 'warn',
  'not-ready': 'bad',
  unknown: 'unsure',
};

interface VerdictContext {
  readonly outlook: ActivationOutlook;
  readonly faults: readonly Fault[];
  readonly history: AlertHistory;
  readonly quiet: Quiet;
  readonly nextRound: ReturnType<WebSources['activity']>['nextRound'];
  readonly reader: Reader;
}

/** Says once whether activation works, since when, why, what it means and who is on it. */
export function verdictView(diagnosis: Diagnosis, context: VerdictContext): Markup {
  const { outlook, nextRound, reader } = context;
  const { look, text } = verdictWords(diagnosis);
  const note = noteOf(diagnosis);
  const next = nextRound === null ? null : markup`, next due ${distance(nextRound, reader)}`;
  return markup`<section class="card verdict ${TONES[look]}" aria-labelledby="verdict"><span class="node">${sign(TONES[look])}</span>
<div class="head"><h1 id="verdict">${text}</h1>${sinceLine(diagnosis, context)}</div>
<div class="rest">${note === '' ? null : markup`<p>${note}</p>`}${answersView(diagnosis, context)}
<p class="outlook"><a href="#steps">${outlookText(outlook)}</a></p></div>
<p class="quiet asof"><span id="seen">Checked ${timeAndDistance(diagnosis.at, reader)}</span><span id="next">${next}</span></p></section>`;
}

export function startingView(): Markup {
  return markup`<section class="card verdict unsure" aria-labelledby="verdict"><span class="node">${sign('unsure')}</span>
<div class="head"><h1 id="verdict">Starting</h1></div>
<div class="rest"><p>The first round has not finished yet. A round takes up to 15 seconds.</p></div></section>`;
}

/** The last result is shown below, but nobody knows whether it still holds. */
export function outdatedView(diagnosis: Diagnosis, reader: Reader): Markup {
  return markup`<section class="card verdict unsure" aria-labelledby="verdict"><span class="node">${sign('unsure')}</span>
<div class="head"><h1 id="verdict">Unknown</h1></div>
<div class="rest"><p>No check has finished since ${timeAndDistance(diagnosis.at, reader)}. Below: its result, “${verdictWords(diagnosis).text}”.</p></div></section>`;
}

function sinceLine({ ready }: Diagnosis, { faults, history, reader }: VerdictContext): Markup | null {
  const [first, ...others] = faults;
  switch (ready) {
    case 'unknown':
      return null;
    case 'not-ready':
      // Each of several faults has its own beginning.
      if (first === undefined || others.length > 0) return null;
      return markup`<p class="since">${
        first.since === null ? 'not confirmed yet' : markup`since <strong>${timeAndAge(first.since, reader)}</strong>`
      }</p>`;
    case 'ready':
      return markup`<p class="since">${worksSince(history, reader)}</p>`;
  }
}

function worksSince({ incidents, complete }: AlertHistory, reader: Reader): Content {
  const [last] = incidents
    .filter(({ closedAt, cause }) => closedAt !== null && cause.severity === 'critical' && !isAgentCause(cause.id))
    .toSorted((a, b) => (b.closedAt ?? 0) - (a.closedAt ?? 0));
  if (last === undefined) return complete ? 'no outage within 7 days' : null;
  return markup`since <strong>${timeAndAge(last.closedAt ?? last.lastSeen, reader)}</strong>. ${lastIncident(last, reader)}`;
}

function lastIncident(incident: Incident, reader: Reader): Markup {
  const { id, since } = incident;
  return markup`Last incident: <a href="incidents/${encodeURIComponent(id)}">${moment(since, reader)}</a>, lasted ${lastedText(incident)}`;
}

/** What the faults do not say. */
function noteOf(diagnosis: Diagnosis): string {
  const { ready, causes, preconditions } = diagnosis;
  const leftOut = leftOutSentence(diagnosis);
  switch (ready) {
    case 'not-ready':
      return causes.length === 0 ? 'The cause is not known.' : '';
    case 'unknown': {
      const unknown = preconditions.filter(({ state }) => state === 'unknown').length;
      const many = unknown === 1 ? '1 precondition is' : `${String(unknown)} preconditions are`;
      return `Some checks could not be evaluated: ${many} unknown.${causes.length === 0 ? ' No faults are known.' : ''}`;
    }
    case 'ready':
      return verdictWords(diagnosis).look === 'ready' ? `All configured checks pass. ${leftOut}`.trim() : leftOut;
  }
}

const MOST_LISTED = 10;

function answersView({ ready }: Diagnosis, context: VerdictContext): Markup | null {
  const { faults, quiet, reader } = context;
  const [first, ...others] = faults;
  if (first === undefined) return null;
  if (others.length === 0) {
    const { impact } = first.causes[0];
    // The heading tells the first sentence about a fault.
    const rest = ready === 'not-ready' ? impact.slice(shortImpact({ impact }).length + 1).trim() : impact;
    const since = ready === 'not-ready' ? null : markup` <span class="quiet">${sinceView(first, reader)}</span>`;
    return markup`<dl class="answers"><div><dt>Cause</dt><dd>${causeLink(first, context)}${since}</dd></div>
${rest === '' ? null : markup`<div><dt>Impact</dt><dd>${breakable(rest)}</dd></div>`}
<div><dt>Owner</dt><dd>${ownerView(first, quiet, reader)}</dd></div></dl>`;
  }
  const more = faults.length - MOST_LISTED;
  const name = ready === 'ready' ? 'Warnings' : 'Faults';
  return markup`<dl class="answers"><div><dt>${name}</dt><dd><ol>${faults.slice(0, MOST_LISTED).map(
    (fault) => markup`<li>${causeLink(fault, context)} <span class="quiet">${sinceView(fault, reader)}</span>
<p>${breakable(shortImpact(fault.causes[0]))}. ${ownerView(fault, quiet, reader)}</p></li>`,
  )}</ol>${more > 0 ? markup`<p class="quiet">${counted(more, 'more')} below</p>` : null}</dd></div></dl>`;
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
      return 'Would an activation succeed now? This cannot be determined';
    case 'passes':
      return 'Would an activation succeed now? Yes, as far as this can be checked from here';
  }
}
