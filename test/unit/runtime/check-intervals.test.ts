import { expect, test } from 'vitest';

import { checkIntervals } from '../../../src/runtime/connected-systems.ts';
import { configOf } from '../../support/config/config-of.ts';

test('checkIntervals() has the schedule that brings news of each precondition', async () => {
  const config = await configOf('schedule: { probes: "*/5 * * * * *", appliance: "0 */10 * * * *" }');
  expect(checkIntervals(config)).toMatchObject({
    reachability: 5_000,
    mail: 5_000,
    polling: 5_000,
    'license-assignment': 600_000,
    'firewall-policy': 600_000,
  });
});
