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

/** The sections about the site: what each round looks at, what is listened to, and what is asked more slowly. */
export const watchedSections = {
  licenseServer: licenseServer.prefault({}).describe("Fortinet's FortiToken Mobile licence server."),
  trust: trust.prefault({}).describe("How the licence server's certificate is judged."),
  services: services.describe(
    'Other hosts that FortiAuthenticator talks to, such as the push service. The same probes and causes.',
  ),
  resolvers: resolvers
    .prefault(['system'])
    .describe(
      "Resolvers to ask, each by itself: name those that FortiAuthenticator uses. system is this machine's own.",
    ),
  sourceAddress: optional(address).describe(
    'Local address that probes leave from, on machines with several: firewall policies match source addresses.',
  ),
  controlHosts: list(hostPort(HTTPS_PORT))
    .prefault(['www.fortinet.com:443', 'www.iana.org:443'])
    .describe(
      'Unrelated hosts that tell "the internet is gone" from "the licence server is blocked". A firewall may ' +
        'block them: that is no fault.',
    ),
  mail: mail.describe('The mail servers that FortiAuthenticator sends activation codes through.'),
  clock: clock.prefault({}).describe("How this machine's clock is compared with the outside world."),
  appliances: appliances.describe('The FortiAuthenticator units.'),
  logs: logs.prefault({}).describe("FortiAuthenticator's log."),
  registration: optional(registration).describe(
    'FortiCloud asset management, read only: tells which unit a licence is registered to.',
  ),
  firewall: firewall.describe(
    "The FortiGates on the way, read only: tells which policy matches FortiAuthenticator's traffic. An entry for " +
      'each address that the traffic comes from; a single one may stand without a list.',
  ),
  peers: peers.describe(
    "Other ftm-watch agents, each in FortiAuthenticator's own network segment, whose status is read on " +
      '`schedule.appliance`: what they see and this machine does not is a fault of that segment.',
  ),
};

/** What these sections hold. */
export type WatchedConfig = {
  readonly [Key in keyof typeof watchedSections]: z.output<(typeof watchedSections)[Key]>;
};
