import { type Block, blocksOf, headOf, type RemedyStep } from '../../engine/remedy.ts';
import { breakable, type Markup, markup, preformatted } from './markup.ts';

/** A remedy as a list: each block of commands is an element of its own, with nothing in it that is not copied. */
export function remedyView(steps: readonly RemedyStep[]): Markup {
  return markup`<ol class="remedy">${steps.map(
    (step) => markup`<li>${breakable(step.text)}${blocksOf(step).map(blockView)}</li>`,
  )}</ol>`;
}

/** Longer blocks are folded: the step after them is what is read next. */
const SHOWN_LINES = 4;

/** static/copy-buttons.js gives what has `data-copy` a button. */
function blockView(block: Block): Markup {
  const { label, missing, text } = block;
  const commands = markup`<pre class="command" data-copy tabindex="0">${preformatted(text)}</pre>`;
  if (text.split('\n').length <= SHOWN_LINES)
    return markup`<p class="quiet">${breakable(headOf(block))}</p>${commands}`;
  const first = missing === '' ? null : markup`<p class="quiet">${missing}</p>`;
  return markup`<details><summary>${label}</summary>${first}${commands}</details>`;
}
