import { type Markup, markup } from './markup.ts';
import { partsOfStep, type StepPart } from './remedy-step.ts';

/** The steps of a remedy, in order. */
export function remedyView(remedy: readonly string[]): Markup {
  return markup`<ol class="remedy">${remedy.map((step) => markup`<li>${partsOfStep(step).map(partView)}</li>`)}</ol>`;
}

/** static/copy-buttons.js gives what has `data-copy` a button. */
function partView(part: StepPart): Markup {
  switch (part.kind) {
    case 'text':
      return markup`${part.text}`;
    case 'command':
      return part.lines.length === 1
        ? markup`<code class="command" data-copy>${part.lines}</code>`
        : markup`<code class="command block" data-copy>${part.lines.map(
            (line) => markup`<span class="line">${line}</span>`,
          )}</code>`;
  }
}
