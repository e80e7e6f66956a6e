import type { Delivery } from '../../engine/incident/journal.ts';
import { visibleText } from '../../core/visible-text.ts';
import { channelWords } from '../../notify/channels/registry.ts';
import { maskedDetail, maskedRecipient } from '../masked-recipient.ts';
import { type Content, type Markup, markup } from './markup.ts';
import { badge } from './signs.ts';
import type { DeliveryGroup, Way } from './delivery-group.ts';
import { distance, type Reader } from './time-text.ts';

/** More recipients are only counted. */
const MAX_RECIPIENTS = 4;
/** Of what the peer said: `/api/v1/notifications` has the whole. */
const MAX_REPLY = 160;

/**
 * What became of a notification, a line for each way it went; `full` with what the peer said where it has not arrived.
 */
export function waysView({ ways }: DeliveryGroup, reader: Reader, length: 'short' | 'full'): Markup {
  return markup`<ul class="ways">${ways.map(
    (way) =>
      markup`<li>${wayView(way, reader)}${
        length === 'full' && way.delivery.status !== 'sent' ? lastError(way.delivery) : null
      }</li>`,
  )}</ul>`;
}

function wayView({ delivery, recipients }: Way, reader: Reader): Content {
  const { status, attempts, nextAttemptAt, finishedAt, createdAt } = delivery;
  const to = markup`by ${channelWords(delivery.channel).name} to ${recipientsText(delivery, recipients)}`;
  const when = distance(finishedAt ?? createdAt, reader);
  switch (status) {
    case 'sent':
      return markup`${badge('good', 'Sent')} <span class="quiet">${to} ${when}</span>`;
    case 'pending':
      if (attempts === 0) return markup`${badge('wait', 'On its way')} <span class="quiet">${to}</span>`;
      return markup`${badge('warn', 'Waiting')} <span class="quiet">${to}; ${tries(attempts)}, next attempt ${distance(
        nextAttemptAt,
        reader,
      )}</span>`;
    case 'rejected':
      return markup`${badge('bad', 'Failed')} <span class="quiet">${to}: refused and given up ${when}, ${tries(attempts)}</span>`;
    case 'expired':
      return markup`${badge('bad', 'Failed')} <span class="quiet">${to}: given up ${when}, ${tries(attempts)}</span>`;
    case 'withdrawn':
      return markup`${badge('unsure', 'Withdrawn')} <span class="quiet">${to} ${when}, ${tries(attempts)}</span>`;
  }
}

function recipientsText(delivery: Delivery, recipients: readonly string[]): string {
  const masked = recipients.slice(0, MAX_RECIPIENTS).map((recipient) => maskedRecipient({ ...delivery, recipient }));
  const more = recipients.length - masked.length;
  return `${masked.join(', ')}${more > 0 ? ` and ${String(more)} more` : ''}`;
}

function tries(attempts: number): string {
  return attempts === 1 ? 'tried once' : `tried ${String(attempts)} times`;
}

function lastError(delivery: Delivery): Markup | null {
  return delivery.detail === '' ? null : markup`<p class="reply">${visibleText(maskedDetail(delivery), MAX_REPLY)}</p>`;
}
