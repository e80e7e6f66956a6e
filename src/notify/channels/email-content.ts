import {
  eventOf,
  incidentsOf,
  type Notification,
  sameCause,
  type Incident,
  type IncidentNotification,
  type DigestItem,
  type DigestNotification,
  type FormerCause,
  lastedText,
  type OpenCause,
  INCIDENT_DEFAULTS,
} from '../../engine/incident/incident.ts';
import { visibleText } from '../../core/visible-text.ts';
import { type Fact, type Link, type LinkedLine, type Section, sectionOf } from '../../document/document.ts';
import { type MailDocument, mailHtml, mailText } from '../../document/mail.ts';
import type { EpochMs } from '../../core/clock.ts';
import { spanText, zonedText } from '../../core/time-text.ts';
import { blocksOf, sentenceStep } from '../../engine/model.ts';
import { foldEvidence } from '../../engine/words.ts';
import { titleOf } from '../../checks/registry.ts';
import {
  PAGE_TITLES,
  type Links,
  type MessageContext,
  notificationText,
  type NotificationText,
  incidentLinks,
  occurrenceText,
} from '../../document/notification.ts';
import { headline } from '../../checks/headline.ts';
import { counted } from '../../core/phrases.ts';

/** Header values contain no line breaks. */
export interface Message {
  readonly subject: string;
  readonly messageId: string;
  /** Message-IDs of earlier mails about the incident, oldest first. */
  readonly references: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly html: string;
}

const MAX_SITE = 100;

export function composeMessage(
  notification: Notification,
  context: ContentContext & {
    /** The domain makes the Message-ID unique. */
    readonly from: string;
  },
): Message {
  const site = visibleText(context.site, MAX_SITE) || '-';
  const content = emailContentOf(notification, { ...context, site });
  const causes = [...new Set(incidentsOf(notification).map(({ cause }) => cause.id))];
  return {
    subject: content.subject,
    messageId: messageIdOf(notification.id, context.from),
    references: threadOf(notification).map((id) => messageIdOf(id, context.from)),
    headers: {
      'X-FTM-Watch-Event': eventOf(notification),
      ...(causes.length === 0 ? {} : { 'X-FTM-Watch-Cause': causes.join(', ') }),
      'X-FTM-Watch-Site': site,
      // Prevents automatic replies (RFC 3834). Exchange uses the next header instead.
      'Auto-Submitted': 'auto-generated',
      'X-Auto-Response-Suppress': 'All',
    },
    text: mailText(content),
    html: mailHtml(content),
  };
}

function threadOf(notification: Notification): readonly string[] {
  if (notification.kind !== 'incident') return [];
  const { first, last } = notification.incident.thread;
  return [...new Set([first, last])].filter((id) => id !== null);
}

/** The ID is the same for all attempts, so that mail servers can detect duplicates. */
function messageIdOf(id: string, from: string): string {
  const domain = /@([\w.-]+)/u.exec(from)?.[1] ?? 'localhost';
  return `<ftm-watch.${id.replaceAll(/[^\w.-]/gu, '-')}@${domain}>`;
}

interface ContentContext extends MessageContext {
  /** Null if no attempt has failed. */
  readonly delayed: { readonly firstFailedAt: EpochMs; readonly now: EpochMs } | null;
}

export function emailContentOf(notification: Notification, context: ContentContext): MailDocument {
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

type Body = Pick<MailDocument, 'lead' | 'sections' | 'facts'> & Partial<Pick<MailDocument, 'commands'>>;

function bodyOf(notification: Notification, text: NotificationText, context: ContentContext): Body {
  const lead = [text.action];
  switch (notification.kind) {
    case 'incident':
      return notification.event === 'resolved'
        ? { lead, ...allClear(notification, context) }
        : alarm(notification, context);
    case 'digest':
      return { lead, ...digest(notification, text, context) };
    case 'note':
      return {
        lead,
        sections: [
          ...sectionOf('What happened', { kind: 'text', lines: [text.summary] }),
          ...notification.sections.flatMap(({ title, lines }) => sectionOf(title, { kind: 'list', lines })),
        ],
        facts: [
          ['Site', context.site],
          ['Sent', zonedText(notification.at, context.timezone)],
        ],
      };
    case 'test':
      return {
        lead,
        sections: sectionOf('What this is', { kind: 'text', lines: [text.summary] }),
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
    lead: [cause.summary, cause.impact],
    sections: [
      ...changeSection(notification, context),
      ...sectionOf('What to do', { kind: 'steps', lines: cause.remedySteps.map(({ text }) => sentenceStep(text)) }),
      ...sectionOf('Evidence', { kind: 'list', lines: [...shown, ...more] }),
    ],
    commands: cause.remedySteps.flatMap((step, index) =>
      sectionOf(`Commands for step ${String(index + 1)}`, { kind: 'commands', lines: blocksOf(step) }),
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
    ? `This cause has returned. From ${since} to ${until}, the cause was ${before}. They alternate in one incident.`
    : `Until ${until}, the cause was believed to be ${before}. This mail replaces earlier ones.`;
  return sectionOf('What changed', { kind: 'text', lines: [line] });
}

/** If the fault started before the current cause was found, its start is also returned. */
function sinceFacts({ since, causeSince }: Incident, at: EpochMs, { timezone }: ContentContext): readonly Fact[] {
  const factOf = (name: string, from: EpochMs): Fact => [
    name,
    `${zonedText(from, timezone)}, for ${spanText(at - from)}`,
  ];
  const own = factOf('Since', causeSince);
  return since < causeSince ? [own, factOf('First sign', since)] : [own];
}

function reminderFacts({ nextReminder }: IncidentNotification, { timezone }: ContentContext): readonly Fact[] {
  if (nextReminder === null) return [];
  return [['Next reminder', `${zonedText(nextReminder, timezone)}, unless resolved by then`]];
}

function delayFacts({ delayed, timezone }: ContentContext, at: EpochMs): readonly Fact[] {
  if (delayed === null) return [];
  const { firstFailedAt, now } = delayed;
  const first = zonedText(firstFailedAt, timezone);
  return [['Delivery', `first failed at ${first}, delayed by ${spanText(now - at)}`]];
}

function titles(ids: readonly string[]): string {
  return ids.map(titleOf).join(', ');
}

function digest(
  { items, omitted, stillOpen, at }: DigestNotification,
  { summary }: NotificationText,
  context: MessageContext,
): Pick<MailDocument, 'sections' | 'facts'> {
  const open = items.filter(({ incident }) => incident.status === 'open');
  const over = items.filter(({ incident }) => incident.status === 'closed');
  const lineOf = (item: DigestItem): LinkedLine => digestLine(item, context);
  return {
    sections: [
      ...sectionOf('What this is', { kind: 'text', lines: [summary] }),
      ...sectionOf('Open', { kind: 'list', lines: open.map(lineOf) }),
      ...sectionOf('Resolved', { kind: 'list', lines: over.map(lineOf) }),
      ...sectionOf('Also open', { kind: 'list', lines: openLines(stillOpen, context) }),
      ...sectionOf('Not listed', { kind: 'text', lines: omitted === 0 ? [] : [counted(omitted, 'more incident')] }),
    ],
    facts: [
      ['Site', context.site],
      ['As of', zonedText(at, context.timezone)],
    ],
  };
}

function digestLine({ event, incident }: DigestItem, context: MessageContext): LinkedLine {
  const { cause, causeSince, status } = incident;
  const { timezone } = context;
  const times = status === 'open' ? `since ${zonedText(causeSince, timezone)}` : occurrenceText(incident, timezone);
  const again = event === 'reminder' ? 'still ' : '';
  const what = `${headline(cause)} (${cause.id}, ${cause.subject})`;
  return {
    text: `${again}${cause.severity}: ${what}, ${times}`,
    links: linksOf(incidentLinks(incident, context), 'Incident'),
  };
}

const MAX_OPEN = 20;

function allClear(
  { incident, at, stillOpen }: IncidentNotification,
  context: MessageContext,
): Pick<MailDocument, 'sections' | 'facts'> {
  const { since, lastSeen, closedAt, clear } = incident;
  return {
    sections: [
      ...sectionOf('Still open', { kind: 'list', lines: openLines(stillOpen, context) }),
      ...sectionOf('What was detected', { kind: 'text', lines: [incident.cause.summary] }),
      ...sectionOf('Causes of this incident', { kind: 'list', lines: storyLines(incident, context) }),
    ],
    facts: [
      ...commonFacts(incident, context.site),
      ['From', zonedText(since, context.timezone)],
      ['Last seen', zonedText(lastSeen, context.timezone)],
      ['Resolved', zonedText(clear.after ?? closedAt ?? at, context.timezone)],
      ['Duration', lastedText(incident)],
      ...flapFacts(incident),
    ],
  };
}

function openLines(causes: readonly OpenCause[], { timezone }: MessageContext): readonly string[] {
  const lines = causes.slice(0, MAX_OPEN).map((cause) => {
    const since = zonedText(cause.since, timezone);
    return `${cause.severity}: ${headline(cause)} (${cause.id}, ${cause.subject}), since ${since}`;
  });
  return causes.length > MAX_OPEN ? [...lines, `and ${String(causes.length - MAX_OPEN)} more`] : lines;
}

/** Empty if the cause never changed. */
function storyLines(
  { formerCauses, cause, causeSince, lastSeen }: Incident,
  { timezone }: MessageContext,
): readonly string[] {
  if (formerCauses.length === 0) return [];
  const { id, subject, severity } = cause;
  const present = { id, subject, severity, since: causeSince, until: lastSeen };
  return [...formerCauses, present].map((one) => spanLine(one, timezone));
}

function spanLine(
  { id, subject, severity, since, until }: Omit<FormerCause, 'replacedAt' | 'published'>,
  timezone: string,
): string {
  const times = `from ${zonedText(since, timezone)} to ${zonedText(until, timezone)}`;
  return `${id} (${severity}, ${subject}), ${times}`;
}

function linksOf({ page, runbook }: Links, pageTitle: string): readonly Link[] {
  return [
    ...(page === null ? [] : [[pageTitle, page] as const]),
    ...(runbook === null ? [] : [['Runbook', runbook] as const]),
  ];
}

function commonFacts({ id, cause }: Incident, site: string): readonly Fact[] {
  return [
    ['Site', site],
    ['Cause', `${cause.id} (${cause.severity}, ${cause.confidence})`],
    ['Subject', cause.subject],
    ['Incident', id],
  ];
}

function flapFacts({ returns, flapping, status, cause }: Incident): readonly Fact[] {
  const within = `within ${spanText(INCIDENT_DEFAULTS.flapping.within)}`;
  const count = returns.length === 0 ? [] : [`returned ${counted(returns.length, 'time')} ${within}`];
  const rule =
    flapping && status === 'open'
      ? [
          `${cause.subject} had more than ${String(INCIDENT_DEFAULTS.flapping.outages)} outages ${within}, so this ` +
            `incident stays open until the fault has been gone for ${spanText(INCIDENT_DEFAULTS.flapping.quiet)}`,
        ]
      : [];
  const facts = [...count, ...rule];
  return facts.length === 0 ? [] : [['Flapping', facts.join('; ')]];
}
