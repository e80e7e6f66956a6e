import type { UnitObservation } from '../sources/appliances/unit-observation.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import type { AppliancePolling, PollingReport } from '../core/polling/report.ts';

/** By name: since when the API of an appliance has failed at each look. */
export type UnreadSince = ReadonlyMap<string, EpochMs>;

export function nextUnread(before: UnreadSince, units: readonly UnitObservation[], now: EpochMs): UnreadSince {
  const failing = units.filter(({ rest }) => rest?.kind === 'failed');
  return new Map(failing.map(({ config: { name } }) => [name, before.get(name) ?? now]));
}

/**
 * The log of one that dies ends with its API: so long the last lines of before are believed, two looks at the API by
 * default.
 */
const BELIEVED_FOR: Millis = 10 * 60_000;

/**
 * Names of the appliances whose log shows that they are there: a line arrived after their API began to fail, so that it
 * outlived the API, or just before. A log that seldom speaks is silent only when nothing came for `logs.silentAfter`.
 */
export function speakingAppliances(
  { appliances }: PollingReport,
  unread: UnreadSince,
  now: EpochMs,
): readonly string[] {
  return appliances
    .filter((appliance) => speaks(appliance, unread.get(appliance.name) ?? now, now))
    .map(({ name }) => name);
}

function speaks({ lastLineAt, silent }: AppliancePolling, unreadSince: EpochMs, now: EpochMs): boolean {
  if (lastLineAt === null || silent) return false;
  return lastLineAt > unreadSince || now - lastLineAt <= BELIEVED_FOR;
}
