import { afterAll, beforeAll, expect, test } from 'vitest';
import { conclusionOf, evidenceOf, notReady, READY } from '../../support/process/check-result.ts';
import {
  CUT_ALL_TLS,
  cutAfterLostSyn,
  dropByName,
  filter,
  hideMtu,
  rejectByName,
} from '../../support/network/gateway-filters.ts';
import { createInspectedSite, INSPECTED_SITE_NEEDS, LICENSE_HOST } from '../../support/network/inspected-site.ts';
import type { InspectedSite } from '../../support/network/inspected-site.ts';
import { describeWhere } from '../../support/process/privilege.ts';

const BLOCKED = notReady('tls-blocked', 'license-server');

describeWhere(
  [...INSPECTED_SITE_NEEDS, { program: 'haproxy' }, { program: 'iptables' }],
  'a site whose gateway blocks TLS',
  () => {
    let site: InspectedSite;

    beforeAll(async () => {
      site = await createInspectedSite();
    });
    afterAll(() => site[Symbol.asyncDispose]());

    test('by the name in the hello, at once: another name passes at the same address', async () => {
      await using _ = await rejectByName(site);
      const result = await site.check();
      expect(conclusionOf(result)).toEqual(BLOCKED);
      expect(result.causes[0]).toMatchObject({
        confidence: 'suspected',
        summary: expect.stringContaining('filters by name'),
      });
      expect(result.causes[0]?.remedy.join('\n')).toContain(`Exempt ${LICENSE_HOST} from that filter`);
      expect(evidenceOf(result)).toContain('the server name www.iana.org');
    });

    test('by the name in the hello, silently', async () => {
      using _ = dropByName(site);
      const result = await site.check();
      expect(conclusionOf(result)).toEqual(BLOCKED);
      expect(result.causes[0]?.summary).toContain('filters by name');
      expect(evidenceOf(result)).toContain('The TLS hello was not answered');
    });

    test('whatever its name: control hosts are cut as well', async () => {
      using _ = filter(site, CUT_ALL_TLS);
      const result = await site.check();
      expect(conclusionOf(result)).toEqual(BLOCKED);
      expect(result.causes[0]).toMatchObject({
        confidence: 'confirmed',
        summary: expect.stringContaining('and to every control host'),
      });
    });

    test('because large packets are lost: small answers arrive, certificates do not', async () => {
      using _ = hideMtu(site);
      const result = await site.check();
      expect(conclusionOf(result)).toEqual(BLOCKED);
      expect(result.causes[0]).toMatchObject({ confidence: 'suspected', summary: expect.stringContaining('path MTU') });
      expect(result.causes[0]?.remedySteps.map(({ commands }) => commands).join('\n')).toContain('set tcp-mss-sender');
    });

    test('at the licence server, after a lost SYN: the second that it took is no round trip', async () => {
      using _ = cutAfterLostSyn(site);
      const result = await site.check();
      expect(conclusionOf(result)).toEqual(BLOCKED);
      expect(result.causes[0]?.confidence).toBe('suspected');
      expect(evidenceOf(result)).not.toContain('not by the server');
    });

    test('no more', async () => {
      expect(conclusionOf(await site.check())).toEqual(READY);
    });
  },
);
