import { beforeAll, expect, test } from 'vitest';
import { polling } from '../../../src/checks/polling/judge.ts';
import { factsOf } from '../../support/checks/facts.ts';
import { logPartOf } from '../../../src/cli/log-memory.ts';
import type { Config } from '../../../src/config/config.ts';
import type { SignatureSet } from '../../../src/core/polling/signature.ts';
import { emptyPolling, recordEvents } from '../../../src/core/polling/state.ts';
import type { LogMemory } from '../../../src/report/report-contents.ts';
import type { StoredHistory } from '../../../src/store/stored-history.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { configOf } from '../../support/config/config-of.ts';
import { START, timeline } from '../../support/store/incident-timeline.ts';
import { shippedCatalogue } from '../../support/logs/signature-catalogue.ts';

const WINDOW = 900_000;
const NONE: StoredHistory = { kind: 'none' };

let config: Config;
let silent: Config;
let signatures: SignatureSet;

beforeAll(async () => {
  const appliances = 'appliances: [{ name: fac-1, serial: FACVM0000000001, logSources: [10.0.0.5] }]';
  config = await configOf(`{ ${appliances}, logs: { syslog: { udp: "127.0.0.1:5514" } } }`);
  silent = await configOf(`{ ${appliances} }`);
  signatures = await shippedCatalogue();
});

/** Returns a log memory with an error of this age. */
function memory(age: number, listeningSince: number | null): LogMemory {
  const error = {
    kind: 'ftm',
    appliance: 'fac-1',
    signature: 'ftm-polling-ssl',
    at: START - age,
    count: 1,
    line: 'x',
    reliable: false,
  } as const;
  return { kind: 'read', state: recordEvents(emptyPolling(WINDOW), [error]), listeningSince };
}

function pollingOf(logMemory: LogMemory, of = config): unknown {
  const part = logPartOf(of, { logMemory, storedHistory: NONE, signatures, now: START });
  if (part.kind === 'heard') return 'heard';
  const { kind, summary } = polling.judge(factsOf({ config: of, log: part }));
  return { kind, summary };
}

test('what was kept lately is heard, errors also of a daemon that has stopped', () => {
  expect(pollingOf(memory(60_000, START - 3_600_000))).toBe('heard');
  expect(pollingOf(memory(60_000, null))).toBe('heard');
  expect(pollingOf(memory(2 * WINDOW, START - 3_600_000))).toBe('heard');
});

test('what is old proves nothing', () => {
  const summary = 'Not checked, because only the daemon receives the log, and the stored log data is out of date';
  expect(pollingOf(memory(2 * WINDOW, null))).toEqual({ kind: 'not-configured', summary });
});

test('where nothing was kept it says so, and where it cannot be read it is not known', () => {
  expect(pollingOf({ kind: 'none' })).toMatchObject({
    kind: 'not-configured',
    summary: expect.stringContaining('no log data is stored'),
  });
  expect(pollingOf({ kind: 'unreadable', message: 'x' })).toMatchObject({ kind: 'unjudged' });
});

test.each<LogMemory>([{ kind: 'none' }, { kind: 'unreadable', message: 'x' }])(
  'no log is missed that nobody listens to: %j',
  (kept) => {
    expect(pollingOf(kept, silent)).toEqual({ kind: 'not-configured', summary: 'No log source is configured' });
  },
);

test('an outage that was remembered explains the errors that came with it', () => {
  const { incidents } = timeline().rounds(2, [causeOf('tls-intercepted')]).state;
  const past = {
    kind: 'read',
    incidents,
    olderIncidents: 0,
    outboxEntries: [],
    olderEntries: 0,
    certificates: [],
  } as const;
  const part = logPartOf(config, { logMemory: memory(60_000, null), storedHistory: past, signatures, now: START });
  expect(part).toMatchObject({
    kind: 'heard',
    faultsSeen: [
      { precondition: 'tls-genuine', appliance: null, since: incidents[0]?.since, at: incidents[0]?.lastSeen },
    ],
  });
});
