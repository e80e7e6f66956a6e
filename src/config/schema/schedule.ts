import { section } from './section.ts';
import { cronWithSeconds, timezone } from './values.ts';

export const schedule = section({
  probes: cronWithSeconds
    .prefault('*/30 * * * * *')
    .describe('The probes of the path: name resolution, reachability, TLS, licence server, mail, clock.'),
  appliance: cronWithSeconds.prefault('0 */5 * * * *').describe("FortiAuthenticator's and the firewall's APIs."),
  registration: cronWithSeconds
    .prefault('0 0 */6 * * *')
    .describe('The registration service. Licences move rarely, and the service limits requests.'),
  timezone: timezone.prefault('UTC').describe('Time zone that the expressions are meant in.'),
});
