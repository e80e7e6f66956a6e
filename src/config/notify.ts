import type * as z from 'zod';
import { channelSections } from '../notify/channels/registry.ts';
import { proxy } from './schema/proxy.ts';
import { list, optional, section } from './schema/section.ts';
import { secretUrlField } from './schema/secret-url.ts';
import { webUrl } from './schema/urls.ts';
import { cron, duration, integer, timezone } from './schema/values.ts';

const DAY = 86_400_000;
const MANY = 1000;

const policy = section({
  confirmations: integer(1, MANY, 'a number of rounds')
    .prefault(2)
    .describe(
      'Rounds in a row that must show a cause before it is told, one less where two witnesses agree. More is calmer ' +
        'and later.',
    ),
  recoveries: integer(1, MANY, 'a number of rounds')
    .prefault(2)
    .describe('Rounds in a row without it before it counts as fixed.'),
  reminder: duration(7 * DAY)
    .prefault('4h')
    .describe('Remind of an open incident after so long.'),
  maxPerHour: integer(1, MANY, 'a number of messages')
    .prefault(20)
    .describe(
      'Messages an hour at most, for all channels together. Others wait for a digest; new critical causes never wait.',
    ),
});

const maintenance = section({
  cron: cron.describe('When the window begins: minute, hour, day of month, month, day of week.'),
  duration: duration(7 * DAY).describe('How long it lasts.'),
  timezone: timezone.prefault('UTC').describe('Time zone that `cron` is meant in.'),
});

const heartbeat = section({
  url: secretUrlField('What to fetch (GET) while rounds and alerting work.', 'https://hc.example.org/ping/ftm-watch'),
  every: duration(DAY)
    .prefault('1m')
    .describe('How often. The service should wait for a few of them before it raises the alarm.'),
});

const summary = section({
  cron: cron
    .prefault('0 7 * * 1')
    .describe(
      'When: minute, hour, day of month, month, day of week, in the zone of the site. It covers the time since.',
    ),
});

export type MaintenanceWindow = z.output<typeof maintenance>;
export type HeartbeatConfig = z.output<typeof heartbeat>;
export type NotifyConfig = z.output<typeof notify>;

export const notify = section({
  ...channelSections(),
  policy: policy.prefault({}).describe('When a cause becomes an incident, and how often it is told.'),
  maintenance: list(maintenance).describe('Windows in which incidents are recorded and nobody is notified.'),
  summary: optional(summary).describe(
    'A regular message: availability, incidents (a licence that must be redeemed soon is one), tokens left, ' +
      'certificates that end soon, silences that are still on.',
  ),
  runbookUrl: optional(webUrl('https://wiki.example.org/ftm')).describe(
    'Where the runbooks are, where it is not this daemon: messages link to it with the id of the cause at its end.',
  ),
  proxy: optional(proxy).describe(
    'HTTP proxy for Slack, Teams, PagerDuty, ntfy, web hooks and the heartbeat. A URL, or a section if the proxy asks ' +
      'for a password. Without it, the variables HTTPS_PROXY, HTTP_PROXY and NO_PROXY apply. Loopback is never proxied.',
  ),
  heartbeat: optional(heartbeat).describe(
    'A sign of life for a service that raises the alarm when it stays away: nobody else notices that the ' +
      'watcher itself is dead.',
  ),
});
