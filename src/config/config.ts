import * as z from 'zod';
import { authorityFile, optionalSecret, readableFile, proxy, secretUrlField } from './schema/secret.ts';
import {
  type SectionFields,
  fieldsOf,
  hasSecret,
  itemsOf,
  type Report,
  schedule,
  list,
  optional,
  section,
  choice,
  name,
  timezone,
  cron,
  duration,
  integer,
} from './schema/section.ts';
import { store, web } from './schema/web.ts';
import { watchedSections } from './schema/watched.ts';
import { channelSections } from '../notify/channels/registry.ts';
import { isReadableOnTheWay, webUrl } from './schema/endpoints.ts';

const DAY = 86_400_000;
const MANY = 1000;

const policy = section({
  confirmations: integer(1, MANY, 'a number of rounds')
    .prefault(2)
    .describe('Rounds in a row that must show a cause before it is reported; one less if two witnesses agree.'),
  recoveries: integer(1, MANY, 'a number of rounds')
    .prefault(2)
    .describe('Rounds in a row without the cause before it counts as fixed.'),
  reminder: duration(7 * DAY)
    .prefault('4h')
    .describe('Interval of reminders about an open incident.'),
  maxPerHour: integer(1, MANY, 'a number of messages')
    .prefault(20)
    .describe(
      'Maximum number of messages per hour, for all channels together. Others wait for a digest. New critical ' +
        'causes never wait.',
    ),
});

const maintenance = section({
  cron: cron.describe('Start of the window: minute, hour, day of month, month, day of week.'),
  duration: duration(7 * DAY).describe('How long it lasts.'),
  timezone: timezone.prefault('UTC').describe('Time zone of `cron`.'),
});

const heartbeat = section({
  url: secretUrlField('What to fetch (GET) while rounds and alerting work.', 'https://hc.example.org/ping/ftm-watch'),
  every: duration(DAY).prefault('1m').describe('Interval. The service should alert after a few missed requests.'),
});

const summary = section({
  cron: cron
    .prefault('0 7 * * 1')
    .describe('Time in the zone of the site: minute, hour, day of month, month, day of week.'),
});

const otlp = section(
  {
    url: webUrl('https://otel.example.org/v1/metrics').describe('Where to push, used as it is, with the path.'),
    headers: optionalSecret(
      'headers',
      'File with headers for each request, such as "Authorization: Bearer TOKEN", one in a line.',
    ),
    every: duration(DAY).prefault('1m').describe('How often.'),
    caFile: authorityFile,
  },
  (fields, report) => {
    const { url } = fields;
    if (hasSecret('headers', fields) && typeof url === 'string' && isReadableOnTheWay(url))
      report('url', 'expected a URL that begins with "https://": the headers would be sent unencrypted');
  },
);

const notify = section({
  ...channelSections(),
  policy: policy.prefault({}).describe('When a cause becomes an incident, and how often it is sent.'),
  maintenance: list(maintenance).describe('Windows in which incidents are recorded and nobody is notified.'),
  summary: optional(summary).describe(
    'A regular message: availability, incidents, tokens left, certificates that expire soon, active silences.',
  ),
  runbookUrl: optional(webUrl('https://wiki.example.org/ftm')).describe(
    'Address of the runbooks, if not this daemon. The id of the cause is appended.',
  ),
  proxy: optional(proxy).describe(
    'HTTP proxy for Slack, Teams, PagerDuty, ntfy, web hooks, the heartbeat and `metrics.otlp`. A URL, or a section ' +
      'if the proxy asks for a password. Without it, the variables HTTPS_PROXY, HTTP_PROXY and NO_PROXY apply. ' +
      'Loopback is never proxied.',
  ),
  heartbeat: optional(heartbeat).describe(
    'A request to a service that alerts when it stops, because ftm-watch cannot report its own end.',
  ),
});

/**
 * The validated configuration: defaults are filled in, durations are in milliseconds, file names are absolute, and
 * addresses are parsed. It does not change at run time; a reload creates a new one. The keys are documented where they
 * are defined, and in docs/configuration.md.
 */
export interface Config extends z.output<typeof configFile> {
  readonly site: string;
  /** Absolute name of the main file. Absent if there is no file and everything has its default value. */
  readonly file?: string;
}

/** Schema of the whole file. Decoding reads it, encoding prints it. */
export const configFile = section(
  {
    include: list(readableFile).describe(
      'More files. Each overrides the one before it, and this file overrides all: sections are merged key by ' +
        'key, lists and values are replaced. Included files cannot include others.',
    ),
    site: optional(name).describe(
      'Name of this site in messages, on the page and in reports. The default is the host name.',
    ),
    timezone: timezone
      .prefault('UTC')
      .describe('Time zone of this site for messages and pages. Schedules have their own.'),
    ...watchedSections,
    schedule: schedule.prefault({}).describe('When things run.'),
    notify: notify.prefault({}).describe('Who is notified, and how.'),
    web: web.prefault({}).describe('The status page, the metrics and the API.'),
    metrics: section({
      otlp: optional(otlp).describe(
        'Pushes all metrics by OTLP/HTTP, for a site that Prometheus cannot scrape. Without it, the ' +
          'environment variables OTEL_EXPORTER_OTLP_METRICS_ENDPOINT and OTEL_EXPORTER_OTLP_ENDPOINT apply.',
      ),
    })
      .prefault({})
      .describe('How metrics leave this machine other than by /metrics.'),
    store: store.prefault({}).describe('History, incidents and pending messages.'),
    log: section({
      level: choice('trace', 'debug', 'info', 'warn', 'error')
        .prefault('info')
        .describe("Level of the program's own log."),
    })
      .prefault({})
      .describe("The program's own log."),
  },
  (file, report) => {
    portsAreFree(file, report);
    firewallsAreOfKnownUnits(file, report);
    certificatesAreOfKnownUnits(file, report);
  },
);

/** Two TCP listeners on the same address and port would otherwise fail only when the second one is opened. */
function portsAreFree(file: SectionFields, report: Report): void {
  const syslog = fieldsOf(fieldsOf(file['logs'])['syslog']);
  const page = endpoint(fieldsOf(file['web'])['listen']);
  const tcp = endpoint(syslog['tcp']);
  const tls = endpoint(fieldsOf(syslog['tls'])['listen']);
  if (tcp !== null && tcp === page)
    report(['logs', 'syslog', 'tcp'], `the status page (web.listen) listens at ${tcp} too`);
  const other =
    tls === page ? 'the status page (web.listen)' : tls === tcp ? 'another listener (logs.syslog.tcp)' : null;
  if (tls !== null && other !== null) report(['logs', 'syslog', 'tls', 'listen'], `${other} listens at ${tls} too`);
}

function endpoint(value: unknown): string | null {
  const { address: where, port } = fieldsOf(value);
  return typeof where === 'string' && typeof port === 'number' && port !== 0 ? `${where}:${String(port)}` : null;
}

function firewallsAreOfKnownUnits({ appliances, firewall }: SectionFields, report: Report): void {
  const known = itemsOf(appliances).map((unit) => fieldsOf(unit)['name']);
  for (const unit of itemsOf(firewall).flatMap((entry) => itemsOf(fieldsOf(entry)['appliances']))) {
    if (typeof unit === 'string' && !known.includes(unit))
      report(['firewall'], `"${unit}" is the name of none of the "appliances"`);
  }
}

function certificatesAreOfKnownUnits({ appliances, logs }: SectionFields, report: Report): void {
  const known = itemsOf(appliances).map((unit) => fieldsOf(unit)['name']);
  const { certificates } = fieldsOf(fieldsOf(fieldsOf(logs)['syslog'])['tls']);
  for (const unit of itemsOf(certificates).map((entry) => fieldsOf(entry)['appliance'])) {
    if (typeof unit === 'string' && !known.includes(unit))
      report(['logs', 'syslog', 'tls', 'certificates'], `"${unit}" is the name of none of the "appliances"`);
  }
}

/** A JSON Schema as plain data. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * Returns the JSON Schema (draft 7, which editors support best) of the configuration file, with a description and a
 * default for each key.
 */
export function configJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(configFile, { io: 'input', target: 'draft-07' });
  return { ...schema, title: 'Configuration of ftm-watch' };
}
