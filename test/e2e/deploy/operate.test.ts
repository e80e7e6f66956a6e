import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { MIGRATIONS } from '../../../src/store/migrations.ts';
import { createStore, type Store } from '../../../src/store/store.ts';
import { handClock } from '../../support/hand-clock.ts';
import { HOUR, START } from '../../support/incident-timeline.ts';
import { logRecorder } from '../../support/log-recorder.ts';
import { describeWhere } from '../../support/privilege.ts';
import { shellBlocks } from '../../support/shell-blocks.ts';
import { openedEntry } from '../../support/store-records.ts';

const blocks = shellBlocks(readFileSync('docs/operate.md', 'utf8'));

let root: string;
let file: string;
let service: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ftm-watch-operate-'));
  file = join(root, 'lib', 'ftm-watch.sqlite');
  service = join(root, 'service');
  for (const name of ['lib', 'backups', 'bin']) mkdirSync(join(root, name));
  // In the place of systemd, which this machine need not have: it notes what it was told.
  const systemctl = join(root, 'bin', 'systemctl');
  writeFileSync(systemctl, `#!/bin/sh\necho "$@" >> ${service}\n`);
  chmodSync(systemctl, 0o755);
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

/** Word for word, except for the folders and the user, which this machine has not. */
function type(section: string): void {
  const commands = (blocks.get(section) ?? '')
    .replaceAll('/var/lib/ftm-watch', join(root, 'lib'))
    .replaceAll('/var/backups', join(root, 'backups'))
    .replace('-o ftm-watch -g ftm-watch ', '');
  const { PATH = '' } = process.env;
  execFileSync('sh', ['-eu', '-c', commands], { env: { PATH: `${join(root, 'bin')}${delimiter}${PATH}` } });
}

function open(): Store {
  return createStore({ path: file, retention: 24 * HOUR }, { clock: handClock(START), logger: logRecorder() });
}

function versionOf(path: string): unknown {
  using db = new DatabaseSync(path, { readOnly: true });
  return db.prepare('PRAGMA user_version').get()?.['user_version'];
}

describeWhere([{ program: 'sqlite3' }], 'docs/operate.md, followed word for word,', () => {
  test('has commands for each purpose', () => {
    expect([...blocks.keys()]).toEqual(['Back up', 'Restore', 'Go back to an older version']);
  });

  test('backs up a store in use, and restores it', () => {
    const entry = openedEntry();
    const daemon = open();
    daemon.journal.record({ ...entry, state: { ...entry.state, maintenance: true } });
    type('Back up');
    daemon.journal.record(entry);
    type('Back up');
    daemon.journal.record({ ...entry, state: { ...entry.state, incidents: [] } });
    daemon.close();
    type('Restore');

    const restored = open();
    expect(restored.journal.savedState()).toEqual(entry.state);
    expect(restored.journal.pending()).toHaveLength(2);
    restored.close();
    expect(readFileSync(service, 'utf8')).toBe('stop ftm-watch\nstart ftm-watch\n');
  });

  test('puts back the copy from before an upgrade, and keeps the newer store', () => {
    {
      using old = new DatabaseSync(file);
      old.exec(`${MIGRATIONS[0] ?? ''}; PRAGMA user_version = 1`);
    }
    const upgraded = open();
    upgraded.journal.record(openedEntry());
    upgraded.close();
    type('Go back to an older version');

    expect([versionOf(file), versionOf(`${file}.newer`)]).toEqual([1, MIGRATIONS.length]);
    expect(readFileSync(service, 'utf8')).toBe('stop ftm-watch\nstart ftm-watch\n');
  });
});
