import { z } from 'zod';
import type { SystemFacts } from '../../core/license/appliance.ts';
import { visibleText } from '../../core/visible-text.ts';
import { lenientCount, lenientNumber } from '../../network/rest/lenient-number.ts';
import { serialNumber } from '../../network/rest/serial-number.ts';

const USAGE = z.object({ populated: z.unknown().optional() });
const MEMORY = z.object({ total: z.unknown().optional() });

/** `/systeminfo/`: docs.fortinet.com, FortiAuthenticator 6.4.7 REST API guide. Only what is needed must be there. */
const SYSTEM_INFO = z.object({
  sn: serialNumber,
  ha_sn: z.unknown().optional(),
  firmware: z.string().optional().catch(undefined),
  cpu: z.unknown().optional(),
  memory: z.unknown().optional(),
  disk: z.unknown().optional(),
  memory_usage_detail: MEMORY.optional().catch(undefined),
  ftm_usage_detail: USAGE.optional().catch(undefined),
});

/** null: it is not the answer of a FortiAuthenticator. */
export function parseSystemInfo(value: unknown): SystemFacts | null {
  const parsed = SYSTEM_INFO.safeParse(value);
  if (!parsed.success) return null;
  const { data } = parsed;
  const peer = serialNumber.safeParse(data.ha_sn);
  return {
    serial: data.sn,
    peerSerial: peer.success && peer.data !== data.sn ? peer.data : null,
    firmware: data.firmware === undefined ? null : visibleText(data.firmware, 80),
    tokensPopulated: lenientCount(data.ftm_usage_detail?.populated),
    memoryKb: kilobytes(data.memory_usage_detail?.total),
    load: { cpu: share(data.cpu), memory: share(data.memory), disk: share(data.disk) },
  };
}

/** `4032452.0 KB`; null in any other unit. */
function kilobytes(value: unknown): number | null {
  return typeof value === 'string' && /KB\s*$/iu.test(value) ? lenientNumber(value) : null;
}

function share(value: unknown): number | null {
  const percent = lenientNumber(value);
  return percent === null || percent < 0 || percent > 100 ? null : percent / 100;
}
