import type { Firewall } from './firewall.ts';
import type { FortiAuthenticator } from './fortiauthenticator.ts';
import type { InspectingFirewall } from './inspecting-firewall.ts';
import type { RegistrationService } from './registration.ts';
import { CONTROL_HOSTS, LICENSE, LICENSE_HOST, MAIL_HOST, MAIL_LOGIN, SERIALS } from './site.ts';

/** Top-level keys of a configuration file. */
export type ConfigurationPart = Readonly<Record<string, unknown>>;

/** FortiAuthenticator's errors count for this long in the lab, so that nobody has to wait for an outage to end. */
const WINDOW = '2s';

type Port = { readonly port: number };

/** Servers that the configuration refers to. */
export interface Servers {
  readonly resolver: Port;
  readonly firewall: InspectingFirewall;
  readonly mail: Port;
  readonly inbox: Port;
  readonly appliance: FortiAuthenticator;
  readonly registration: RegistrationService;
  readonly firewallApi: Firewall;
}

/** Returns a complete configuration of the daemon for the lab, with all checks every second. */
export function configurationOf({
  resolver,
  firewall,
  mail,
  inbox,
  appliance,
  registration,
  firewallApi,
}: Servers): ConfigurationPart {
  const at = (port: number): string => `127.0.0.1:${String(port)}`;
  return {
    site: 'lab',
    licenseServer: { host: LICENSE_HOST, port: firewall.portOf(LICENSE_HOST), expectedAddresses: ['127.0.0.1'] },
    trust: { profile: 'fortinet', caFiles: ['fortinet-ca.pem'], baselineFile: 'data/trust-baseline.json' },
    controlHosts: CONTROL_HOSTS.map((host) => `${host}:${String(firewall.portOf(host))}`),
    resolvers: [at(resolver.port)],
    mail: [
      {
        host: MAIL_HOST,
        port: mail.port,
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
        logSources: ['127.0.0.1'],
        licenses: [LICENSE],
        api: { url: appliance.url, user: appliance.state.user, keyFile: 'fac-key', pin: appliance.identity.pin },
      },
    ],
    logs: { syslog: { udp: '127.0.0.1:0', tcp: '127.0.0.1:0' }, window: WINDOW },
    registration: {
      user: registration.state.user,
      passwordFile: 'registration-password',
      url: registration.url,
      authUrl: registration.url,
      caFile: 'registration-ca.pem',
    },
    firewall: { url: firewallApi.url, tokenFile: 'firewall-token', source: '127.0.0.1', caFile: 'firewall-ca.pem' },
    schedule: { probes: '* * * * * *', appliance: '* * * * * *', registration: '*/2 * * * * *' },
    notify: {
      email: {
        from: 'ftm-watch@example.org',
        to: ['admins@example.org'],
        servers: [{ host: '127.0.0.1', port: inbox.port, security: 'none' }],
      },
      policy: { confirmations: 2, recoveries: 2, reminder: '4h', maxPerHour: 1000 },
    },
    web: { listen: '127.0.0.1:0' },
    store: { path: 'data/ftm-watch.sqlite', retention: '90d' },
  };
}
