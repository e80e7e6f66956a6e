import type * as z from 'zod';
import { appliances, firewall, peers, registration } from './connectors.ts';
import { hostPort } from './endpoints.ts';
import { logs } from './logs.ts';
import { mail } from './mail.ts';
import { licenseServer, services, trust } from './path.ts';
import { resolvers } from './secret.ts';
import { address, duration, list, optional, section } from './section.ts';

const HTTPS_PORT = 443;
const NTP_PORT = 123;
const HOUR = 3_600_000;

const clock = section({
  ntp: list(hostPort(NTP_PORT)).describe(
    'NTP servers whose time is compared with the local clock. By default, the Date headers of web servers are used.',
  ),
  maxOffset: duration(HOUR)
    .prefault('30s')
    .describe(
      'Maximum offset of the local clock. A larger offset is reported, because certificates and tokens depend on ' +
        'the time.',
    ),
});

export const watchedSections = {
  licenseServer: licenseServer.prefault({}).describe("Fortinet's FortiToken Mobile licence server."),
  trust: trust.prefault({}).describe("How the licence server's certificate is verified."),
  services: services.describe('Other hosts to which FortiAuthenticator connects, such as the push service.'),
  resolvers: resolvers
    .prefault(['system'])
    .describe(
      'DNS resolvers, each of which is queried separately. List the resolvers that FortiAuthenticator uses.',
    ),
  sourceAddress: optional(address).describe('Local address that probes use, for machines with several addresses.'),
  controlHosts: list(hostPort(HTTPS_PORT))
    .prefault(['www.fortinet.com:443', 'www.iana.org:443'])
    .describe(
      'Unrelated hosts that show whether the whole internet is unreachable or only the licence server. A firewall ' +
        'may block these hosts.',
    ),
  mail: mail.describe('Mail servers that FortiAuthenticator uses to send activation codes.'),
  clock: clock.prefault({}).describe('How the local clock is checked.'),
  appliances: appliances.describe('The FortiAuthenticator units.'),
  logs: logs.prefault({}).describe("How FortiAuthenticator's log is received and evaluated."),
  registration: optional(registration).describe(
    'FortiCloud asset management (read-only access), which reports to which unit a licence is registered.',
  ),
  firewall: firewall.describe(
    "FortiGates on the path (read-only access), which report the policy that matches FortiAuthenticator's traffic. " +
      'Add one entry for each source address of the traffic. A single entry need not be a list.',
  ),
  peers: peers.describe(
    'Other ftm-watch agents in the same network segment as FortiAuthenticator. The status of these agents is read on ' +
      'the schedule `schedule.appliance`.',
  ),
};

export type WatchedConfig = {
  readonly [Key in keyof typeof watchedSections]: z.output<(typeof watchedSections)[Key]>;
};
