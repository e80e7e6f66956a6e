import type { AuditEntry } from '../../core/audit.ts';
import type { Incident } from '../../engine/incident/incident.ts';
import { lastedText } from '../../engine/incident/lasted.ts';
import { eventOf } from '../../engine/incident/notification.ts';
import { waysView } from './delivery-group-view.ts';
import type { TimelineStep } from './incident-timeline.ts';
import { breakable, type Markup, markup } from './markup.ts';
import { EVENT_WORDS } from './notifications-view.ts';
import { SEVERITY_TONES } from './signs.ts';
import { distance, type Reader } from './time-text.ts';

/** One step in the story of an incident. */
export function stepView(step: TimelineStep, { cause }: Incident, reader: Reader): Markup {
  const when = markup`<span class="quiet">${distance(step.at, reader)}</span>`;
  switch (step.kind) {
    case 'seen':
      return markup`<li>First seen ${when}</li>`;
    case 'opened':
      return markup`<li class="${SEVERITY_TONES[cause.severity]}">Confirmed ${when}</li>`;
    case 'closed':
      return markup`<li class="good">Over ${when} <span class="quiet">after ${lastedText(step.occurrence)}</span></li>`;
    case 'understood':
      return markup`<li>Until then <code class="tag">${step.former.id}</code> ${breakable(step.former.subject)} ${when}</li>`;
    case 'changed':
      return markup`<li>${changeWords(step.change)} ${when} <span class="quiet">${step.change.detail}</span></li>`;
    case 'told':
      return markup`<li class="told">${
        EVENT_WORDS[eventOf(step.group.notification)]
      } ${when}${waysView(step.group, reader, 'short')}</li>`;
  }
}

/** What was done, and who did it. */
export function changeWords({ action, account, address }: AuditEntry): string {
  const who = `by ${account}${address === null ? '' : ` from ${address}`}`;
  switch (action) {
    case 'add-silence':
      return `Silenced ${who}`;
    case 'remove-silence':
      return `Silence removed ${who}`;
    case 'acknowledge':
      return `Acknowledged ${who}`;
    case 'unacknowledge':
      return `Acknowledgement withdrawn ${who}`;
    case 'comment':
      return `Comment ${who}`;
    case 'attach-capture':
      return `FortiAuthenticator’s own connection, from a packet capture attached ${who}`;
    case 'reload':
      return `Configuration reloaded ${who}`;
  }
}
