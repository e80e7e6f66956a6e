import { type Fields, fieldsOf } from '../core/fields.ts';
import * as z from 'zod';
import { classifyAddress, isPrivateHost, plainName } from '../core/addresses.ts';
import {
  authorityFile,
  readableFile,
  proxy,
  secretHeaders,
  secretsNeedHttps,
  secretUrlField,
} from './schema/secret.ts';
import {
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
import { channelSections, PROXIED_CHANNELS } from '../config/schema/channels.ts';
import { webUrl } from './schema/endpoints.ts';

const DAY = 86_400_000;
const MANY = 1000;

const policy = section({
  confirmations: integer(1, MANY, 'a number of rounds')
    .prefault(2)
    .describe(
      'Number of consecutive rounds in which a cause must be found before it is reported. One fewer round is ' +
        'required if two sources agree.',
    ),
  recoveries: integer(1, MANY, 'a number of rounds')
    .prefault(2)
    .describe('Number of consecutive rounds in which a cause must be absent before it is resolved.'),
  reminder: duration(7 * DAY)
    .prefault('4h')
    .describe('Interval between reminders about an open incident.'),
  maxPerHour: integer(1, MANY, 'a number of messages')
    .prefault(20)
    .describe(
      'Maximum number of messages per hour across all channels. Further messages are collected in a digest. ' +
        'New critical causes, and the end of a fault that was reported, are always reported immediately.',
    ),
});

const maintenance = z.lazy(() =>
  section({
    cron: cron.describe('Start of the window, as minute, hour, day of month, month and day of week.'),
    duration: duration(7 * DAY).describe('How long the window lasts.'),
    timezone: timezone.prefault('UTC').describe('Time zone of `cron`.'),
  }),
);

const heartbeat = section({
  url: secretUrlField(
    'URL that ftm-watch requests with GET as long as rounds and notifications keep running.',
    'https://hc.example.org/ping/ftm-watch',
  ),
  every: duration(DAY)
    .prefault('1m')
    .describe('Interval between requests. The service should raise an alert after a few missed requests.'),
});

const summary = section({
  cron: cron
    .prefault('0 7 * * 1')
    .describe(
      "When the summary is sent, in the site's time zone, as minute, hour, day of month, month and day of week.",
    ),
});

const otlp = section(
  {
    url: webUrl('https://otel.example.org/v1/metrics').describe(
      'URL, including the path, to which metrics are pushed.',
    ),
    headers: secretHeaders,
    every: duration(DAY).prefault('1m').describe('How often metrics are pushed.'),
    caFile: authorityFile,
  },
  secretsNeedHttps,
);

const notify = section({
  ...channelSections(),
  policy: policy.prefault({}).describe('When a cause becomes an incident, and how often notifications are sent.'),
  maintenance: list(maintenance).describe(
    'Maintenance windows. Incidents are recorded, but no notifications are sent.',
  ),
  summary: optional(summary).describe(
    'A regular summary with availability, incidents, remaining tokens, certificates that expire soon, and active ' +
      'silences.',
  ),
  runbookUrl: optional(webUrl('https://wiki.example.org/ftm')).describe(
    'URL of your own runbooks, used instead of those in ftm-watch. The cause ID is appended.',
  ),
  proxy: optional(proxy).describe(
    `HTTP proxy for the heartbeat, \`metrics.otlp\` and these channels: ${PROXIED_CHANNELS.join(', ')}. Use a URL, or ` +
      'a section if the proxy requires a password. By default, the variables HTTPS_PROXY, HTTP_PROXY and NO_PROXY are ' +
      'used. Requests to loopback addresses never use a proxy.',
  ),
  heartbeat: optional(heartbeat).describe(
    'Regular requests to a monitoring service, which raises an alert when they stop. ftm-watch cannot report its own ' +
      'outage.',
  ),
});

/** Durations are in milliseconds, file names are absolute, and addresses are parsed. A reload creates a new object. */
export interface Config extends z.output<typeof configFile> {
  readonly site: string;
  /** Absolute path. Undefined if there is no file and all keys have their default values. */
  readonly file?: string;
  /** The values as written in the merged files, with all defaults, for {@link configFile}. */
  readonly written: unknown;
}

export const configFile = section(
  {
    include: list(readableFile).describe(
      'Additional configuration files. Later files override earlier ones, and this file overrides all of them. ' +
        'Sections are merged key by key. Lists and values are replaced. Included files cannot include other files.',
    ),
    site: optional(name).describe(
      'Name of this site in messages, reports and on the status page. The default is the host name.',
    ),
    timezone: timezone
      .prefault('UTC')
      .describe('Time zone of this site for messages and pages. The time zone of schedules is set separately.'),
    ...watchedSections,
    schedule: schedule.prefault({}).describe('When probes run and systems are queried.'),
    notify: notify.prefault({}).describe('Who receives notifications, and through which channels.'),
    web: web.prefault({}).describe('The status page, the metrics and the API.'),
    metrics: section({
      otlp: optional(otlp).describe(
        'Pushes all metrics over OTLP/HTTP, for sites that Prometheus cannot scrape. By default, the environment ' +
          'variables OTEL_EXPORTER_OTLP_METRICS_ENDPOINT and OTEL_EXPORTER_OTLP_ENDPOINT are used.',
      ),
    })
      .prefault({})
      .describe('Export of metrics, in addition to /metrics.'),
    store: store.prefault({}).describe('Database for history, incidents and pending messages.'),
    log: section({
      level: choice('trace', 'debug', 'info', 'warn', 'error')
        .prefault('info')
        .describe(
          "Level of ftm-watch's own log. The `event` of a line, such as `page-served`, is stable. `msg` can change.",
        ),
    })
      .prefault({})
      .describe("ftm-watch's own log."),
  },
  (file, report) => {
    portsAreFree(file, report);
    firewallsAreOfKnownUnits(file, report);
    publicNameForOthers(file, report);
    certificatesAreOfKnownUnits(file, report);
  },
);

/** Without this check, the second listener would fail at startup. */
function portsAreFree(file: Fields, report: Report): void {
  const syslog = fieldsOf(fieldsOf(file['logs'])['syslog']);
  const page = endpoint(fieldsOf(file['web'])['listen']);
  const tcp = endpoint(syslog['tcp']);
  const tls = endpoint(fieldsOf(syslog['tls'])['listen']);
  if (tcp !== null && tcp === page)
    report(['logs', 'syslog', 'tcp'], `the status page (web.listen) also listens on ${tcp}`);
  const other =
    tls === page ? 'the status page (web.listen)' : tls === tcp ? 'another listener (logs.syslog.tcp)' : null;
  if (tls !== null && other !== null) report(['logs', 'syslog', 'tls', 'listen'], `${other} also listens on ${tls}`);
}

function endpoint(value: unknown): string | null {
  const { address: where, port } = fieldsOf(value);
  return typeof where === 'string' && typeof port === 'number' && port !== 0 ? `${where}:${String(port)}` : null;
}

function firewallsAreOfKnownUnits({ appliances, firewall }: Fields, report: Report): void {
  const known = itemsOf(appliances).map((unit) => fieldsOf(unit)['name']);
  for (const unit of itemsOf(firewall).flatMap((entry) => itemsOf(fieldsOf(entry)['appliances']))) {
    if (typeof unit === 'string' && !known.includes(unit))
      report(['firewall'], `"${unit}" is not listed in "appliances"`);
  }
}

/** Names and addresses of this site are never sent to a public service. */
function publicNameForOthers({ outside, licenseServer }: Fields, report: Report): void {
  const { host } = fieldsOf(licenseServer);
  if (outside === null || outside === undefined || typeof host !== 'string') return;
  if (classifyAddress(host) !== null || isPrivateHost(plainName(host)))
    report(['outside'], `other networks can be asked only about a public name, and licenseServer.host is "${host}"`);
}

function certificatesAreOfKnownUnits({ appliances, logs }: Fields, report: Report): void {
  const known = itemsOf(appliances).map((unit) => fieldsOf(unit)['name']);
  const { certificates } = fieldsOf(fieldsOf(fieldsOf(logs)['syslog'])['tls']);
  for (const unit of itemsOf(certificates).map((entry) => fieldsOf(entry)['appliance'])) {
    if (typeof unit === 'string' && !known.includes(unit))
      report(['logs', 'syslog', 'tls', 'certificates'], `"${unit}" is not listed in "appliances"`);
  }
}

export type JsonSchema = Readonly<Record<string, unknown>>;

/** Uses draft 7, which editors support best. */
export function configJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(configFile, { io: 'input', target: 'draft-07' });
  return { ...schema, title: 'Configuration of ftm-watch' };
}
