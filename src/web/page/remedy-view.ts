import { type Block, blocksOf, type RemedyStep } from '../../engine/remedy.ts';
import { type Markup, markup, preformatted } from './markup.ts';

/** A remedy as a list: each block of commands is an element of its own, with nothing in it that is not copied. */
export function remedyView(steps: readonly RemedyStep[]): Markup {
  return markup`<ol class="remedy">${steps.map(
    (step) => markup`<li>${step.text}${blocksOf(step).map(blockView)}</li>`,
  )}</ol>`;
}

/** static/live.js gives what has `data-copy` a button. */
function blockView({ label, text }: Block): Markup {
  return markup`<p class="quiet">${label}</p><pre class="command" data-copy>${preformatted(text)}</pre>`;
}
