import { zonedText } from '../../core/zoned-text.ts';
import type { Occurrence } from '../../engine/incident/incident.ts';
import { lastedText } from '../../engine/incident/lasted.ts';

/** When a fault that is over was there, and how long. */
export function occurrenceText(occurrence: Occurrence, timezone: string): string {
  const [from, to] = [zonedText(occurrence.since, timezone), zonedText(occurrence.lastSeen, timezone)];
  return `seen from ${from} to ${to}, lasted ${lastedText(occurrence)}`;
}
