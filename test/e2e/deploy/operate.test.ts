import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MIGRATIONS } from '../../../src/store/database.ts';
import { createStore, type Store } from '../../../src/store/store.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { HOUR, START } from '../../support/store/incident-timeline.ts';
import { logRecorder } from '../../support/process/log-recorder.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { shellBlocks } from '../../support/packaging/shell-blocks.ts';
import { openedEntry, openedInCopy } from '../../support/store/store-records.ts';
import { PROGRAM } from '../../support/process/program.ts';

const RELEASED = new URL('../../fixtures/store/0.1.0/history.sqlite', import.meta.url);
const blocks = shellBlocks(readFileSync('docs/install.md', 'utf8'));

let root: string;
let file: string;
let service: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ftm-watch-operate-'));
  file = join(root, 'lib', 'ftm-watch.sqlite');
  service = join(root, 'service');
  for (const name of ['lib', 'backups', 'bin', 'config']) mkdirSync(join(root, name));
  const config = join(root, 'config', 'ftm-watch.yaml');
  writeFileSync(config, `store: { path: ${JSON.stringify(file)} }`);
  // Replaces systemd, which this machine may not have, and records the commands that it was sent.
  program('systemctl', `echo "$@" >> ${service}`);
  // Instead of /etc/ftm-watch/ftm-watch.yaml, which the commands read on a machine with an installed ftm-watch.
  program('ftm-watch', `exec ${process.execPath} ${PROGRAM} "$@" --config ${config}`);
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

function program(name: string, commands: string): void {
  writeFileSync(join(root, 'bin', name), `#!/bin/sh\n${commands}\n`, { mode: 0o755 });
}

/** Runs the commands verbatim, except for the folders and the user, which do not exist on this machine. */
function type(section: string): void {
  const commands = (blocks.get(section) ?? '')
    .replaceAll('/var/lib/ftm-watch', join(root, 'lib'))
    .replaceAll('/var/backups', join(root, 'backups'))
    .replace('-o ftm-watch -g ftm-watch ', '');
  const { PATH = '' } = process.env;
  execFileSync('sh', ['-eu', '-c', commands], {
    cwd: root,
    stdio: 'pipe',
    env: { PATH: `${join(root, 'bin')}${delimiter}${PATH}` },
  });
}

function open(): Store {
  return createStore({ path: file, retention: 24 * HOUR }, { clock: handClock(START), logger: logRecorder() });
}

function versionOf(path: string): unknown {
  using db = new DatabaseSync(path, { readOnly: true });
  return db.prepare('PRAGMA user_version').get()?.['user_version'];
}

function contentOf(path: string): readonly unknown[] {
  using db = new DatabaseSync(path, { readOnly: true });
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all();
  return tables.map(({ name }) => [name, db.prepare(`SELECT * FROM ${String(name)}`).all()]);
}

describeWhere(['linux'], 'docs/install.md, followed word for word,', () => {
  test('has commands for each purpose', () => {
    expect([...blocks.keys()]).toEqual(expect.arrayContaining(['Back up', 'Restore', 'Go back to an older version']));
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
    expect(restored.journal.savedState()).toEqual(openedInCopy());
    expect(restored.journal.pending()).toEqual([]);
    restored.close();
    expect(readFileSync(service, 'utf8')).toBe('stop ftm-watch\nstart ftm-watch\n');
  });

  test('refuses to restore what is damaged, and leaves the service alone', () => {
    open().close();
    writeFileSync(join(root, 'backups', 'ftm-watch.sqlite'), 'no store'.repeat(1_000));

    expect(() => type('Restore')).toThrow('the store is damaged');
    expect(existsSync(service)).toBe(false);
  });

  test('puts back the copy of a store of 0.1.0 from before the upgrade, as it was, and keeps the newer store', () => {
    copyFileSync(RELEASED, file);
    const before = contentOf(file);
    const upgraded = open();
    upgraded.journal.record(openedEntry());
    upgraded.close();
    type('Go back to an older version');

    expect([versionOf(file), versionOf(`${file}.newer`)]).toEqual([3, MIGRATIONS.length]);
    expect(contentOf(file)).toEqual(before);
    expect(readFileSync(service, 'utf8')).toBe('stop ftm-watch\nstart ftm-watch\n');
  });
});
