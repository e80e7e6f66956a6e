import type { EpochMs } from '../../../core/clock.ts';
import { preciseSpanText } from '../../../core/duration.ts';
import { zonedText } from '../../../core/zoned-text.ts';
import { sameCause } from '../../../engine/incident/incident.ts';
import type { Incident } from '../../../engine/incident/incident.ts';
import type { IncidentNotification, Notification } from '../../../engine/incident/notification.ts';
import { blocksOf, sentenceStep } from '../../../engine/remedy.ts';
import { foldEvidence } from '../../../engine/words/evidence-line.ts';
import { titleOf } from '../../../checks/registry.ts';
import { PAGE_TITLES } from '../../message/links.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { notificationText, type NotificationText } from '../../message/notification-text.ts';
import { allClear } from './all-clear.ts';
import { digest } from './digest-content.ts';
import { commonFacts, flapFacts, linksOf, spoken } from './email-content-parts.ts';
import type { Fact, EmailContent, Section } from './email-content-parts.ts';

export interface ContentContext extends MessageContext {
  /** Now, and when it could not be delivered for the first time; null: this is the first try. */
  readonly delayed: { readonly firstFailedAt: EpochMs; readonly now: EpochMs } | null;
}

export function emailContentOf(notification: Notification, context: ContentContext): EmailContent {
  const text = notificationText(notification, context);
  const { subject, tone, links } = text;
  const body = bodyOf(notification, text, context);
  return {
    subject,
    tone,
    links: linksOf(links, PAGE_TITLES[notification.kind]),
    commands: [],
    ...body,
    facts: [...body.facts, ...delayFacts(context, notification.at)],
  };
}

type Body = Pick<EmailContent, 'lead' | 'sections' | 'facts'> & Partial<Pick<EmailContent, 'commands'>>;

function bodyOf(notification: Notification, text: NotificationText, context: ContentContext): Body {
  const lead = { kind: 'text', lines: [text.action] } as const;
  switch (notification.kind) {
    case 'incident':
      return notification.event === 'resolved'
        ? { lead, ...allClear(notification, text, context) }
        : alarm(notification, context);
    case 'digest':
      return { lead, ...digest(notification, text, context) };
    case 'note':
      return {
        lead,
        sections: spoken([
          { title: 'What happened', kind: 'text', lines: [text.summary] },
          ...notification.sections.map((section) => ({ ...section, kind: 'list' }) as const),
        ]),
        facts: [
          ['Site', context.site],
          ['Sent', zonedText(notification.at, context.timezone)],
        ],
      };
    case 'test':
      return {
        lead,
        sections: [{ title: 'What this is', kind: 'text', lines: [text.summary] }],
        facts: [['Sent', zonedText(notification.at, context.timezone)]],
      };
  }
}

function alarm(notification: IncidentNotification, context: ContentContext): Body {
  const { incident, at } = notification;
  const { cause } = incident;
  const { shown, folded } = foldEvidence(cause.evidence);
  const more =
    folded.length === 0 ? [] : [`… and ${String(folded.length)} more: see the incident or "ftm-watch check".`];
  return {
    lead: { kind: 'text', lines: [cause.summary, cause.impact] },
    sections: spoken([
      ...changeSection(notification, context),
      { title: 'What to do', kind: 'steps', first: 1, lines: cause.remedySteps.map(({ text }) => sentenceStep(text)) },
      { title: 'Evidence', kind: 'list', lines: [...shown, ...more] },
    ]),
    commands: spoken(
      cause.remedySteps.map((step, index) => ({
        title: `Commands for step ${String(index + 1)}`,
        kind: 'blocks',
        lines: blocksOf(step),
      })),
    ),
    facts: [
      ...commonFacts(incident, context.site),
      ...sinceFacts(incident, at, context),
      ...(cause.consequences.length === 0 ? [] : [['Skipped', titles(cause.consequences)] as const]),
      ...flapFacts(incident),
      ...reminderFacts(notification, context),
    ],
  };
}

function changeSection({ event, incident }: IncidentNotification, { timezone }: ContentContext): readonly Section[] {
  const { formerCauses, cause } = incident;
  const former = formerCauses.at(-1);
  if (event !== 'changed' || former === undefined) return [];
  const before = `${former.id} (${former.severity}, ${former.subject})`;
  const [since, until] = [zonedText(former.since, timezone), zonedText(former.until, timezone)];
  const isBack = formerCauses.some((one) => sameCause(one, cause)) && !sameCause(former, cause);
  const line = isBack
    ? `This is back, after ${before} from ${since} to ${until}. They come and go in turn and are one incident now.`
    : `Until ${until} the cause was taken to be ${before}. What is told here replaces it.`;
  return [{ title: 'What changed', kind: 'text', lines: [line] }];
}

/** Of the cause, and of the fault where that was seen before. */
function sinceFacts({ since, causeSince }: Incident, at: EpochMs, { timezone }: ContentContext): readonly Fact[] {
  const factOf = (name: string, from: EpochMs): Fact => [
    name,
    `${zonedText(from, timezone)}, for ${preciseSpanText(at - from)}`,
  ];
  const own = factOf('Since', causeSince);
  return since < causeSince ? [own, factOf('First sign', since)] : [own];
}

function reminderFacts({ nextReminder }: IncidentNotification, { timezone }: ContentContext): readonly Fact[] {
  return nextReminder === null ? [] : [['Next reminder', `${zonedText(nextReminder, timezone)}, if it is still open`]];
}

function delayFacts({ delayed, timezone }: ContentContext, at: EpochMs): readonly Fact[] {
  if (delayed === null) return [];
  const { firstFailedAt, now } = delayed;
  const first = zonedText(firstFailedAt, timezone);
  return [['Delivery', `first failed at ${first}, delayed by ${preciseSpanText(now - at)}`]];
}

function titles(ids: readonly string[]): string {
  return ids.map(titleOf).join(', ');
}
