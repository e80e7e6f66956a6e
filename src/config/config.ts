import type * as z from 'zod';
import { appliances } from './schema/appliances.ts';
import { clock } from './schema/clock.ts';
import { hostPort } from './schema/endpoints.ts';
import { firewall } from './schema/firewall.ts';
import { licenseServer } from './schema/license-server.ts';
import { logs } from './schema/logs.ts';
import { mail } from './schema/mail.ts';
import { notify } from './schema/notify.ts';
import { registration } from './schema/registration.ts';
import { resolvers } from './schema/resolver.ts';
import { type Fields, fieldsOf, type Report } from './schema/rules.ts';
import { schedule } from './schema/schedule.ts';
import { list, optional, section } from './schema/section.ts';
import { services } from './schema/services.ts';
import { store } from './schema/store.ts';
import { trust } from './schema/trust.ts';
import { address, choice, name } from './schema/values.ts';
import { web } from './schema/web.ts';

const HTTPS_PORT = 443;

/**
 * The configuration after validation: defaults filled in, durations in milliseconds, file names absolute, addresses
 * taken apart. Nothing in it changes at run time; a reload makes a new one. Its keys are explained where they are
 * defined, and in docs/configuration.md.
 */
export interface Config extends z.output<typeof configFile> {
  readonly site: string;
}

/** The whole file: decoding reads it, encoding prints it. */
export const configFile = section(
  {
    site: optional(name).describe(
      'Name of this site in messages and metrics; the default is the host name of the machine.',
    ),
    licenseServer: licenseServer.prefault({}).describe("Fortinet's FortiToken Mobile licence server."),
    trust: trust.prefault({}).describe("How the licence server's certificate is judged."),
    services: services.describe(
      'Other hosts that FortiAuthenticator talks to, such as the push service. The same probes and causes.',
    ),
    controlHosts: list(hostPort(HTTPS_PORT))
      .prefault(['www.fortinet.com:443', 'www.iana.org:443'])
      .describe(
        'Unrelated hosts that tell "the internet is gone" from "the licence server is blocked". A firewall may ' +
          'block them: that is no fault.',
      ),
    resolvers: resolvers
      .prefault(['system'])
      .describe(
        "Resolvers to ask, each by itself: name those that FortiAuthenticator uses. system is this machine's own.",
      ),
    sourceAddress: optional(address).describe(
      'Local address that probes leave from, on machines with several: firewall policies match source addresses.',
    ),
    mail: mail.describe('The mail servers that FortiAuthenticator sends activation codes through.'),
    clock: clock.prefault({}).describe("How this machine's clock is compared with the outside world."),
    appliances: appliances.describe('The FortiAuthenticator units.'),
    logs: logs.prefault({}).describe("FortiAuthenticator's log."),
    registration: optional(registration).describe(
      'FortiCloud asset management, read only: tells which unit a licence is registered to.',
    ),
    firewall: optional(firewall).describe(
      "The FortiGate on the way, read only: tells which policy matches FortiAuthenticator's traffic.",
    ),
    schedule: schedule.prefault({}).describe('When things run.'),
    notify: notify.prefault({}).describe('Who is told, and how.'),
    web: web.prefault({}).describe('The status page, the metrics and the API.'),
    store: store.prefault({}).describe('History, incidents and messages that wait.'),
    log: section({
      level: choice('trace', 'debug', 'info', 'warn', 'error')
        .prefault('info')
        .describe("How much the program's own log tells."),
    })
      .prefault({})
      .describe("The program's own log."),
  },
  portsAreFree,
);

/** Two TCP listeners at the same address and port would fail only when the second one opens. */
function portsAreFree(file: Fields, report: Report): void {
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
