/** Each entry brings the file from the version of its index to the next one. Never edit one that was released: add. */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE incident_state (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    json TEXT NOT NULL
  ) STRICT;

  CREATE TABLE incidents (
    id TEXT PRIMARY KEY,
    cause TEXT NOT NULL,
    subject TEXT NOT NULL,
    severity TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    closed_at INTEGER,
    json TEXT NOT NULL
  ) STRICT;
  CREATE INDEX incidents_by_time ON incidents (opened_at);

  CREATE TABLE notifications (
    id TEXT PRIMARY KEY,
    event TEXT NOT NULL,
    at INTEGER NOT NULL,
    json TEXT NOT NULL
  ) STRICT;
  CREATE INDEX notifications_by_time ON notifications (at);

  CREATE TABLE deliveries (
    sequence INTEGER PRIMARY KEY,
    notification TEXT NOT NULL REFERENCES notifications (id) ON DELETE CASCADE,
    channel TEXT NOT NULL,
    recipient TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    first_failed_at INTEGER,
    next_attempt_at INTEGER NOT NULL,
    finished_at INTEGER,
    detail TEXT NOT NULL,
    UNIQUE (notification, channel, recipient)
  ) STRICT;
  CREATE INDEX deliveries_pending ON deliveries (sequence) WHERE status = 'pending';

  CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    probe TEXT NOT NULL,
    target TEXT NOT NULL,
    UNIQUE (probe, target)
  ) STRICT;
  CREATE TABLE samples (
    series INTEGER NOT NULL REFERENCES series (id),
    at INTEGER NOT NULL,
    duration_ms REAL NOT NULL,
    failure TEXT,
    PRIMARY KEY (series, at)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX samples_by_time ON samples (at);

  CREATE TABLE precondition_states (
    precondition TEXT NOT NULL,
    from_at INTEGER NOT NULL,
    until_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (precondition, from_at)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX precondition_states_by_time ON precondition_states (until_at);

  CREATE TABLE certificates (
    target TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    pem TEXT NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    PRIMARY KEY (target, fingerprint)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE figures (
    name TEXT NOT NULL,
    subject TEXT NOT NULL,
    at INTEGER NOT NULL,
    value REAL NOT NULL,
    PRIMARY KEY (name, subject, at)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE INDEX figures_by_time ON figures (at);
  `,
  `
  CREATE TABLE audit (
    sequence INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    action TEXT NOT NULL,
    account TEXT NOT NULL,
    address TEXT,
    refused TEXT,
    cause TEXT,
    subject TEXT,
    detail TEXT NOT NULL
  ) STRICT;
  CREATE INDEX audit_by_time ON audit (at);
  `,
  `
  ALTER TABLE audit ADD COLUMN incident TEXT;
  CREATE INDEX audit_by_incident ON audit (incident) WHERE incident IS NOT NULL;
  CREATE INDEX incidents_by_end ON incidents (closed_at);
  `,
  // Refusals get a space of their own: they pushed out what was changed.
  `
  CREATE TABLE refused_changes (
    sequence INTEGER PRIMARY KEY,
    account TEXT NOT NULL,
    address TEXT NOT NULL,
    minute INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    count INTEGER NOT NULL,
    action TEXT NOT NULL,
    UNIQUE (account, address, minute)
  ) STRICT;
  INSERT INTO refused_changes (account, address, minute, first, last, count, action)
    SELECT account, ifnull(address, ''), at / 60000, min(at), max(at), count(*), max(action)
    FROM audit WHERE refused IS NOT NULL GROUP BY 1, 2, 3;
  DELETE FROM audit WHERE refused IS NOT NULL;
  ALTER TABLE audit DROP COLUMN refused;
  `,
];
