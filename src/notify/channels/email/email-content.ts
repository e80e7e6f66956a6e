import type { EpochMs } from '../../../core/clock.ts';
import { utcText } from '../../../core/instant-text.ts';
import { sameCause } from '../../../engine/incident/incident.ts';
import type { Incident } from '../../../engine/incident/incident.ts';
import type {
  DigestItem,
  DigestNotification,
  IncidentNotification,
  Notification,
} from '../../../engine/incident/notification.ts';
import { blocksOf } from '../../../engine/remedy.ts';
import { titleOf } from '../../../checks/registry.ts';
import { allClear, openLines } from './all-clear.ts';
import { headline } from '../../../checks/headline.ts';
import { commonFacts, flapFacts, spoken } from './email-content-parts.ts';
import type { Fact, EmailContent, Section } from './email-content-parts.ts';
import { spanText } from './time-text.ts';

export interface ContentContext {
  readonly site: string;
  /** Now, and when it could not be delivered for the first time; null: this is the first try. */
  readonly delayed: { readonly firstFailedAt: EpochMs; readonly now: EpochMs } | null;
}

export function emailContentOf(notification: Notification, context: ContentContext): EmailContent {
  const content = body(notification, context.site);
  return { ...content, facts: [...content.facts, ...delayFacts(context, notification.at)] };
}

function body(notification: Notification, site: string): EmailContent {
  switch (notification.kind) {
    case 'incident':
      return notification.event === 'resolved' ? allClear(notification, site) : alarm(notification, site);
    case 'digest':
      return digest(notification, site);
    case 'test':
      return {
        title: 'Test message',
        tone: 'neutral',
        lead:
          `This is a test: notifications from ftm-watch at ${site} arrive here. Nothing is broken because of ` +
          'this message.',
        sections: [],
        facts: [['Sent', utcText(notification.at)]],
      };
  }
}

function alarm(notification: IncidentNotification, site: string): EmailContent {
  const { incident, at } = notification;
  const { cause } = incident;
  return {
    title: sentence(headline(cause)),
    tone: cause.severity === 'critical' ? 'critical' : 'warning',
    lead: cause.summary,
    sections: spoken([
      ...changeSection(notification),
      { title: 'What users feel', kind: 'text', lines: [cause.impact] },
      {
        title: 'What to do',
        kind: 'steps',
        lines: cause.remedySteps.map(({ text }) => text),
        blocks: cause.remedySteps.map(blocksOf),
      },
      { title: 'Evidence', kind: 'list', lines: cause.evidence },
    ]),
    facts: [
      ...commonFacts(incident, site),
      ...sinceFacts(incident, at),
      ...(cause.consequences.length === 0 ? [] : [['Blocked by it', titles(cause.consequences)] as const]),
      ...flapFacts(incident),
      ...reminderFacts(notification),
    ],
  };
}

function changeSection({ event, incident }: IncidentNotification): readonly Section[] {
  const { formerCauses, cause } = incident;
  const former = formerCauses.at(-1);
  if (event !== 'changed' || former === undefined) return [];
  const before = `${former.id} (${former.severity}, ${former.subject})`;
  const isBack = formerCauses.some((one) => sameCause(one, cause)) && !sameCause(former, cause);
  const line = isBack
    ? `This is back, after ${before} from ${utcText(former.since)} to ${utcText(former.until)}. They come and go ` +
      'in turn and are one incident now.'
    : `Until ${utcText(former.until)} the cause was taken to be ${before}. What follows replaces it.`;
  return [{ title: 'What changed', kind: 'text', lines: [line] }];
}

/** Of the cause, and of the fault where that was seen before. */
function sinceFacts({ since, causeSince }: Incident, at: EpochMs): readonly Fact[] {
  const own: Fact = ['Since', `${utcText(causeSince)} (${spanText(at - causeSince)})`];
  return since < causeSince ? [own, ['First sign', `${utcText(since)} (${spanText(at - since)})`]] : [own];
}

function digest({ items, omitted, stillOpen, at }: DigestNotification, site: string): EmailContent {
  const open = items.filter(({ incident }) => incident.status === 'open');
  const over = items.filter(({ incident }) => incident.status === 'closed');
  const severities = [...open.map(({ incident }) => incident.cause), ...stillOpen].map(({ severity }) => severity);
  return {
    title: `${String(items.length + omitted)} incidents at once`,
    tone: severities.length === 0 ? 'good' : severities.includes('critical') ? 'critical' : 'warning',
    lead: 'Too many notifications for one mail each: they are listed here together. The status page has the details.',
    sections: spoken([
      { title: 'Open', kind: 'list', lines: open.map(digestLine) },
      { title: 'Over', kind: 'list', lines: over.map(digestLine) },
      { title: 'Also open', kind: 'list', lines: openLines(stillOpen) },
      { title: 'Not listed', kind: 'text', lines: omitted === 0 ? [] : [`${String(omitted)} more incidents`] },
    ]),
    facts: [
      ['Site', site],
      ['As of', utcText(at)],
    ],
  };
}

function digestLine({ event, incident }: DigestItem): string {
  const { cause, since, causeSince, lastSeen, status } = incident;
  const begin = status === 'open' ? causeSince : since;
  const end = status === 'open' ? '' : ` to ${utcText(lastSeen)}`;
  const again = event === 'reminder' ? 'still ' : '';
  return `${again}${cause.severity}: ${headline(cause)} (${cause.id}, ${cause.subject}), since ${utcText(begin)}${end}`;
}

function reminderFacts({ nextReminder }: IncidentNotification): readonly Fact[] {
  return nextReminder === null ? [] : [['Next reminder', `${utcText(nextReminder)}, if it is still open`]];
}

function delayFacts({ delayed }: ContentContext, at: EpochMs): readonly Fact[] {
  if (delayed === null) return [];
  const { firstFailedAt, now } = delayed;
  return [['Delivery', `first failed at ${utcText(firstFailedAt)}, delayed by ${spanText(now - at)}`]];
}

function titles(ids: readonly string[]): string {
  return ids.map(titleOf).join(', ');
}

function sentence(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
