import { describe, expect, test } from 'vitest';

import type { LogSource } from '../../../src/core/polling/log-event.ts';
import { applianceWorld } from '../../support/checks/complaining-appliance.ts';
import { flakyPath } from '../../support/network/flaky-path.ts';
import { randomOf } from '../../support/random/random-of.ts';
import { START } from '../../support/store/incident-timeline.ts';
import { HOUR, MINUTE } from '../../support/time/units.ts';
import { samples } from '../../support/random/samples.ts';

/** Each seed takes seconds. */
const SEEDS = Array.from({ length: samples(1) }, (_, index) => index + 1);
const WORLDS = {
  udp: await applianceWorld('datagrams'),
  tcp: await applianceWorld('connection'),
} as const satisfies Partial<Record<LogSource, unknown>>;

describe('an intermittent fault, and FortiAuthenticator complains of it', () => {
  test.each([
    ['tcp', 1, 0.5],
    ['tcp', 5, 0.5],
    ['udp', 1, 0.5],
    ['udp', 5, 0.5],
    ['tcp', 1, 0.2],
    ['tcp', 5, 0.2],
    ['udp', 1, 0.2],
    ['udp', 5, 0.2],
  ] as const)(
    'over %s, connecting every %i minutes, %f of them fail: one incident, one firing, one end',
    (source, minutes, part) => {
      const courses = SEEDS.map((seed): string => {
        const random = randomOf(seed);
        const appliance = { ...WORLDS[source].create(), every: minutes * MINUTE };
        const site = flakyPath(({ at }) => at < START + 2 * HOUR && random() < part, { appliance });
        site.run(3 * HOUR);
        const { told, transitions } = site.line;
        const events = told.flatMap((one) => (one.kind === 'incident' ? [one.event] : [one.kind]));
        const last = told.at(-1);
        return [
          transitions.filter((transition) => transition.startsWith('opened')).length,
          ...events.filter((event) => event !== 'changed'),
          last?.kind === 'incident' ? last.incident.cause.id : '',
        ].join(' ');
      });
      const wrong: readonly string[] = courses.filter((course) => course !== '1 firing resolved egress-blocked');
      expect(wrong.slice(Math.floor(0.05 * SEEDS.length))).toEqual([]);
    },
  );
});
