import type { ActivationOutlook } from '../../checks/activation-steps.ts';
import { titleOf } from '../../checks/registry.ts';
import { type Markup, markup } from './markup.ts';
import type { RouteMap, Stop } from './route-map.ts';
import { sign, STATE_TONES, STATE_WORDS } from './signs.ts';
import { stepsView } from './steps-view.ts';

/** The map as two lists: read aloud it is the way in words, and the lines between are drawn by the style sheet. */
export function routeMapView({ stops, branches }: RouteMap, outlook: ActivationOutlook): Markup {
  return markup`<section id="route" class="card route" aria-labelledby="route-title">
<h2 id="route-title">The way of an activation</h2>
<ol class="stops">${stops.map((stop, index) => stopView(stop, stops[index + 1]))}</ol>
<h3 class="unseen">What FortiAuthenticator needs beside it</h3>
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
    : markup`<span class="cut">${sign('bad')}<span class="unseen">The way ends here: ${next.name} is not reached.</span></span>`
}
</li>`;
}

function parts({ preconditions }: Stop): Markup {
  return markup`<span class="parts">${preconditions.map(
    ({ id, state }) =>
      markup`<a href="#${id}" class="${STATE_TONES[state]}">${sign(STATE_TONES[state])}${titleOf(id)}<span class="unseen">: ${STATE_WORDS[state]}</span></a> `,
  )}</span>`;
}
