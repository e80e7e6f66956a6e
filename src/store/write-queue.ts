import type { DatabaseSync } from 'node:sqlite';
import type { Database } from './database.ts';

/** One kind of rows. */
interface Kind<Row> {
  /** If more rows are waiting, and cannot be written now, the oldest are dropped. */
  readonly most: number;
  readonly write: (db: DatabaseSync, rows: Iterable<Row>) => void;
  /** See `Database.writeLazily`. */
  readonly isLazy: boolean;
}

/**
 * Keeps rows in memory until the file can be written, then writes all of them in one transaction, in order. Each kind
 * has its own queue, so that rows that cannot be written do not hold up those of other kinds.
 */
export class WriteQueue<Row> {
  readonly #database: Database;
  readonly #kind: Kind<Row>;
  readonly #waiting = new Map<string, Row>();
  #added = 0;

  constructor(database: Database, kind: Kind<Row>) {
    this.#database = database;
    this.#kind = kind;
  }

  /** @param key a waiting row with the same key is replaced */
  put(row: Row, key = `row ${String((this.#added += 1))}`): void {
    this.#waiting.delete(key);
    this.#waiting.set(key, row);
    if (this.#waiting.size <= this.#kind.most) return;
    this.flush();
    const [oldest = ''] = this.#waiting.keys();
    if (this.#waiting.size > this.#kind.most) this.#waiting.delete(oldest);
  }

  waiting(key: string): Row | undefined {
    return this.#waiting.get(key);
  }

  /** Oldest first. */
  allWaiting(): readonly Row[] {
    return [...this.#waiting.values()];
  }

  flush(): void {
    if (this.#waiting.size === 0) return;
    // The work can be tried twice, and a new file adds rows in between.
    const work = (db: DatabaseSync): void => this.#kind.write(db, this.#waiting.values());
    if (this.#kind.isLazy ? this.#database.writeLazily(work) : this.#database.write(work)) this.#waiting.clear();
  }
}
