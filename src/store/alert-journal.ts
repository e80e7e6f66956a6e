import type { DatabaseSync } from 'node:sqlite';
import type { Incident, IncidentState } from '../engine/incident/incident.ts';
import { deliveryKey, isGivenUp } from '../engine/incident/journal.ts';
import type { AlertJournal, Delivery, JournalEntry, OutboxEntry } from '../engine/incident/journal.ts';
import { eventOf, incidentsOf } from '../engine/incident/notification.ts';
import type { OperatorLog } from '../system/operator-log.ts';
import type { Database } from './database.ts';
import type { EpochMs } from '../core/clock.ts';
import { readGivenUp, readPending, readState, type Pending } from './journal-rows.ts';
import { incidentText, notificationText, stateText, type SavedState, type Unread } from './saved-state.ts';

/** More than this is no outbox any more; the oldest pending one gives way. */
const MAX_ENTRIES = 5_000;

export interface JournalDeps {
  readonly logger: OperatorLog;
  /** What ended before it is not kept any more. */
  readonly keptSince: () => EpochMs;
}

const NOTHING_UNREAD: Unread = { incidents: [], silences: [] };

/**
 * Memory is what counts while the process lives, the file is its copy: alerts go out whatever the disk does. After a
 * write that failed, all that changed since is written with the next one that succeeds.
 */
export class MirroredJournal implements AlertJournal {
  readonly #database: Database;
  readonly #deps: JournalDeps;
  readonly #outboxEntries = new Map<string, OutboxEntry>();
  readonly #givenUp = new Map<string, OutboxEntry>();
  readonly #unwrittenEntries = new Map<string, OutboxEntry>();
  readonly #unwrittenIncidents = new Map<string, Incident>();
  #state: IncidentState | null = null;
  #unread: Unread = NOTHING_UNREAD;
  #writtenState: string | null = null;
  #loaded = false;
  #generation: number;

  constructor(database: Database, deps: JournalDeps) {
    this.#database = database;
    this.#deps = deps;
    this.#generation = database.generation();
  }

  savedState(): IncidentState | null {
    this.#load();
    return this.#state;
  }

  record(entry: JournalEntry): void {
    this.#load();
    this.#state = entry.state;
    for (const incident of entry.incidents) this.#unwrittenIncidents.set(incident.id, incident);
    for (const outboxEntry of entry.outboxEntries) this.#keep(outboxEntry);
    for (const [key, outboxEntry] of this.#givenUp) if (!this.#isOpen(outboxEntry)) this.#givenUp.delete(key);
    bound(this.#outboxEntries);
    bound(this.#givenUp);
    this.#flush();
  }

  update(deliveries: readonly Delivery[]): void {
    for (const delivery of deliveries) {
      const key = deliveryKey(delivery);
      const notification = (this.#outboxEntries.get(key) ?? this.#givenUp.get(key))?.notification;
      if (notification !== undefined) this.#keep({ delivery, notification });
    }
    this.#flush();
  }

  /** Writes what could not be written when it came: nobody may have anything new to record for days. */
  catchUp(): void {
    // Nobody has used it yet: the file, which may be another one's, is not even opened.
    if (!this.#loaded && this.#state === null) return;
    this.#flush();
  }

  pending(): readonly OutboxEntry[] {
    this.#load();
    return [...this.#outboxEntries.values()];
  }

  givenUp(): readonly OutboxEntry[] {
    this.#load();
    return [...this.#givenUp.values()];
  }

  #isOpen({ notification }: OutboxEntry): boolean {
    const ids = new Set(this.#state?.incidents.flatMap(({ id, status }) => (status === 'open' ? [id] : [])));
    return incidentsOf(notification).some(({ id }) => ids.has(id));
  }

  /** What the file holds from before; tried until it can be read, so that a lock at the start loses no mail. */
  #load(): void {
    if (this.#loaded) return;
    const saved = this.#database.read((db) => ({
      state: readState(db),
      pending: readPending(db),
      givenUp: readGivenUp(db),
    }));
    if (saved === null) return;
    this.#loaded = true;
    this.#takeState(saved.state);
    this.#tellUnread(saved.pending);
    const since = [...this.#outboxEntries.values()];
    this.#outboxEntries.clear();
    for (const outboxEntry of [...saved.pending.outboxEntries, ...since])
      this.#outboxEntries.set(deliveryKey(outboxEntry.delivery), outboxEntry);
    for (const outboxEntry of saved.givenUp)
      if (this.#isOpen(outboxEntry)) this.#givenUp.set(deliveryKey(outboxEntry.delivery), outboxEntry);
  }

  #takeState(saved: SavedState | null): void {
    if (saved === null) return;
    this.#unread = saved.unread;
    if (this.#state !== null) return;
    this.#state = saved.state;
    this.#writtenState = this.#stateText();
  }

  #stateText(): string | null {
    return this.#state === null ? null : stateText(this.#state, this.#unread, this.#deps.keptSince());
  }

  #tellUnread({ unread }: Pending): void {
    const { incidents, silences } = this.#unread;
    if (incidents.length + silences.length + unread === 0) return;
    this.#deps.logger.warn(
      { incidents: incidents.length, silences: silences.length, notifications: unread },
      'The history holds what another version wrote and this one does not know: it is kept for that one and not sent',
    );
  }

  #keep(outboxEntry: OutboxEntry): void {
    const key = deliveryKey(outboxEntry.delivery);
    this.#unwrittenEntries.set(key, outboxEntry);
    if (outboxEntry.delivery.status === 'pending') this.#outboxEntries.set(key, outboxEntry);
    else this.#outboxEntries.delete(key);
    if (isGivenUp(outboxEntry.delivery) && this.#isOpen(outboxEntry)) this.#givenUp.set(key, outboxEntry);
    else this.#givenUp.delete(key);
  }

  #flush(): void {
    this.#load();
    this.#beginAgainIfReplaced();
    const before = this.#generation;
    this.#write();
    if (this.#generation !== before) this.#write();
  }

  #write(): void {
    const json = this.#stateText();
    const isNew = json !== this.#writtenState;
    if (!isNew && this.#unwrittenEntries.size === 0 && this.#unwrittenIncidents.size === 0) return;
    const kept = this.#database.write((db) => {
      if (json !== null && isNew) writeState(db, json);
      for (const incident of this.#unwrittenIncidents.values()) writeIncident(db, incident);
      for (const outboxEntry of this.#unwrittenEntries.values()) writeOutboxEntry(db, outboxEntry);
    });
    if (kept) {
      this.#writtenState = json;
      this.#unwrittenEntries.clear();
      this.#unwrittenIncidents.clear();
    }
    this.#beginAgainIfReplaced();
    bound(this.#unwrittenEntries);
    bound(this.#unwrittenIncidents);
  }

  /** A new, empty file gets the whole of what is in memory. */
  #beginAgainIfReplaced(): void {
    const generation = this.#database.generation();
    if (generation === this.#generation) return;
    this.#generation = generation;
    this.#writtenState = null;
    for (const [key, outboxEntry] of [...this.#givenUp, ...this.#outboxEntries])
      this.#unwrittenEntries.set(key, outboxEntry);
  }
}

function bound(map: Map<string, unknown>): void {
  for (const key of map.keys()) {
    if (map.size <= MAX_ENTRIES) return;
    map.delete(key);
  }
}

function writeState(db: DatabaseSync, json: string): void {
  db.prepare(
    'INSERT INTO incident_state (only, json) VALUES (1, ?) ON CONFLICT (only) DO UPDATE SET json = excluded.json',
  ).run(json);
}

function writeIncident(db: DatabaseSync, incident: Incident): void {
  const { id, cause, openedAt, closedAt } = incident;
  db.prepare(
    `INSERT INTO incidents (id, cause, subject, severity, opened_at, closed_at, json) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET cause = excluded.cause, subject = excluded.subject, severity = excluded.severity,
       closed_at = excluded.closed_at, json = excluded.json`,
  ).run(id, cause.id, cause.subject, cause.severity, openedAt, closedAt, incidentText(incident));
}

function writeOutboxEntry(db: DatabaseSync, { delivery, notification }: OutboxEntry): void {
  const { id, at } = notification;
  const insert = 'INSERT INTO notifications (id, event, at, json) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING';
  db.prepare(insert).run(id, eventOf(notification), at, notificationText(notification));
  db.prepare(
    `INSERT INTO deliveries (notification, channel, recipient, status, created_at, attempts, first_failed_at,
       next_attempt_at, finished_at, detail)
     VALUES (:notificationId, :channel, :recipient, :status, :createdAt, :attempts, :firstFailedAt,
       :nextAttemptAt, :finishedAt, :detail)
     ON CONFLICT (notification, channel, recipient) DO UPDATE SET
       status = excluded.status, attempts = excluded.attempts, first_failed_at = excluded.first_failed_at,
       next_attempt_at = excluded.next_attempt_at, finished_at = excluded.finished_at, detail = excluded.detail`,
  ).run({ ...delivery });
}
