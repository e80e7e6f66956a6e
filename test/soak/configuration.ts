import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Firewall } from '../../src/demo/lab/firewall.ts';
import type { FortiAuthenticator } from '../../src/demo/lab/fortiauthenticator.ts';
import type { RegistrationService } from '../../src/demo/lab/registration.ts';
import { LICENSE, LICENSE_HOST, MAIL_HOST, MAIL_LOGIN, SERIALS } from '../../src/demo/lab/site.ts';
import type { Millis } from '../../src/core/clock.ts';
import { offsetOf } from '../../src/system/cron-timer.ts';
import type { Certificates } from './certificates.ts';
import {
  APPLIANCE_ADDRESS,
  CONTROL_HOST,
  INBOX,
  LICENSE_ADDRESSES,
  MAIL,
  PUSH_HOST,
  RESOLVERS,
  SYSLOG,
} from './site.ts';

export const TIMEZONE = 'Europe/Berlin';
export const SILENT_AFTER_HOURS = 6;
/** Every Sunday from 04:30 for two hours. */
const MAINTENANCE = { cron: '30 4 * * 0', duration: '2h', timezone: TIMEZONE };
const SITE = 'soak';

/** The interfaces that need a login. */
export interface Apis {
  readonly appliance: FortiAuthenticator;
  readonly registration: RegistrationService;
  readonly firewall: Firewall;
}

/** Intervals and rates. */
export interface Pace {
  /** Time between two rounds. */
  readonly everySeconds: number;
  /** Maximum number of mails per hour; undefined: the default. */
  readonly mailsPerHour?: number;
}

/** Polling interval of the appliance and firewall APIs in minutes, never shorter than the interval between rounds. */
export function pollMinutes(everySeconds: number): number {
  return Math.max(10, everySeconds / 60);
}

function schedule(everySeconds: number): string {
  return everySeconds < 60 ? `*/${String(everySeconds)} * * * * *` : `0 */${String(everySeconds / 60)} * * * *`;
}

/** Delay of a round after its scheduled time. */
export function offsetOfRounds(everySeconds: number): Millis {
  return offsetOf(`${SITE} ${schedule(everySeconds)}`, everySeconds * 1000);
}

function configurationOf(
  { everySeconds, mailsPerHour }: Pace,
  { appliance, registration, firewall }: Apis,
): Readonly<Record<string, unknown>> {
  return {
    site: SITE,
    licenseServer: { host: LICENSE_HOST, expectedAddresses: LICENSE_ADDRESSES },
    trust: {
      profile: 'fortinet',
      caFiles: ['fortinet-ca.pem', 'fortinet-next-ca.pem'],
      baselineFile: 'data/trust-baseline.json',
    },
    services: [{ name: 'push', host: PUSH_HOST, trust: { profile: 'pinned', caFiles: ['other-ca.pem'] } }],
    controlHosts: [`${CONTROL_HOST}:443`],
    resolvers: RESOLVERS,
    mail: [
      {
        host: MAIL_HOST,
        port: MAIL.port,
        security: 'starttls',
        from: 'fac@example.org',
        to: 'probe@example.org',
        user: MAIL_LOGIN.user,
        passwordFile: 'mail-password',
        caFile: 'other-ca.pem',
      },
    ],
    appliances: [
      {
        name: 'fac-1',
        serial: SERIALS.unit,
        peerSerial: SERIALS.peer,
        logSources: [APPLIANCE_ADDRESS],
        licenses: [LICENSE],
        api: { url: appliance.url, user: appliance.state.user, keyFile: 'fac-key', pin: appliance.identity.pin },
      },
    ],
    logs: {
      syslog: { udp: `${SYSLOG.address}:${String(SYSLOG.port)}` },
      files: ['fac.log'],
      silentAfter: `${String(SILENT_AFTER_HOURS)}h`,
    },
    registration: {
      user: registration.state.user,
      passwordFile: 'registration-password',
      url: registration.url,
      authUrl: registration.url,
      caFile: 'registration-ca.pem',
    },
    firewall: { url: firewall.url, tokenFile: 'firewall-token', source: APPLIANCE_ADDRESS, caFile: 'firewall-ca.pem' },
    schedule: {
      probes: schedule(everySeconds),
      appliance: `0 */${String(pollMinutes(everySeconds))} * * * *`,
      registration: '0 */30 * * * *',
      timezone: TIMEZONE,
    },
    notify: {
      email: {
        from: 'ftm-watch@example.org',
        to: ['admins@example.org'],
        servers: [{ host: INBOX.address, port: INBOX.port, security: 'none' }],
      },
      policy: { reminder: '4h', ...(mailsPerHour === undefined ? {} : { maxPerHour: mailsPerHour }) },
      maintenance: [MAINTENANCE],
    },
    web: { listen: '127.0.0.1:9843' },
    store: { path: 'data/ftm-watch.sqlite' },
  };
}

/** Writes the configuration and all files that it refers to. Returns its path. */
export async function writeConfiguration(
  folder: string,
  pace: Pace,
  { fortinet, fortinetNext, other }: Certificates,
  apis: Apis,
): Promise<string> {
  const { appliance, registration, firewall } = apis;
  const files: Readonly<Record<string, string>> = {
    'fortinet-ca.pem': fortinet.pem,
    'fortinet-next-ca.pem': fortinetNext.pem,
    'other-ca.pem': other.pem,
    'registration-ca.pem': registration.identity.pem,
    'firewall-ca.pem': firewall.identity.pem,
    'fac-key': appliance.state.key,
    'registration-password': registration.state.password,
    'firewall-token': firewall.state.token,
    'mail-password': MAIL_LOGIN.password,
    'ftm-watch.yaml': JSON.stringify(configurationOf(pace, apis), null, 2),
  };
  await mkdir(join(folder, 'data'), { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text, { mode: 0o600 });
  return join(folder, 'ftm-watch.yaml');
}
