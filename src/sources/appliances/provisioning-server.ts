import { z } from 'zod';
import type { ProvisioningServer } from '../../core/license/appliance.ts';
import { hostName, portNumber } from '../../network/rest/host-port.ts';

const PROVISIONING = z.object({ server_address: z.string(), server_port: z.unknown().optional() });

/** `/fortitokenmobileprovisioning/`; null when no server stands in it. */
export function parseProvisioningServer(value: unknown): ProvisioningServer | null {
  const parsed = PROVISIONING.safeParse(value);
  const host = parsed.success ? hostName(parsed.data.server_address) : null;
  if (!parsed.success || host === null) return null;
  return { host, port: portNumber(parsed.data.server_port) };
}
