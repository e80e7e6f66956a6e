import type * as z from 'zod';
import { notify } from './notify.ts';
import { readableFile } from './schema/files.ts';
import { type SectionFields, fieldsOf, itemsOf, type Report } from './schema/rules.ts';
import { schedule } from './schema/schedule.ts';
import { list, optional, section } from './schema/section.ts';
import { store } from './schema/store.ts';
import { choice, name, timezone } from './schema/values.ts';
import { web } from './schema/web.ts';
import { sourceSections } from '../sources/registry.ts';

/**
 * The configuration after validation: defaults filled in, durations in milliseconds, file names absolute, addresses
 * taken apart. Nothing in it changes at run time; a reload makes a new one. Its keys are explained where they are
 * defined, and in docs/configuration.md.
 */
export interface Config extends z.output<typeof configFile> {
  readonly site: string;
  /** Absolute name of the file that it was read from, the one that names the others; without, it is all defaults. */
  readonly file?: string;
}

/** The whole file: decoding reads it, encoding prints it. */
export const configFile = section(
  {
    include: list(readableFile).describe(
      'More files, each over the one before it, and this one over them all: sections are merged key by key, lists ' +
        'and values are replaced. Only the first file names others.',
    ),
    site: optional(name).describe(
      'Name of this site in messages, on the page and in reports; the default is the host name of the machine.',
    ),
    timezone: timezone
      .prefault('UTC')
      .describe('Time zone of this site: messages and pages show times in it and in UTC. Schedules have their own.'),
    ...sourceSections(),
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
  (file, report) => {
    portsAreFree(file, report);
    firewallsAreOfKnownUnits(file, report);
    certificatesAreOfKnownUnits(file, report);
  },
);

/** Two TCP listeners at the same address and port would fail only when the second one opens. */
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
