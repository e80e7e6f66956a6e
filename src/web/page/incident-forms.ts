import type { Incident } from '../../engine/incident/incident.ts';
import { MAX_COMMENT, MAX_NAME } from '../silence-request.ts';
import type { Root } from './document.ts';
import { type Markup, markup } from './markup.ts';
import { silenceCommand } from './silence-command.ts';

/** What who looks at the page may do. */
export interface Permission {
  /** Why nothing can be changed, in a sentence; null: it can. */
  readonly refusal: string | null;
  /** Nobody is asked for a name: it may be given. */
  readonly asksName: boolean;
}

const DURATIONS: readonly (readonly [value: string, words: string])[] = [
  ['30m', '30 minutes'],
  ['2h', '2 hours'],
  ['8h', '8 hours'],
  ['1d', '1 day'],
  ['7d', '7 days'],
];

/** Acknowledge, silence and comment, without a script. */
export function incidentForms(incident: Incident, { refusal, asksName }: Permission, root: Root): Markup {
  if (refusal !== null)
    return markup`<section class="card" aria-labelledby="act-title"><h2 id="act-title">Acknowledge, silence, comment</h2>
<p class="quiet">${refusal}</p>${
      incident.status === 'open'
        ? markup`<code class="command block" data-copy><span class="line">${silenceCommand(incident.cause)}</span></code>`
        : null
    }</section>`;
  const to = (action: string): string => `${root}incidents/${encodeURIComponent(incident.id)}/${action}`;
  const name = asksName
    ? markup`<label>Your name <input name="by" maxlength="${MAX_NAME}" autocomplete="name"></label>`
    : null;
  return markup`<section class="card forms" aria-label="Acknowledge, silence, comment">
${incident.status === 'open' ? [acknowledgeForm(incident, name, to), silenceForm(name, to('silence'))] : null}
${form(
  to('comment'),
  markup`<label>Comment <input name="comment" required maxlength="${MAX_COMMENT}"></label>${name}
<button>Comment</button>`,
)}</section>`;
}

function acknowledgeForm({ acknowledgement }: Incident, name: Markup | null, to: (action: string) => string): Markup {
  return acknowledgement === null
    ? form(
        to('acknowledge'),
        markup`${name}<button>Acknowledge</button>
<p class="quiet">Stops the reminders until it is over or its cause changes.</p>`,
      )
    : form(to('unacknowledge'), markup`${name}<button>Withdraw the acknowledgement</button>`);
}

function silenceForm(name: Markup | null, to: string): Markup {
  return form(
    to,
    markup`<label>Silence for <select name="duration">${DURATIONS.map(
      ([value, words]) =>
        markup`<option value="${value}"${value === '2h' ? markup` selected` : null}>${words}</option>`,
    )}</select></label><label>Why <input name="comment" required maxlength="${MAX_COMMENT}"></label>${name}
<button>Silence</button>`,
  );
}

function form(to: string, fields: Markup): Markup {
  return markup`<form method="post" action="${to}">${fields}</form>`;
}
