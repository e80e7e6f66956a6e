import { STOPS, type Place } from '../../checks/check.ts';
import { CHECKS, titleOf } from '../../checks/registry.ts';
import type { PreconditionState, PreconditionStatus } from '../../engine/model.ts';
import type { ActivationOutlook, ActivationStep, StepAnswer } from '../../checks/activation-steps.ts';
import { sign, badge } from './page-document.ts';
import type { Tone } from '../../document/document.ts';
import { type Markup, markup, breakable } from '../../document/html.ts';
import { RANK, STATE_TONES, stateWord } from '../../document/states.ts';
import { stepOrder } from '../../checks/activation-steps.ts';
import { type Fault, linkTo } from './faults.ts';

interface RouteMap {
  readonly stops: readonly Stop[];
  readonly branches: readonly Stop[];
}

interface Stop {
  readonly name: string;
  readonly hint: string;
  /** The worst state among the stop's preconditions. */
  readonly state: PreconditionState;
  readonly preconditions: readonly PreconditionStatus[];
  readonly leadsOn: LineState;
}

/**
 * The line after a stop. `open`: the stop works. `cut`: this is the first broken stop. `beyond`: the stop comes after
 * the first broken stop. `unproven`: the stop's state is unknown.
 */
type LineState = 'open' | 'cut' | 'beyond' | 'unproven';

export function routeMapOf(preconditions: readonly PreconditionStatus[]): RouteMap {
  const at = (isThere: (place: Place) => boolean): readonly PreconditionStatus[] =>
    CHECKS.filter(({ place }) => isThere(place)).flatMap((check) => preconditions.filter(({ id }) => id === check.id));
  const found = STOPS.map(({ id }) => at((place) => place.kind === 'stop' && place.stop === id));
  const states = found.map(worst);
  const cut = STOPS.findIndex(({ carries }, index) => carries && states[index] === 'broken');
  const branches = CHECKS.flatMap(({ place }) => (place.kind === 'branch' ? [place] : []));
  return {
    stops: STOPS.map((plan, index) => stop(plan, found[index] ?? [], lineBehind(index, cut, states))),
    branches: branches.map((branch) =>
      stop(
        branch,
        at((place) => place === branch),
        'unproven',
      ),
    ),
  };
}

function lineBehind(index: number, cut: number, states: readonly PreconditionState[]): LineState {
  if (cut !== -1 && index >= cut) return index === cut ? 'cut' : 'beyond';
  const next = states[index + 1];
  return isWell(states[index]) && (isWell(next) || next === 'broken') ? 'open' : 'unproven';
}

function isWell(state: PreconditionState | undefined): boolean {
  return state === 'ok' || state === 'warning';
}

function stop(
  { name, hint }: Pick<Stop, 'name' | 'hint'>,
  preconditions: readonly PreconditionStatus[],
  leadsOn: LineState,
): Stop {
  return { name, hint, state: worst(preconditions), preconditions, leadsOn };
}

function worst(statuses: readonly PreconditionStatus[]): PreconditionState {
  return RANK.find((state) => statuses.some((status) => status.state === state)) ?? 'unknown';
}

/** Two lists, which screen readers read as text. The style sheet draws the lines between the stops. */
export function routeMapView(
  { stops, branches }: RouteMap,
  outlook: ActivationOutlook,
  faults: readonly Fault[],
): Markup {
  return markup`<section id="route" class="card route" aria-labelledby="route-title">
<h2 id="route-title">Activation path</h2>
<ol class="stops">${stops.map((stop, index) => stopView(stop, stops[index + 1]))}</ol>
<h3 class="unseen">Other services that FortiAuthenticator needs</h3>
<ul class="branches">${branches.map((branch) => stopView(branch, undefined))}</ul>
${stepsView(outlook, faults)}</section>`;
}

function stopView(stop: Stop, next: Stop | undefined): Markup {
  const tone = STATE_TONES[stop.state];
  const worstOne = stop.preconditions.find(({ state }) => state === stop.state) ?? stop;
  const word = markup`<span class="word">${stateWord(worstOne)}</span>`;
  return markup`<li class="stop ${tone}" data-leads="${next === undefined ? 'nowhere' : stop.leadsOn}">
<span class="node">${sign(tone)}</span>
<span class="about"><strong>${stop.name}</strong><span class="hint">${stop.hint}</span>${word}
${stop.preconditions.length > 1 ? parts(stop) : null}</span>
${
  next === undefined || stop.leadsOn !== 'cut'
    ? null
    : markup`<span class="cut">${sign('bad')}
<span class="unseen">The path is broken here, so ${next.name} is not reached.</span></span>`
}
</li>`;
}

function parts({ preconditions }: Stop): Markup {
  return markup`<span class="parts">${preconditions.map((status) => {
    const tone = STATE_TONES[status.state];
    const state = markup`<span class="unseen">: ${stateWord(status)}</span>`;
    return markup`<a href="#${status.id}" class="${tone}">${sign(tone)}${titleOf(status.id)}${state}</a> `;
  })}</span>`;
}

const TONES: Readonly<Record<StepAnswer, Tone>> = { passes: 'good', fails: 'bad', 'not-visible': 'unsure' };

const WORDS: Readonly<Record<StepAnswer, string>> = {
  passes: 'Will pass',
  fails: 'Will fail',
  'not-visible': 'Cannot be checked from here',
};

/** The link's target is inside, so that the browser opens the list. */
function stepsView({ steps }: ActivationOutlook, faults: readonly Fault[]): Markup {
  return markup`<details id="all-steps"><summary>The steps of an activation</summary>
<ol id="steps" class="steps">${steps.map((step, index) => stepView(step, index, faults))}</ol></details>`;
}

function stepView({ title, answer, why, remedy }: ActivationStep, index: number, faults: readonly Fault[]): Markup {
  const head = markup`<strong>${title}</strong> ${badge(TONES[answer], WORDS[answer])}`;
  const fault = answer === 'fails' ? faults.find(({ causes: [cause] }) => stepOrder(cause) === index) : undefined;
  if (fault !== undefined)
    return markup`<li>${head} <p><a href="${linkTo(fault, faults)}">Cause and remedy</a></p></li>`;
  // A card tells the summary of its cause.
  const isTold = faults.some(({ causes }) => causes.some(({ summary }) => why.includes(summary)));
  const brief = answer === 'passes' ? 'With a warning' : 'Not reached, because of another fault';
  const said = isTold ? [brief] : [why, ...remedy];
  return markup`<li>${head}
${said.map((line) => markup`<p class="quiet">${breakable(line)}</p>`)}</li>`;
}
