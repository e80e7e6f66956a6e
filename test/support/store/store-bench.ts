import { afterEach, beforeEach } from 'vitest';
import type { EpochMs } from '../../../src/core/clock.ts';
import { createStore, type Store } from '../../../src/store/store.ts';
import { logRecorder, type LogRecorder } from '../process/log-recorder.ts';
import { folderOfEachTest, type TestFolder } from '../process/test-folder.ts';
import { handClock, type HandClock } from '../time/hand-clock.ts';
import { HOUR, START } from './incident-timeline.ts';

/** A folder, a clock and a log for the stores of each test, which are closed after it. */
export interface StoreBench {
  readonly folder: TestFolder;
  /** The usual file, whose own folder does not exist yet. */
  readonly path: string;
  readonly clock: HandClock;
  readonly log: LogRecorder;
  /** Opens a store as a daemon does, with a retention of 90 days. */
  open(file?: string): Store;
}

export function storeBench(start: EpochMs = START): StoreBench {
  const folder = folderOfEachTest();
  const opened: Store[] = [];
  let [clock, log] = [handClock(start), logRecorder()];
  beforeEach(() => {
    [clock, log] = [handClock(start), logRecorder()];
  });
  afterEach(() => {
    for (const store of opened.splice(0)) store.close();
  });
  return {
    folder,
    get path() {
      return folder.at('data', 'history.sqlite');
    },
    get clock() {
      return clock;
    },
    get log() {
      return log;
    },
    open(file = folder.at('data', 'history.sqlite')) {
      const store = createStore({ path: file, retention: 90 * 24 * HOUR }, { clock, logger: log });
      opened.push(store);
      return store;
    },
  };
}
