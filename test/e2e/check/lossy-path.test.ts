import { afterAll, beforeAll, expect, test } from 'vitest';

import { createInspectedSite, INSPECTED_SITE_NEEDS, type InspectedSite } from '../../support/inspected-site.ts';
import { describeWhere } from '../../support/privilege.ts';

/** Each takes up to half a minute: the nightly run does 50. */
const RUNS = Number(process.env['FTM_LOSSY_RUNS'] ?? '4');

describeWhere(INSPECTED_SITE_NEEDS, 'check on a path that loses packets', () => {
  let site: InspectedSite;

  beforeAll(async () => {
    site = await createInspectedSite();
  });

  afterAll(async () => {
    await site[Symbol.asyncDispose]();
  });

  test(
    `names no critical cause when every fifth packet is lost each way (${String(RUNS)} runs)`,
    async () => {
      site.gateway.sh(`nft -f - <<END
        table ip loss {
          chain forward {
            type filter hook forward priority 0;
            numgen random mod 100 < 20 drop
          }
        }
END`);
      const critical: string[] = [];
      for (let run = 0; run < RUNS; run += 1) {
        const diagnosis = await site.check();
        critical.push(
          ...diagnosis.causes.filter(({ severity }) => severity === 'critical').map(({ id, evidence }) => `${id}: ${evidence.join('; ')}`),
        );
        if (process.env['FTM_LOSSY_LOG'] !== undefined)
          console.log(run, diagnosis.ready, JSON.stringify(diagnosis.causes.map((c) => [c.id, c.severity, c.summary, c.evidence])));
      }
      expect(critical).toEqual([]);
    },
    RUNS * 60_000,
  );
});
