import type { AuditEntry } from '../core/audit.ts';
import type { Clock, EpochMs, Millis } from '../core/clock.ts';
import type { Incident } from '../engine/incident/incident.ts';
import { deliveryKey, type OutboxEntry } from '../engine/incident/journal.ts';
import type { Store } from '../store/store.ts';
import type { AlertHistory } from '../web/alert-history.ts';
import type { Monitor } from './monitor.ts';

/** The page is asked for again and again; what has ended changes seldom. */
const KEPT: Millis = 2_000;
const BACK: Millis = 7 * 86_400_000;
const MOST_ENDED = 50;
const MOST_ENTRIES = 100;

/** As much of a monitor as the history needs. */
export interface AlertHistorySource {
  readonly store: Pick<Store, 'ended' | 'deliveries' | 'recentChanges' | 'writable' | 'journal'>;
  readonly alerting: Pick<Monitor['alerting'], 'incidents'>;
}

interface Read {
  readonly of: AlertHistorySource['store'];
  readonly at: Millis;
  /** Changes when a notification has left the outbox: from then on it is found in the file. */
  readonly outbox: string;
  readonly ended: readonly Incident[];
  readonly outboxEntries: readonly OutboxEntry[];
  readonly changes: readonly AuditEntry[];
  readonly readable: boolean;
}

/** Reads the history at most every few seconds; what it cannot read now, it knows from before. */
export function createAlertHistory(monitor: () => AlertHistorySource, clock: Clock): () => AlertHistory {
  let last: Read | null = null;
  return () => {
    const current = monitor();
    const { journal } = current.store;
    const inMind = [...journal.givenUp(), ...journal.pending()];
    const outbox = [inMind.length, inMind[0], inMind.at(-1)]
      .map((part) => (typeof part === 'object' ? deliveryKey(part.delivery) : part))
      .join(' ');
    const known = last?.of === current.store ? last : null;
    const isFresh = known !== null && known.outbox === outbox && clock.elapsed() - known.at < KEPT;
    const read = isFresh ? known : readAnew(current, known, { outbox, at: clock.elapsed(), now: clock.now() });
    last = read;
    return {
      incidents: merged(current.alerting.incidents(), read.ended),
      outboxEntries: [...inMind.toReversed().slice(0, MOST_ENTRIES), ...without(inMind, read.outboxEntries)].toSorted(
        (a, b) => b.delivery.createdAt - a.delivery.createdAt,
      ),
      changes: read.changes,
      complete: read.readable && current.store.writable(),
    };
  };
}

function readAnew(
  { store: of, alerting }: AlertHistorySource,
  before: Read | null,
  { now, ...when }: { readonly outbox: string; readonly at: Millis; readonly now: EpochMs },
): Read {
  const ended = of.ended(now - BACK, MOST_ENDED);
  if (ended === null)
    return {
      of,
      ...when,
      ended: before?.ended ?? [],
      outboxEntries: before?.outboxEntries ?? [],
      changes: before?.changes ?? [],
      readable: false,
    };
  const changes = of.recentChanges(merged(alerting.incidents(), ended));
  return { of, ...when, ended, outboxEntries: of.deliveries(MOST_ENTRIES), changes, readable: true };
}

function merged(inMind: readonly Incident[], ended: readonly Incident[]): readonly Incident[] {
  const known = new Set(inMind.map(({ id }) => id));
  return [...inMind, ...ended.filter(({ id }) => !known.has(id))];
}

/** The outbox knows better what it still tries. */
export function without(inMind: readonly OutboxEntry[], stored: readonly OutboxEntry[]): readonly OutboxEntry[] {
  const known = new Set(inMind.map(({ delivery }) => deliveryKey(delivery)));
  return stored.filter(({ delivery }) => delivery.status !== 'pending' && !known.has(deliveryKey(delivery)));
}
