import type * as z from 'zod';
import type { ClockConfig, Config, ScheduleConfig, StoreConfig, WebConfig } from '../config.ts';
import { appliances } from './appliances.ts';
import { firewall, registration } from './connectors.ts';
import type { SchemaContext } from './context.ts';
import { hostPort, listenAddress, resolver } from './endpoints.ts';
import { outputFile, readableFile, requiredSecret, secretFile, secretVariable } from './files.ts';
import { licenseServer } from './license-server.ts';
import { logs } from './logs.ts';
import { mailServers } from './mail.ts';
import { notify } from './notify.ts';
import { fieldsOf, type Fields, list, type Report, requireSecret, ruled, section, textAt, unique } from './rules.ts';
import { services, trust } from './trust.ts';
import { address, choice, cronWithSeconds, duration, hostName, name, timezone } from './values.ts';

const DAY = 86_400_000;
const HOUR = 3_600_000;
const NTP_PORT = 123;
const HTTPS_PORT = 443;

/**
 * The whole file, from what YAML says to the configuration that the program works with. Parse it asynchronously: files
 * are looked at.
 */
export function configSchema(context: SchemaContext): z.ZodType<Config> {
  return ruled(
    section({
      ...pathFields(context),
      ...otherFields(context),
    }),
    portsAreFree,
  ).transform((file) => ({
    ...file,
    site: file.site ?? context.hostname,
    sourceAddress: file.sourceAddress ?? null,
    registration: file.registration ?? null,
    firewall: file.firewall ?? null,
  }));
}

/** What the path to the licence server is, and how it is looked at. */
function pathFields(context: SchemaContext) {
  return {
    site: name()
      .optional()
      .describe('Name of this site in messages and metrics; the default is the host name of the machine.'),
    licenseServer: licenseServer(context).prefault({}).describe("Fortinet's FortiToken Mobile licence server."),
    trust: trust(context).prefault({}).describe("How the licence server's certificate is judged."),
    services: services(context)
      .prefault([])
      .describe('Other hosts that FortiAuthenticator talks to, such as the push service. The same probes and causes.'),
    controlHosts: list(hostPort(HTTPS_PORT))
      .prefault(['www.fortinet.com:443', 'www.iana.org:443'])
      .describe(
        'Unrelated hosts that tell "the internet is gone" from "the licence server is blocked". A firewall may ' +
          'block them: that is no fault.',
      ),
    resolvers: unique(
      list(resolver()).min(1, { error: 'expected at least one resolver, such as "system"' }),
      null,
      labelOf,
    )
      .prefault(['system'])
      .describe(
        "Resolvers to ask, each by itself: name those that FortiAuthenticator uses. system is this machine's own.",
      ),
    sourceAddress: address()
      .optional()
      .describe(
        'Local address that probes leave from, on machines with several: firewall policies match source addresses.',
      ),
  };
}

/** What stands beside the path, who is told, and what the program keeps. */
function otherFields(context: SchemaContext) {
  return {
    mail: mailServers(context)
      .prefault([])
      .describe('The mail servers that FortiAuthenticator sends activation codes through.'),
    clock: clock().prefault({}).describe("How this machine's clock is compared with the outside world."),
    appliances: appliances(context).prefault([]).describe('The FortiAuthenticator units.'),
    logs: logs(context).prefault({}).describe("FortiAuthenticator's log."),
    registration: registration(context)
      .optional()
      .describe('FortiCloud asset management, read only: tells which unit a licence is registered to.'),
    firewall: firewall(context)
      .optional()
      .describe("The FortiGate on the way, read only: tells which policy matches FortiAuthenticator's traffic."),
    schedule: schedule().prefault({}).describe('When things run.'),
    notify: notify(context).prefault({}).describe('Who is told, and how.'),
    web: web(context).prefault({}).describe('The status page, the metrics and the API.'),
    store: store(context).prefault({}).describe('History, incidents and messages that wait.'),
    log: section({
      level: choice('trace', 'debug', 'info', 'warn', 'error')
        .prefault('info')
        .describe("How much the program's own log tells."),
    })
      .prefault({})
      .describe("The program's own log."),
  };
}

function clock(): z.ZodType<ClockConfig> {
  return section({
    ntp: list(hostPort(NTP_PORT))
      .prefault([])
      .describe('NTP servers to compare with. Without any, the Date headers of web servers are used.'),
    maxOffset: duration(HOUR)
      .prefault('30s')
      .describe('A clock that is further off is reported: certificates and tokens depend on the time.'),
  });
}

function schedule(): z.ZodType<ScheduleConfig> {
  return section({
    probes: cronWithSeconds()
      .prefault('*/30 * * * * *')
      .describe('The probes of the path: name resolution, reachability, TLS, licence server, mail, clock.'),
    appliance: cronWithSeconds().prefault('0 */5 * * * *').describe("FortiAuthenticator's and the firewall's APIs."),
    registration: cronWithSeconds()
      .prefault('0 0 */6 * * *')
      .describe('The registration service. Licences move rarely, and the service limits requests.'),
    timezone: timezone().prefault('UTC').describe('Time zone that the expressions are meant in.'),
  });
}

function web(context: SchemaContext): z.ZodType<WebConfig> {
  const user = ruled(
    section({
      name: name().describe('User name.'),
      passwordHashFile: secretFile(context)
        .optional()
        .describe('File with the scrypt or bcrypt hash of the password, made as docs/web.md says.'),
      passwordHashEnv: secretVariable(context)
        .optional()
        .describe('Environment variable with the hash, instead of the file.'),
    }),
    (fields, report) => {
      requireSecret('passwordHash', fields, report);
    },
  ).transform((entry) => ({
    name: entry.name,
    passwordHash: requiredSecret(entry.passwordHashFile, entry.passwordHashEnv),
  }));
  return section({
    listen: listenAddress()
      .prefault('127.0.0.1:9843')
      .describe(
        'Where to listen. Only this machine can connect by default: configure `tls` and `users` before opening it.',
      ),
    tls: section({
      certFile: readableFile(context).describe('PEM file of the certificate, with its chain.'),
      keyFile: readableFile(context).describe('PEM file of its private key.'),
    })
      .optional()
      .describe('Serve https instead of http.'),
    users: unique(list(user), 'name', textAt('name'))
      .prefault([])
      .describe('Who may see it (basic authentication). Nobody is asked while the list is empty.'),
    hosts: list(hostName().transform((host) => host.toLowerCase()))
      .prefault([])
      .describe(
        'Names under which it may be called without users, beside addresses, localhost and names without a dot. ' +
          'Any other name is refused then: a page on the internet can make its own name point here.',
      ),
    probeTargets: list(hostPort(HTTPS_PORT))
      .prefault([])
      .describe(
        'More targets that /probe accepts, beside those of this configuration. Anything else is refused: a monitor ' +
          'must not be a way into the network.',
      ),
  }).transform((section) => ({ ...section, tls: section.tls ?? null }));
}

function store(context: SchemaContext): z.ZodType<StoreConfig> {
  return section({
    path: outputFile(context, 'data/ftm-watch.sqlite').describe('The SQLite database. Its folder must be writable.'),
    retention: duration(3650 * DAY)
      .prefault('90d')
      .describe('How long history is kept.'),
  });
}

/** Two TCP listeners at the same address and port would fail only when the second one opens. */
function portsAreFree(file: Fields, report: Report): void {
  const syslog = fieldsOf(fieldsOf(file['logs'])['syslog']);
  const web = endpoint(fieldsOf(file['web'])['listen']);
  const tcp = endpoint(syslog['tcp']);
  const tls = endpoint(syslog['tls']);
  if (tcp !== null && tcp === web)
    report(['logs', 'syslog', 'tcp'], `the status page (web.listen) listens at ${tcp} too`);
  const other =
    tls === web ? 'the status page (web.listen)' : tls === tcp ? 'another listener (logs.syslog.tcp)' : null;
  if (tls !== null && other !== null) report(['logs', 'syslog', 'tls', 'listen'], `${other} listens at ${tls} too`);
}

function endpoint(value: unknown): string | null {
  const { address: where, port } = fieldsOf(value);
  return typeof where === 'string' && typeof port === 'number' && port !== 0 ? `${where}:${String(port)}` : null;
}

function labelOf(item: unknown): string | null {
  const { label } = fieldsOf(item);
  return typeof label === 'string' ? label : null;
}
