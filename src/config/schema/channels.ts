import * as z from 'zod';
import type { Fields } from '../../core/fields.ts';
import { isReadableOnTheWay, webUrl } from './endpoints.ts';
import {
  authorityFile,
  mailRelay,
  optionalSecret,
  secret,
  secretHeaders,
  secretsNeedHttps,
  secretUrlField,
  secretUrlKeys,
} from './secret.ts';
import {
  choice,
  endpoint,
  filledList,
  given,
  hasSecret,
  host,
  integer,
  itemsOf,
  list,
  mailAddress,
  minSeverity,
  namedMailAddress,
  optional,
  port,
  recipientName,
  type Report,
  requireLogin,
  section,
  text,
  textAt,
  unique,
} from './section.ts';
import { escape, template } from './webhook-template.ts';

const emailEntry = section({
  from: namedMailAddress.describe('Sender of the notifications.'),
  to: filledList(mailAddress, 'recipient').describe('Recipients.'),
  servers: unique(filledList(mailRelay, 'mail server'), endpoint).describe(
    'Mail servers, tried in this order. The last one should be a server that does not depend ' +
      'on the monitored path, such as localhost.',
  ),
  minSeverity,
});

const emailSection = optional(emailEntry).describe('Notifications by email.');

const slackEntry = z.lazy(() =>
  section({
    name: recipientName,
    minSeverity,
    url: secretUrlField("URL of a channel's incoming webhook.", 'https://hooks.slack.com/services/T0/B0/x'),
    caFile: authorityFile,
  }),
);

const slackSection = unique(list(slackEntry), textAt('name')).describe('Incoming webhooks of Slack channels.');

const mattermostEntry = z.lazy(() =>
  section({
    name: recipientName,
    minSeverity,
    url: secretUrlField("URL of a channel's incoming webhook.", 'https://mattermost.example.org/hooks/x'),
    caFile: authorityFile,
  }),
);

const mattermostSection = unique(list(mattermostEntry), textAt('name')).describe(
  'Incoming webhooks of Mattermost channels.',
);

const teamsEntry = z.lazy(() =>
  section({
    name: recipientName,
    minSeverity,
    url: secretUrlField(
      'Address of a workflow that posts to a channel when a webhook request is received.',
      'https://prod-00.westeurope.logic.azure.com/workflows/x',
    ),
    caFile: authorityFile,
  }),
);

const teamsSection = unique(list(teamsEntry), textAt('name')).describe(
  'Microsoft Teams workflows. Each notification is sent as an Adaptive Card.',
);

const DEFAULT_URL = 'https://events.pagerduty.com/v2/enqueue';

const pagerdutyEntry = z.lazy(() =>
  section(
    {
      name: recipientName,
      minSeverity,
      routingKey: secret('integration key', "Reads a service's integration key (Events API v2) from this file."),
      url: webUrl(DEFAULT_URL)
        .prefault(DEFAULT_URL)
        .describe('Address of the Events API. For accounts in the EU: https://events.eu.pagerduty.com/v2/enqueue.'),
      caFile: authorityFile,
    },
    keyNeedsHttps,
  ),
);

const pagerdutySection = unique(list(pagerdutyEntry), textAt('name')).describe(
  'PagerDuty services (Events API v2). There is one alert for each site, cause and subject.',
);

function keyNeedsHttps({ url }: Fields, report: Report): void {
  if (typeof url === 'string' && isReadableOnTheWay(url))
    report(
      'url',
      'expected a URL that begins with "https://", because the integration key would otherwise be sent unencrypted',
    );
}

const ntfyEntry = z.lazy(() =>
  section(
    {
      name: recipientName,
      minSeverity,
      url: secretUrlField(
        'Address of the topic. On a public server, keep the topic name secret.',
        'https://ntfy.sh/topic',
      ),
      token: optionalSecret(
        'token',
        'Reads an access token from this file, if the server requires one. Requires HTTPS.',
      ),
      caFile: authorityFile,
    },
    checkUrl,
  ),
);

const ntfySection = unique(list(ntfyEntry), textAt('name')).describe('ntfy topics, for push notifications to phones.');

export const NO_TOPIC = 'expected a URL that ends in a topic of at most 64 letters, digits, "_" and "-"';

export function topicOf(url: string): { readonly server: string; readonly topic: string } | null {
  const [, server, topic] = /^(https?:\/\/[^?#]*\/)([-_A-Za-z0-9]{1,64})$/u.exec(url) ?? [];
  return server === undefined || topic === undefined || /^https?:\/\/$/u.test(server) ? null : { server, topic };
}

function checkUrl(fields: Fields, report: Report): void {
  if (typeof fields['url'] === 'string' && topicOf(fields['url']) === null) report('url', NO_TOPIC);
  secretsNeedHttps(fields, report);
}

const webhookEntry = z.lazy(() =>
  section(
    {
      name: optional(recipientName),
      minSeverity,
      url: secretUrlField('URL to which notifications are posted.', 'https://hooks.example.org/ftm-watch'),
      template: optional(template),
      escape,
      errorText: optional(text).describe(
        'Text such as "error" in the response body that shows that the message was not accepted, although the status ' +
          'is 2xx. The message is sent again.',
      ),
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
  ),
);

const webhooksSection = unique(list(webhookEntry), (item) =>
  ['name', ...secretUrlKeys('url')].flatMap((key) => textAt(key)(item)),
).describe('Webhooks. Each notification is sent to all of them as JSON.');

const SYSLOG_PORT = 514;
/** RFC 5425 §4.1. */
const SYSLOG_TLS_PORT = 6514;
/** ftm-watch has no registered number. RFC 5612 reserves this one for examples. */
const EXAMPLE_NUMBER = 32_473;

const transport = choice('udp', 'tcp', 'tls');

const receiver = z.lazy(() =>
  section({
    name: recipientName,
    minSeverity,
    host: host.describe('Host of the receiver.'),
    port: port
      .meta({ default: SYSLOG_PORT })
      .optional()
      .describe('Port of the receiver. The default is 6514 if `transport` is tls.'),
    transport: transport
      .prefault('tcp')
      .describe(
        'udp: one datagram per line; lost lines are not detected. tcp: each line is preceded by its length ' +
          '(RFC 6587). tls: like tcp, but encrypted and verified (RFC 5425).',
      ),
    caFile: authorityFile,
    format: choice('rfc5424', 'cef')
      .prefault('rfc5424')
      .describe(
        'Format of the fields. rfc5424: structured data. cef: the Common Event Format of ArcSight, which most SIEMs ' +
          'can parse. In both formats, a line has a header of RFC 5424.',
      ),
    enterpriseNumber: integer(1, 4_294_967_295, 'a private enterprise number')
      .prefault(EXAMPLE_NUMBER)
      .describe(
        'Private enterprise number in the name of the structured data, which only rfc5424 has. The default is ' +
          'reserved for examples (RFC 5612). Set the number of your organization if rules of your SIEM must not ' +
          'match events of other programs.',
      ),
  }).transform((one) => ({
    ...one,
    port: one.port ?? (one.transport === 'tls' ? SYSLOG_TLS_PORT : SYSLOG_PORT),
  })),
);

const syslogSection = unique(unique(list(receiver), textAt('name')), endpoint).describe(
  'Syslog receivers such as FortiAnalyzer or a SIEM. Each message about an incident is sent as one RFC 5424 line.',
);

const alertmanagerEntry = section(
  {
    urls: filledList(webUrl('http://127.0.0.1:9093'), 'URL').describe(
      'URLs of all members of the cluster. Alerts are sent to all of them.',
    ),
    user: optional(text).describe('User name, if Alertmanager requires a login. Requires HTTPS.'),
    password: optionalSecret('password', 'Reads the password of `user` from this file.'),
    token: optionalSecret(
      'token',
      'Reads a token from this file. It is sent as "Authorization: Bearer" instead of a login.',
    ),
    caFile: authorityFile,
  },
  credentialsAreSafe,
);

const alertmanagerSection = optional(alertmanagerEntry).describe('Prometheus Alertmanager.');

function credentialsAreSafe(fields: Fields, report: Report): void {
  requireLogin(fields, report);
  const hasToken = hasSecret('token', fields);
  if (given(fields, 'user') && hasToken) report('user', 'expected a login or a token, not both');
  if (!given(fields, 'user') && !hasToken) return;
  if (itemsOf(fields['urls']).some((url) => typeof url === 'string' && isReadableOnTheWay(url)))
    report(
      'urls',
      'expected only URLs that begin with "https://", because the credentials would otherwise be sent unencrypted',
    );
}

interface ChannelDefinition {
  /** Stored, and used in metric labels and the API, so it must not change. */
  readonly id: string;
  /** Used in sentences, such as "by email". */
  readonly name: string;
  readonly kind: 'messages' | 'state';
  /**
   * How recipients are masked. Email addresses identify people, and the paths of URLs can be secret. `name` is the
   * configured name, or the URL if there is none.
   */
  readonly recipients: 'mail-address' | 'url' | 'name';
  /** If true, messages are sent through `notify.proxy`. */
  readonly isProxied: boolean;
  /** The key under `notify` in the configuration. */
  readonly key: string;
  readonly section: z.ZodType;
}

/** All other lists of channels are derived from this one. */
export const CHANNELS = [
  {
    id: 'email',
    name: 'email',
    kind: 'messages',
    recipients: 'mail-address',
    isProxied: false,
    key: 'email',
    section: emailSection,
  },
  {
    id: 'slack',
    name: 'Slack',
    kind: 'messages',
    recipients: 'name',
    isProxied: true,
    key: 'slack',
    section: slackSection,
  },
  {
    id: 'mattermost',
    name: 'Mattermost',
    kind: 'messages',
    recipients: 'name',
    isProxied: true,
    key: 'mattermost',
    section: mattermostSection,
  },
  {
    id: 'teams',
    name: 'Microsoft Teams',
    kind: 'messages',
    recipients: 'name',
    isProxied: true,
    key: 'teams',
    section: teamsSection,
  },
  {
    id: 'pagerduty',
    name: 'PagerDuty',
    kind: 'messages',
    recipients: 'name',
    isProxied: true,
    key: 'pagerduty',
    section: pagerdutySection,
  },
  {
    id: 'ntfy',
    name: 'ntfy',
    kind: 'messages',
    recipients: 'name',
    isProxied: true,
    key: 'ntfy',
    section: ntfySection,
  },
  {
    id: 'webhook',
    name: 'webhook',
    kind: 'messages',
    recipients: 'name',
    isProxied: true,
    key: 'webhooks',
    section: webhooksSection,
  },
  {
    id: 'syslog',
    name: 'syslog',
    kind: 'messages',
    recipients: 'name',
    isProxied: false,
    key: 'syslog',
    section: syslogSection,
  },
  {
    id: 'alertmanager',
    name: 'Alertmanager',
    kind: 'state',
    recipients: 'url',
    isProxied: false,
    key: 'alertmanager',
    section: alertmanagerSection,
  },
] as const satisfies readonly ChannelDefinition[];

type Listed = (typeof CHANNELS)[number];

export type ChannelId = Listed['id'];

export const CHANNEL_IDS: readonly ChannelId[] = CHANNELS.map(({ id }) => id);

/** Names for sentences. */
export const PROXIED_CHANNELS: readonly string[] = CHANNELS.filter(({ isProxied }) => isProxied).map(
  ({ name }) => name,
);

type ChannelSections = { readonly [Channel in Listed as Channel['key']]: Channel['section'] };

/** What is configured for the channels. */
export type ChannelsConfig = { readonly [Key in keyof ChannelSections]: z.output<ChannelSections[Key]> };

export function byChannel<T>(valueOf: (id: ChannelId) => T): Readonly<Record<ChannelId, T>>;
export function byChannel<T>(valueOf: (id: ChannelId) => T): Readonly<Record<string, T>> {
  return Object.fromEntries(CHANNEL_IDS.map((id) => [id, valueOf(id)]));
}

/** The overload declares the type of each key, which TypeScript cannot infer from the loop. */
export function channelSections(): ChannelSections;
export function channelSections(): Readonly<Record<string, z.ZodType>> {
  return Object.fromEntries(CHANNELS.map(({ key, section }) => [key, section]));
}

/** The strictest mask, which shows only URLs, applies to unknown channels. */
export function channelWords(id: string): Pick<ChannelDefinition, 'name' | 'recipients'> {
  return CHANNELS.find((channel) => channel.id === id) ?? { name: id, recipients: 'url' };
}

export function hasChannel(notify: ChannelsConfig): boolean {
  return CHANNELS.some(({ key }) => {
    const section = notify[key];
    return Array.isArray(section) ? section.length > 0 : section !== null;
  });
}

/** Shown wherever people might assume that notifications are sent. Null if a channel is configured. */
export function noChannelNote(notify: ChannelsConfig): string | null {
  if (hasChannel(notify)) return null;
  return (
    'No channel is configured, so ftm-watch does not send notifications. Only systems that scrape /metrics can ' +
    'raise alerts.'
  );
}
