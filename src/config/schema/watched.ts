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
    'NTP servers to compare with. Without any, the Date headers of web servers are used.',
  ),
  maxOffset: duration(HOUR)
    .prefault('30s')
    .describe('A clock that is further off is reported: certificates and tokens depend on the time.'),
});

/** The sections about the site: what each round checks, which logs are received, and what is queried less often. */
export const watchedSections = {
  licenseServer: licenseServer.prefault({}).describe("Fortinet's FortiToken Mobile licence server."),
  trust: trust.prefault({}).describe("How the licence server's certificate is judged."),
  services: services.describe('Other hosts that FortiAuthenticator connects to, such as the push service.'),
  resolvers: resolvers
    .prefault(['system'])
    .describe('Resolvers to query, each separately. List those that FortiAuthenticator uses.'),
  sourceAddress: optional(address).describe('Local address that probes use, on machines with several addresses.'),
  controlHosts: list(hostPort(HTTPS_PORT))
    .prefault(['www.fortinet.com:443', 'www.iana.org:443'])
    .describe(
      'Unrelated hosts that distinguish "the internet is down" from "the licence server is blocked". It is not ' +
        'a fault if a firewall blocks them.',
    ),
  mail: mail.describe('The mail servers that FortiAuthenticator sends activation codes through.'),
  clock: clock.prefault({}).describe("How this machine's clock is compared with the outside world."),
  appliances: appliances.describe('The FortiAuthenticator units.'),
  logs: logs.prefault({}).describe("FortiAuthenticator's log."),
  registration: optional(registration).describe(
    'FortiCloud asset management, read only: tells which unit a licence is registered to.',
  ),
  firewall: firewall.describe(
    "The FortiGates on the path, read only: the policy that matches FortiAuthenticator's traffic. One entry " +
      'for each address that the traffic comes from. A single entry needs no list.',
  ),
  peers: peers.describe(
    "Other ftm-watch agents in FortiAuthenticator's own network segment. Their status is read on " +
      '`schedule.appliance`.',
  ),
};

export type WatchedConfig = {
  readonly [Key in keyof typeof watchedSections]: z.output<(typeof watchedSections)[Key]>;
};
