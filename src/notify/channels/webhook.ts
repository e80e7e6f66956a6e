import { createHash, createHmac } from 'node:crypto';
import * as z from 'zod';
import type { ChannelDefinition, ChannelDeps, MessageChannel, DeliveryRequest } from './channel.ts';
import {
  authorityFile,
  optionalSecret,
  secretHeaders,
  secretsNeedHttps,
  secretUrlField,
  secretUrlKeys,
  type SecretUrl,
} from '../../config/schema/secret.ts';
import {
  textAt,
  unique,
  list,
  optional,
  section,
  parsedText,
  minSeverity,
  recipientName,
} from '../../config/schema/section.ts';
import { createPostingChannel, secretPartsOf, targetOf } from './http-post.ts';
import { placeOf } from '../../system/secret.ts';
import { isoTimeOrNull, isoTime } from '../../core/time-text.ts';
import { incidentToJson } from '../../document/incident-json.ts';
import {
  type Incident,
  eventOf,
  type IncidentNotification,
  type Notification,
} from '../../engine/incident/incident.ts';
import {
  incidentLinks,
  notificationLinks,
  type MessageContext,
  notificationText,
  type NotificationText,
  faultKey,
} from '../../document/notification.ts';
import { inertLine } from '../../document/markdown.ts';
import type { EpochMs } from '../../core/clock.ts';

interface TemplateData {
  readonly notification: Notification;
  readonly site: string;
  readonly text: NotificationText;
  /** Null if the notification is about several incidents or none. */
  readonly incident: Incident | null;
}

const PLACEHOLDERS: Readonly<Record<string, (data: TemplateData) => string | null | undefined>> = {
  id: ({ notification }) => notification.id,
  event: ({ notification }) => eventOf(notification),
  site: ({ site }) => site,
  time: ({ notification }) => isoTime(notification.at),
  tone: ({ text }) => text.tone,
  title: ({ text }) => text.subject,
  text: ({ text }) => text.paragraphs.join('\n'),
  cause: ({ incident }) => incident?.cause.id,
  subject: ({ incident }) => incident?.cause.subject,
  severity: ({ incident }) => incident?.cause.severity,
  incident: ({ incident }) => incident?.id,
  key: ({ incident, site }) => incident && faultKey(site, incident.cause.id, incident.cause.subject),
  page: ({ text }) => text.links.page,
  runbook: ({ text }) => text.links.runbook,
};

/** The values of these placeholders can quote untrusted input. */
const TEXTS: ReadonlySet<string> = new Set(['site', 'title', 'text', 'subject']);

function templateValues(notification: Notification, context: MessageContext): Readonly<Record<string, string>> {
  const text = notificationText(notification, context);
  const incident = notification.kind === 'incident' ? notification.incident : null;
  const data = { notification, site: context.site, text, incident };
  return Object.fromEntries(Object.entries(PLACEHOLDERS).map(([name, valueOf]) => [name, valueOf(data) ?? '']));
}

/**
 * Strings can contain `{{name}}` placeholders, whose texts are escaped for Markdown, and `{{{name}}}` for the unchanged
 * text. Inserted text is not expanded again, and templates cannot contain code.
 */
type JsonTemplate =
  | string
  | number
  | boolean
  | null
  | readonly JsonTemplate[]
  | { readonly [key: string]: JsonTemplate };

const PLACEHOLDER_PATTERN = /\{\{\{ *([A-Za-z]{1,32}) *\}\}\}|\{\{ *([A-Za-z]{1,32}) *\}\}/gu;

function placeholdersOf(template: JsonTemplate): readonly string[] {
  if (typeof template === 'string')
    return [...template.matchAll(PLACEHOLDER_PATTERN)].map(([, raw, name = '']) => raw ?? name);
  if (typeof template !== 'object' || template === null) return [];
  return Object.values(template).flatMap(placeholdersOf);
}

/** Placeholders without a value become an empty string. */
export function filled(template: JsonTemplate, values: Readonly<Record<string, string>>): JsonTemplate {
  if (typeof template === 'string')
    return template.replace(PLACEHOLDER_PATTERN, (_, raw: string | undefined, name: string | undefined) => {
      const own = raw ?? name ?? '';
      const value = Object.hasOwn(values, own) ? (values[own] ?? '') : '';
      return name !== undefined && TEXTS.has(name) ? value.split('\n').map(inertLine).join('\n') : value;
    });
  if (typeof template !== 'object' || template === null) return template;
  if (Array.isArray(template)) return template.map((item: JsonTemplate) => filled(item, values));
  return Object.fromEntries(Object.entries(template).map(([key, value]) => [key, filled(value, values)]));
}

const MAX_TEMPLATE = 20_000;
const PLACES = Object.keys(PLACEHOLDERS)
  .map((name) => `{{${name}}}`)
  .join(', ');

const template: z.ZodType<JsonTemplate> = parsedText({
  title: 'JSON template',
  expected: 'JSON with placeholders such as "{{title}}"',
  parse: (text) => {
    const value = text.length > MAX_TEMPLATE ? undefined : parsedJson(text);
    return value === undefined || unknownPlaces(value).length > 0 ? null : value;
  },
  problem: (text) => {
    const [unknown] = unknownPlaces(parsedJson(text) ?? null);
    return unknown === undefined ? null : `expected one of ${PLACES}, got "{{${unknown}}}"`;
  },
}).describe(
  `JSON to send instead of the default body. These placeholders are replaced in its strings: ${PLACES}. Texts are ` +
    'escaped for Markdown, unless you write {{{title}}} instead of {{title}}.',
);

function unknownPlaces(value: JsonTemplate): readonly string[] {
  return placeholdersOf(value).filter((name) => !Object.hasOwn(PLACEHOLDERS, name));
}

function parsedJson(text: string): JsonTemplate | undefined {
  try {
    return z.json().parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

const webhookEntry = section(
  {
    name: optional(recipientName),
    minSeverity,
    url: secretUrlField('URL to which notifications are posted.', 'https://hooks.example.org/ftm-watch'),
    template: optional(template),
    token: optionalSecret(
      'token',
      'Reads a token from this file. It is sent as "Authorization: Bearer". Requires HTTPS.',
    ),
    headers: secretHeaders,
    signingSecret: optionalSecret(
      'signing secret',
      'Reads the secret for signing bodies (HMAC-SHA256, Standard Webhooks) from this file.',
    ),
    caFile: authorityFile,
  },
  secretsNeedHttps,
);

type WebhookConfig = z.output<typeof webhookEntry>;

const webhooksSection = unique(list(webhookEntry), (item) =>
  ['name', ...secretUrlKeys('url')].flatMap((key) => textAt(key)(item)),
).describe('Webhooks. Each notification is sent to all of them as JSON.');

/** A separate channel is created for each webhook, so that a slow webhook does not delay the others. */
export const webhook: ChannelDefinition<'webhook', 'webhooks', readonly WebhookConfig[]> = {
  id: 'webhook',
  name: 'webhook',
  kind: 'messages',
  recipients: 'name',
  isProxied: true,
  key: 'webhooks',
  section: webhooksSection,
  create: ({ webhooks }, deps) => webhooks.map((config) => createWebhookChannel(config, deps)),
};

function createWebhookChannel(config: WebhookConfig, deps: ChannelDeps): MessageChannel {
  const { template, signingSecret } = config;
  const named = { ...config, name: config.name ?? webhookName(config.url) };
  return createPostingChannel('webhook', named, deps, async (request) => {
    const { notification } = request;
    const body = template === null ? webhookBody(deps, request) : filled(template, templateValues(notification, deps));
    const target = await targetOf(config, deps.readSecret);
    const signed = { id: notification.id, body: JSON.stringify(body), at: deps.clock.now() };
    const signature = signingSecret === null ? {} : signatureHeaders(signed, await deps.readSecret(signingSecret));
    return [{ ...target, body, headers: { ...target.headers, ...signature } }];
  });
}

/**
 * The path is secret, so a hash distinguishes webhooks on the same host. If the URL is read from a file or variable,
 * the name identifies that file or variable.
 */
function webhookName(url: SecretUrl): string {
  if (typeof url !== 'string') return placeOf(url);
  const text = url;
  const { origin } = new URL(text);
  if (secretPartsOf(text).length === 0) return origin;
  return `${origin}/… (${createHash('sha256').update(text).digest('hex').slice(0, 8)})`;
}

/** The fields are part of the API, which docs/alerting.md documents. */
function webhookBody(context: MessageContext, { notification, firstFailedAt }: DeliveryRequest): object {
  return {
    version: 2,
    id: notification.id,
    event: eventOf(notification),
    site: context.site,
    at: isoTimeOrNull(notification.at),
    firstFailedAt: isoTimeOrNull(firstFailedAt),
    links: notificationLinks(notification, context),
    ...content(notification, context),
  };
}

function content(notification: Notification, context: MessageContext): object {
  switch (notification.kind) {
    case 'incident':
      return {
        incidents: [incidentJson(notification.incident, context)],
        nextReminder: isoTimeOrNull(notification.nextReminder),
        stillOpen: stillOpenJson(notification),
      };
    case 'digest':
      return {
        incidents: notification.items.map(({ event, incident }) => ({ event, ...incidentJson(incident, context) })),
        omitted: notification.omitted,
        stillOpen: stillOpenJson(notification),
      };
    case 'note': {
      const { action, summary, sections } = notification;
      return { incidents: [], note: { action, summary, sections } };
    }
    case 'test':
      return { incidents: [] };
  }
}

function stillOpenJson({ stillOpen }: Pick<IncidentNotification, 'stillOpen'>): readonly object[] {
  return stillOpen.map((cause) => ({ ...cause, since: isoTimeOrNull(cause.since) }));
}

function incidentJson(incident: Incident, context: MessageContext): object {
  return { ...incidentToJson(incident), links: incidentLinks(incident, context) };
}

/**
 * Returns a symmetric signature as defined in Standard Webhooks 1.0.0
 * (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md). A secret that starts
 * with "whsec_" is base64-encoded.
 */
export function signatureHeaders(
  { id, body, at }: { readonly id: string; readonly body: string; readonly at: EpochMs },
  secret: string,
): Readonly<Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string>> {
  const timestamp = String(Math.floor(at / 1_000));
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : secret;
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}
