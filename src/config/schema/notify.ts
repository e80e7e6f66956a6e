import type * as z from 'zod';
import type { AlertPolicy, HeartbeatConfig, MaintenanceWindow, NotifyConfig, WebhookConfig } from '../config.ts';
import type { SchemaContext } from './context.ts';
import { readableFile, secretFile, secretFrom, secretVariable } from './files.ts';
import { email } from './mail.ts';
import { allowSecret, type Fields, given, list, type Report, ruled, section, textAt, unique } from './rules.ts';
import { isReadableOnTheWay, webUrl } from './urls.ts';
import { cron, duration, integer, timezone } from './values.ts';

const DAY = 86_400_000;
const MANY = 1000;

export function notify(context: SchemaContext): z.ZodType<NotifyConfig> {
  return section({
    email: email(context).optional().describe('Notifications by mail.'),
    alertmanager: section({
      urls: list(webUrl('http://127.0.0.1:9093'))
        .min(1, { error: 'expected at least one URL' })
        .describe('Every member of the cluster; alerts go to all of them, as Prometheus does it.'),
    })
      .optional()
      .describe("Prometheus' Alertmanager."),
    webhooks: unique(list(webhook(context)), 'url', textAt('url'))
      .prefault([])
      .describe('Web hooks: the incident is sent to each as JSON.'),
    policy: policy().prefault({}).describe('When a cause becomes an incident, and how often it is told.'),
    maintenance: list(maintenance())
      .prefault([])
      .describe('Windows in which incidents are recorded and nobody is notified.'),
    heartbeat: heartbeat()
      .optional()
      .describe(
        'A sign of life for a service that raises the alarm when it stays away: nobody else notices that the ' +
          'watcher itself is dead.',
      ),
  }).transform(({ email: mail, alertmanager, heartbeat: beat, ...rest }) => ({
    ...rest,
    email: mail ?? null,
    alertmanager: alertmanager ?? null,
    heartbeat: beat ?? null,
  }));
}

function webhook(context: SchemaContext): z.ZodType<WebhookConfig> {
  return ruled(
    section({
      url: webUrl('https://hooks.example.org/ftm-watch').describe(
        'Where to post to. "config print" and "report" show its scheme and host only; still, a secret belongs into ' +
          'the token.',
      ),
      tokenFile: secretFile(context)
        .optional()
        .describe('File with a token, sent as "Authorization: Bearer". Needs https.'),
      tokenEnv: secretVariable(context)
        .optional()
        .describe('Environment variable with the token, instead of the file.'),
      caFile: readableFile(context)
        .optional()
        .describe(
          'PEM file of the authority that signed its certificate; without it the public authorities are trusted.',
        ),
    }),
    tokenNeedsHttps,
  ).transform(({ url, tokenFile, tokenEnv, caFile }) => ({
    url,
    token: secretFrom(tokenFile, tokenEnv),
    caFile: caFile ?? null,
  }));
}

function tokenNeedsHttps(fields: Fields, report: Report): void {
  allowSecret('token', fields, report);
  const { url } = fields;
  const hasToken = given(fields, 'tokenFile') || given(fields, 'tokenEnv');
  if (hasToken && typeof url === 'string' && isReadableOnTheWay(url))
    report('url', 'expected a URL that begins with "https://": the token would travel in clear');
}

function policy(): z.ZodType<AlertPolicy> {
  return section({
    confirmations: integer(1, MANY, 'a number of rounds')
      .prefault(2)
      .describe('Rounds in a row that must show a cause before it is told. More is calmer and later.'),
    recoveries: integer(1, MANY, 'a number of rounds')
      .prefault(2)
      .describe('Rounds in a row without it before it counts as fixed.'),
    reminder: duration(7 * DAY)
      .prefault('4h')
      .describe('Remind of an open incident after so long.'),
    maxPerHour: integer(1, MANY, 'a number of messages')
      .prefault(20)
      .describe('Messages an hour and channel at most; what is more is gathered into one digest.'),
  });
}

function maintenance(): z.ZodType<MaintenanceWindow> {
  return section({
    cron: cron().describe('When the window begins: minute, hour, day of month, month, day of week.'),
    duration: duration(7 * DAY).describe('How long it lasts.'),
    timezone: timezone().prefault('UTC').describe('Time zone that `cron` is meant in.'),
  });
}

function heartbeat(): z.ZodType<HeartbeatConfig> {
  return section({
    url: webUrl('https://hc.example.org/ping/ftm-watch').describe(
      'What to fetch (GET) while rounds and alerting work. "config print" and "report" show its scheme and host only.',
    ),
    every: duration(DAY)
      .prefault('1m')
      .describe('How often. The service should wait for a few of them before it raises the alarm.'),
  });
}
