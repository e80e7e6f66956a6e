import type * as z from 'zod';
import { hostPort } from '../../config/schema/endpoints.ts';
import { list, section } from '../../config/schema/section.ts';
import { duration } from '../../config/schema/values.ts';

const HOUR = 3_600_000;
const NTP_PORT = 123;

export type ClockConfig = z.output<typeof clock>;

export const clock = section({
  ntp: list(hostPort(NTP_PORT)).describe(
    'NTP servers to compare with. Without any, the Date headers of web servers are used.',
  ),
  maxOffset: duration(HOUR)
    .prefault('30s')
    .describe('A clock that is further off is reported: certificates and tokens depend on the time.'),
});
