import type { Config } from '../../../src/config/config.ts';
import type { Picture } from '../../../src/connectors/picture.ts';
import type { OwnClock } from '../../../src/core/observation.ts';
import type { AppliancePolling, PollingError } from '../../../src/core/polling/report.ts';
import { conclude, NOTHING_REMEMBERED } from '../../../src/checks/conclude.ts';
import { type Shown, shown } from './facts.ts';
import { picture } from './observed.ts';

export const AT: number = Date.UTC(2026, 10, 24, 12);

interface Heard {
  readonly config: Config;
  /** By appliance. Every configured appliance has just sent a reliable line. */
  readonly errors?: Readonly<Record<string, readonly PollingError[]>>;
  readonly lines?: Readonly<Record<string, Partial<AppliancePolling>>>;
  readonly unknownSenders?: readonly string[];
  /** What the round shows, if it is not that everything works. */
  readonly shows?: Shown;
  readonly seen?: Partial<Picture>;
  readonly remembered?: Partial<typeof NOTHING_REMEMBERED>;
  readonly ownClock?: OwnClock;
}

/** Concludes a round at `AT`. */
export function concluded(heard: Heard): ReturnType<typeof conclude> {
  const { config, errors = {}, lines = {}, unknownSenders = [], shows = {}, seen = {}, remembered = {} } = heard;
  const known = picture(seen);
  const spoke = { lastLineAt: AT, reliableLineAt: AT, silent: false, silentFor: null };
  const report = {
    window: config.logs.window,
    silentAfter: config.logs.silentAfter,
    appliances: config.appliances.map(({ name }) => ({
      name,
      errors: errors[name] ?? [],
      errorsWithinHour: 0,
      ...spoke,
      ...lines[name],
    })),
    firewallEvidence: [],
  };
  return conclude(
    {
      config,
      round: shown({ at: AT, ...shows }),
      picture: known,
      ...(heard.ownClock === undefined ? {} : { ownClock: heard.ownClock }),
    },
    { kind: 'heard', report, unknownSenders, ...NOTHING_REMEMBERED, ...remembered },
  );
}
