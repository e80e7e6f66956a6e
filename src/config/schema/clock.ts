import { hostPort } from './endpoints.ts';
import { list, section } from './section.ts';
import { duration } from './values.ts';

const HOUR = 3_600_000;
const NTP_PORT = 123;

export const clock = section({
  ntp: list(hostPort(NTP_PORT)).describe(
    'NTP servers to compare with. Without any, the Date headers of web servers are used.',
  ),
  maxOffset: duration(HOUR)
    .prefault('30s')
    .describe('A clock that is further off is reported: certificates and tokens depend on the time.'),
});
