import { describe, expect, test } from 'vitest';

import type { Millis } from '../../../src/core/clock.ts';
import { applianceWorld } from '../../support/complaining-appliance.ts';
import { flakyPath, type FlakyPath } from '../../support/flaky-path.ts';
import { HOUR, MINUTE, SECOND, START } from '../../support/incident-timeline.ts';

const WORLDS = { udp: await applianceWorld('udp'), tcp: await applianceWorld('tcp') } as const;
const [BEGINS, ENDS] = [START + 23 * MINUTE, START + 3 * HOUR];

interface Site {
  readonly count: number;
  readonly lasts: Millis;
  readonly every: Millis;
  readonly source: keyof typeof WORLDS;
  readonly polls: Millis;
}

/** Nothing gets through for a while; the name gives one address after the other. */
function outage({ count, lasts, every, source, polls }: Site): FlakyPath {
  const site = flakyPath(({ at }) => at >= BEGINS && at < ENDS, {
    appliance: { ...WORLDS[source].create(), every: polls },
    answers: ({ at }) => [`192.0.2.${String(Math.floor((at - START) / lasts) % count)}`],
    every,
  });
  site.run(6 * HOUR);
  return site;
}

describe('an outage while the name gives one address after the other, and FortiAuthenticator complains', () => {
  const sites = [2, 4].flatMap((count) =>
    [47 * SECOND, 11 * MINUTE, 47 * MINUTE].flatMap((lasts) =>
      [30 * SECOND, 10 * MINUTE].flatMap((every) =>
        (['udp', 'tcp'] as const).flatMap((source) =>
          [MINUTE, 5 * MINUTE].map((polls) => ({ count, lasts, every, source, polls })),
        ),
      ),
    ),
  );
  test.each(sites)(
    '$count addresses, for $lasts ms each, a round every $every ms, a line over $source every $polls ms',
    (site) => {
      const { line } = outage(site);
      const events = line.told.flatMap((told) => (told.kind === 'incident' ? [told.event] : [told.kind]));
      const last = line.told.at(-1);
      expect([
        line.transitions.filter((transition) => transition.startsWith('opened')),
        events.filter((event) => event !== 'changed'),
        last?.kind === 'incident' ? last.incident.cause.id : null,
      ]).toEqual([['opened egress-blocked'], ['firing', 'resolved'], 'egress-blocked']);
    },
  );
});
