import { STOPS, type Place } from '../../checks/check.ts';
import { CHECKS, titleOf } from '../../checks/registry.ts';
import type { PreconditionState, PreconditionStatus } from '../../engine/model.ts';
import type { ActivationOutlook, ActivationStep, StepAnswer } from '../../checks/activation-steps.ts';
import { sign, badge } from './document.ts';
import type { Tone } from '../../document/document.ts';
import { type Markup, markup, breakable } from '../../document/html.ts';
import { STATE_TONES, STATE_WORDS } from '../../document/states.ts';

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

/** From most to least severe. `unknown` and `blocked` come before `warning`, because they can hide a fault. */
const RANK: readonly PreconditionState[] = ['broken', 'blocked', 'unknown', 'warning', 'ok', 'not-configured'];

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
export function routeMapView({ stops, branches }: RouteMap, outlook: ActivationOutlook): Markup {
  return markup`<section id="route" class="card route" aria-labelledby="route-title">
<h2 id="route-title">Activation path</h2>
<ol class="stops">${stops.map((stop, index) => stopView(stop, stops[index + 1]))}</ol>
<h3 class="unseen">Other services that FortiAuthenticator needs</h3>
<ul class="branches">${branches.map((branch) => stopView(branch, undefined))}</ul>
${stepsView(outlook)}</section>`;
}

function stopView(stop: Stop, next: Stop | undefined): Markup {
  const tone = STATE_TONES[stop.state];
  return markup`<li class="stop ${tone}" data-leads="${next === undefined ? 'nowhere' : stop.leadsOn}">
<span class="node">${sign(tone)}</span>
<span class="about"><strong>${stop.name}</strong><span class="hint">${stop.hint}</span><span class="word">${STATE_WORDS[stop.state]}</span>
${stop.preconditions.length > 1 ? parts(stop) : null}</span>
${
  next === undefined || stop.leadsOn !== 'cut'
    ? null
    : markup`<span class="cut">${sign('bad')}<span class="unseen">The path is broken here, so ${next.name} is not reached.</span></span>`
}
</li>`;
}

function parts({ preconditions }: Stop): Markup {
  return markup`<span class="parts">${preconditions.map(
    ({ id, state }) =>
      markup`<a href="#${id}" class="${STATE_TONES[state]}">${sign(STATE_TONES[state])}${titleOf(id)}<span class="unseen">: ${STATE_WORDS[state]}</span></a> `,
  )}</span>`;
}

const TONES: Readonly<Record<StepAnswer, Tone>> = { passes: 'good', fails: 'bad', 'not-visible': 'unsure' };

const WORDS: Readonly<Record<StepAnswer, string>> = {
  passes: 'Will pass',
  fails: 'Will fail',
  'not-visible': 'Cannot be checked from here',
};

export function outlookLine(outlook: ActivationOutlook): Markup {
  return markup`<p class="outlook"><a href="#steps">Would an activation succeed now? ${answerText(outlook)}</a></p>`;
}

function answerText({ answer, steps }: ActivationOutlook): string {
  switch (answer) {
    case 'fails': {
      const failing = steps.findIndex((step) => step.answer === 'fails');
      return failing < 0 ? 'No.' : `No, it would fail at step ${String(failing + 1)} of ${String(steps.length)}.`;
    }
    case 'not-visible':
      return 'This cannot be determined.';
    case 'passes':
      return 'Yes, as far as this can be checked from here.';
  }
}

function stepsView({ steps }: ActivationOutlook): Markup {
  return markup`<details id="steps"><summary>The steps of an activation</summary>
<ol class="steps">${steps.map(stepView)}</ol></details>`;
}

function stepView({ title, answer, why, remedy }: ActivationStep): Markup {
  // Another section of the page describes the cause in full.
  const said = answer === 'fails' ? ['The cause and its remedy are shown above.'] : [why, ...remedy];
  return markup`<li><strong>${title}</strong> ${badge(TONES[answer], WORDS[answer])}
${said.map((line) => markup`<p class="quiet">${breakable(line)}</p>`)}</li>`;
}
