import type { DigestItem } from './notification.ts';
import type { Incident, IncidentState } from './incident.ts';
import type { IncidentPolicy } from './policy.ts';

export interface Shares {
  readonly singles: readonly DigestItem[];
  readonly digest: readonly DigestItem[];
  readonly held: readonly DigestItem[];
}

/**
 * What goes out by itself, what goes out together, and what waits until the hour has room for a digest. That a critical
 * cause began never waits, whatever the hour has seen: many at once share a digest.
 */
export function share(due: readonly DigestItem[], { sent }: IncidentState, policy: IncidentPolicy): Shares {
  const urgent = due.filter(isUrgent);
  const others = due.filter((item) => !urgent.includes(item));
  const most = due.length > policy.burst ? 1 : due.length;
  const first = urgent.slice(0, most);
  const room = policy.maxPerHour - sent.length - first.length;
  // The last place in the hour is the digest's: what does not fit is told together instead of an hour late.
  const places = policy.maxPerHour === 1 ? room : room - 1;
  const next = others.slice(0, Math.max(0, Math.min(most - first.length, places))).filter((item) => isSingle([item]));
  const singles = [...first, ...next];
  const rest = due.filter((item) => !singles.includes(item));
  if (room > next.length) return { singles, digest: rest, held: [] };
  return { singles, digest: rest.filter(isUrgent), held: rest.filter((item) => !isUrgent(item)) };
}

function isUrgent({ event, incident }: DigestItem): boolean {
  return incident.cause.severity === 'critical' && (event === 'firing' || event === 'changed');
}

/** An all-clear for what nobody had heard of goes out within a digest only: "it came and went". */
export function isSingle(items: readonly DigestItem[]): boolean {
  return (
    items.length === 1 && items.every(({ event, incident }) => event !== 'resolved' || incident.lastNotified !== null)
  );
}

/** Incidents of which something is still to be told when the hour has room. */
export function heldIn({ incidents }: IncidentState): readonly Incident[] {
  return incidents.filter(({ awaitsDigest }) => awaitsDigest);
}
