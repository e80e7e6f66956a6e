import type { AgentHealth, LogHealth } from '../../../src/core/agent.ts';

export const NOW = Date.UTC(2026, 10, 24, 13);
const MINUTE = 60_000;
export const DAY = 86_400_000;
export const HOST = 'monitor-1';

const LOG: LogHealth = { lostListeners: [], lostLines: 0, window: 15 * MINUTE, refusedSenders: [] };
/** A daemon without problems. */
export const WELL: AgentHealth = {
  host: HOST,
  at: NOW,
  timezone: 'UTC',
  store: { failure: null, isNewer: false },
  certificates: [
    { owner: 'status page', end: NOW + 15 * DAY },
    { owner: 'syslog listener', end: NOW + 15 * DAY },
  ],
  log: LOG,
  channels: [{ name: 'email', failingSince: NOW - 14 * MINUTE, unreached: 0 }],
  rejectedReload: null,
  advice: [],
};

interface Trouble {
  readonly cause: string;
  readonly health: Partial<AgentHealth>;
  readonly kind?: string;
}

export const TROUBLES: readonly Trouble[] = [
  { cause: 'store-not-writable', health: { store: { failure: 'disk full', isNewer: false } } },
  {
    cause: 'store-not-writable',
    health: { store: { failure: 'version 9', isNewer: true } },
    kind: 'newer',
  },
  {
    cause: 'own-certificate-expires',
    health: { certificates: [{ owner: 'status page', end: NOW + 14 * DAY }] },
    kind: 'page',
  },
  {
    cause: 'own-certificate-expires',
    health: { certificates: [{ owner: 'syslog listener', end: NOW - DAY }] },
    kind: 'listener',
  },
  {
    cause: 'listener-lost',
    health: { log: { ...LOG, lostListeners: [{ name: 'UDP', failure: 'gone' }] } },
  },
  { cause: 'log-lines-lost', health: { log: { ...LOG, lostLines: 1 } } },
  {
    cause: 'log-sender-refused',
    health: { log: { ...LOG, refusedSenders: [{ address: '10.0.0.5', failure: 'fails' }] } },
  },
  {
    cause: 'notifications-stuck',
    health: { channels: [{ name: 'email', failingSince: NOW - 15 * MINUTE, unreached: 0 }] },
  },
  {
    cause: 'notifications-stuck',
    health: { channels: [{ name: 'email', failingSince: null, unreached: 2 }] },
  },
  {
    cause: 'reload-rejected',
    health: { rejectedReload: ['ftm-watch.yaml:3:1  unknown key "secret-name"'] },
  },
];
