import { describe, expect, test } from 'vitest';
import type { LogSource } from '../../../src/core/polling/log-event.ts';
import { applianceWorld } from '../../support/checks/complaining-appliance.ts';
import { flakyPath, type FlakyPath } from '../../support/network/flaky-path.ts';
import { randomOf } from '../../support/random/random-of.ts';
import { START } from '../../support/store/incident-timeline.ts';
import { HOUR, MINUTE, SECOND } from '../../support/time/units.ts';
import { sampleOf, samples } from '../../support/random/samples.ts';
import type { EpochMs, Millis } from '../../../src/core/clock.ts';

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
        const last = site.line.told.at(-1);
        return [
          site.opened(),
          ...site.events().filter((event) => event !== 'changed'),
          last?.kind === 'incident' ? last.incident.cause.id : '',
        ].join(' ');
      });
      const wrong: readonly string[] = courses.filter((course) => course !== '1 firing resolved egress-blocked');
      expect(wrong.slice(Math.floor(0.05 * SEEDS.length))).toEqual([]);
    },
  );
});

const POLLING = [
  { world: await applianceWorld('datagrams'), polls: MINUTE },
  { world: await applianceWorld('connection'), polls: 5 * MINUTE },
];
const ENDS = START + 3 * HOUR;

interface Site {
  readonly begins: EpochMs;
  readonly count: number;
  readonly lasts: Millis;
  readonly every: Millis;
}

/** Simulates an outage while the name resolves to one address after the other. */
function outage({ begins, count, lasts, every }: Site, { world, polls }: (typeof POLLING)[number]): FlakyPath {
  const site = flakyPath(({ at }) => at >= begins && at < ENDS, {
    appliance: { ...world.create(), every: polls },
    answers: ({ at }) => [`192.0.2.${String(Math.floor((at - START) / lasts) % count)}`],
    every,
  });
  site.run(4 * HOUR);
  return site;
}

/** Returns the course of the incidents. A change of cause does not count as a beginning. */
function courseOf({ line }: FlakyPath): readonly string[] {
  const told = line.told.flatMap((one) => (one.kind === 'incident' ? [`${one.event} ${one.incident.cause.id}`] : []));
  const opened = line.transitions.filter((transition) => transition.startsWith('opened'));
  return [...opened, ...told.filter((one) => !one.startsWith('changed'))];
}

describe('an outage while the name gives one address after the other, and FortiAuthenticator complains', () => {
  const sites = [82 * SECOND, 23 * MINUTE].flatMap((after) =>
    [2, 4].flatMap((count) =>
      [47 * SECOND, 5 * MINUTE, 11 * MINUTE, 47 * MINUTE].flatMap((lasts) =>
        [30 * SECOND, 2 * MINUTE, 10 * MINUTE].map((every) => ({ begins: START + after, count, lasts, every })),
      ),
    ),
  );
  test.each(sampleOf(sites, 11))(
    'from $begins on, $count addresses for $lasts ms each, a round every $every ms',
    (site) => {
      for (const polling of POLLING)
        expect(courseOf(outage(site, polling))).toEqual([
          'opened egress-blocked',
          'firing egress-blocked',
          'resolved egress-blocked',
        ]);
    },
  );
});
