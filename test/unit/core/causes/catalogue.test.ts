import { describe, expect, test } from 'vitest';

import type { CauseId } from '../../../../src/core/cause.ts';
import { CATALOGUE } from '../../../../src/core/causes/catalogue.ts';
import { fill } from '../../../../src/core/causes/wording.ts';

const NOTHING_KNOWN = { subject: 'x:443', host: 'x', port: '443' };

describe('CATALOGUE', () => {
  test.each(Object.entries(CATALOGUE) as [CauseId, (typeof CATALOGUE)[CauseId]][])(
    '%s can be told with nothing but its subject known',
    (_, entry) => {
      const { throughProxy } = entry;
      const proxied = throughProxy === undefined ? [] : [throughProxy.summary, ...throughProxy.remedy];
      const texts = [
        entry.summary,
        ...entry.remedy,
        ...proxied,
        ...Object.values(entry.productRemedy ?? {}).flat(),
        ...(entry.anyProductRemedy ?? []),
      ];
      for (const text of texts) {
        const told = fill(text, NOTHING_KNOWN);
        expect(told).not.toMatch(/\{[a-z]+\}/u);
        expect(told).toMatch(/[.?:"]$/u);
      }
      expect(entry.remedy.length).toBeGreaterThan(0);
    },
  );
});
