import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Certificates } from './certificates.ts';
import {
  APPLIANCE_ADDRESS,
  CONTROLS,
  FIREWALL_ADDRESS,
  INBOX_ADDRESS,
  LICENSE,
  LICENSE_ADDRESSES,
  LICENSE_HOST,
  MAIL_HOST,
  MAIL_LOGIN,
  MAIL_PORT,
  PUSH_HOST,
  REGISTRATION_ADDRESS,
  RESOLVERS,
  SERIALS,
  SYSLOG,
} from './site.ts';

/** Settings of the soak's configuration, apart from addresses. */
export const SETTINGS = {
  timezone: 'Europe/Berlin',
  /** Every Sunday from 04:30 for two hours. */
  maintenance: { cron: '30 4 * * 0', duration: '2h', timezone: 'Europe/Berlin' },
  silentAfterHours: 6,
  reminderHours: 4,
} as const;

/** Logins for the interfaces that need them. */
export const LOGINS = {
  appliance: { user: 'monitor', key: 'web-service-key' },
  registration: { user: 'api-user', password: 'api-password' },
  firewallToken: 'api-token',
} as const;

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

export function configurationOf(
  { everySeconds, mailsPerHour }: Pace,
  appliancePin: string,
): Readonly<Record<string, unknown>> {
  const probes = everySeconds < 60 ? `*/${String(everySeconds)} * * * * *` : `0 */${String(everySeconds / 60)} * * * *`;
  const appliance = `0 */${String(pollMinutes(everySeconds))} * * * *`;
  return {
    site: 'soak',
    licenseServer: { host: LICENSE_HOST, expectedAddresses: LICENSE_ADDRESSES },
    trust: {
      profile: 'fortinet',
      caFiles: ['fortinet-ca.pem', 'fortinet-next-ca.pem'],
      baselineFile: 'data/trust-baseline.json',
    },
    services: [{ name: 'push', host: PUSH_HOST, trust: { profile: 'pinned', caFiles: ['other-ca.pem'] } }],
    controlHosts: Object.keys(CONTROLS).map((host) => `${host}:443`),
    resolvers: RESOLVERS,
    mail: [
      {
        host: MAIL_HOST,
        port: MAIL_PORT,
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
        api: {
          url: `https://${APPLIANCE_ADDRESS}`,
          user: LOGINS.appliance.user,
          keyFile: 'fac-key',
          pin: appliancePin,
        },
      },
    ],
    logs: {
      syslog: { udp: `${SYSLOG.address}:${String(SYSLOG.port)}` },
      files: ['fac.log'],
      silentAfter: `${String(SETTINGS.silentAfterHours)}h`,
    },
    registration: {
      user: LOGINS.registration.user,
      passwordFile: 'registration-password',
      url: `https://${REGISTRATION_ADDRESS}`,
      authUrl: `https://${REGISTRATION_ADDRESS}`,
      caFile: 'registration-ca.pem',
    },
    firewall: {
      url: `https://${FIREWALL_ADDRESS}`,
      tokenFile: 'firewall-token',
      source: APPLIANCE_ADDRESS,
      caFile: 'firewall-ca.pem',
    },
    schedule: { probes, appliance, registration: '0 */30 * * * *', timezone: SETTINGS.timezone },
    notify: {
      email: {
        from: 'ftm-watch@example.org',
        to: ['admins@example.org'],
        servers: [{ host: INBOX_ADDRESS, port: 25, security: 'none' }],
      },
      policy: {
        reminder: `${String(SETTINGS.reminderHours)}h`,
        ...(mailsPerHour === undefined ? {} : { maxPerHour: mailsPerHour }),
      },
      maintenance: [SETTINGS.maintenance],
    },
    web: { listen: '127.0.0.1:9843' },
    store: { path: 'data/ftm-watch.sqlite' },
  };
}

/** Writes the configuration and all files that it refers to. Returns its path. */
export async function writeConfiguration(folder: string, pace: Pace, certificates: Certificates): Promise<string> {
  const { fortinet, fortinetNext, other, registration, firewall, appliance } = certificates;
  const files: Readonly<Record<string, string>> = {
    'fortinet-ca.pem': fortinet.pem,
    'fortinet-next-ca.pem': fortinetNext.pem,
    'other-ca.pem': other.pem,
    'registration-ca.pem': registration.pem,
    'firewall-ca.pem': firewall.pem,
    'fac-key': LOGINS.appliance.key,
    'registration-password': LOGINS.registration.password,
    'firewall-token': LOGINS.firewallToken,
    'mail-password': MAIL_LOGIN.password,
  };
  await mkdir(join(folder, 'data'), { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text, { mode: 0o600 });
  const path = join(folder, 'ftm-watch.yaml');
  await writeFile(path, JSON.stringify(configurationOf(pace, appliance.pin), null, 2));
  return path;
}
