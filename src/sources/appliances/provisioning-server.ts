import { z } from 'zod';
import type { Millis } from '../../core/clock.ts';
import type { ProvisioningServer } from '../../core/license/appliance.ts';
import { hostName, portNumber } from '../../network/rest/host-port.ts';
import { lenientCount } from '../../network/rest/lenient-number.ts';

const HOUR: Millis = 3_600_000;

/** A week: `act_timeout` is 1 to 168 hours (docs:fortiauthenticator/6.0.4/rest-api-solution-guide/578312). */
const LONGEST_CODE = 168;

const PROVISIONING = z.object({
  server_address: z.string(),
  server_port: z.unknown().optional(),
  act_timeout: z.unknown().optional(),
});

/** `/fortitokenmobileprovisioning/`; null when no server stands in it. */
export function parseProvisioningServer(value: unknown): ProvisioningServer | null {
  const parsed = PROVISIONING.safeParse(value);
  const host = parsed.success ? hostName(parsed.data.server_address) : null;
  if (!parsed.success || host === null) return null;
  return { host, port: portNumber(parsed.data.server_port), codeLife: codeLifeIn(parsed.data.act_timeout) };
}

function codeLifeIn(hours: unknown): Millis | null {
  const count = lenientCount(hours);
  return count === null || count < 1 || count > LONGEST_CODE ? null : count * HOUR;
}
