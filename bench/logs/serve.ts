/** The log intake in a separate process. Prints its ports, then its counters for each line on standard input. */
import { createInterface } from 'node:readline';
import { pino } from 'pino';
import { systemClock } from '../../src/system/clock.ts';
import type { LogEvent } from '../../src/core/polling/log-event.ts';
import { emptyPolling, recordEvents } from '../../src/core/polling/state.ts';
import { LogIntake } from '../../src/logs/intake.ts';
import { isFaultId } from '../../src/checks/registry.ts';
import { loadSignatures } from '../../src/logs/signatures.ts';

const free = { address: '127.0.0.1', port: 0 };
let state = emptyPolling(900_000);
let stall = 0;
let latest = performance.now();
setInterval(() => {
  stall = Math.max(stall, performance.now() - latest - 10);
  latest = performance.now();
}, 10);

const intake = new LogIntake(
  {
    logs: { syslog: { udp: free, tcp: free, tls: null }, files: [], relays: [], foreign: 'count', window: 900_000 },
    appliances: [],
    firewall: [],
    licenseServer: { host: 'fortitokenmobile.fortinet.com', serverName: null, expectedAddresses: [] },
  },
  {
    clock: systemClock,
    logger: pino({ level: 'silent' }),
    signatures: await loadSignatures([], isFaultId),
    certificate: null,
    // As in the program, every event is added to the window.
    onEvent: (event: LogEvent) => {
      state = recordEvents(state, [event]);
    },
  },
);
await intake.start();
process.stdout.write(`${JSON.stringify(intake.addresses())}\n`);
createInterface({ input: process.stdin })
  .on('line', () => {
    process.stdout.write(`${JSON.stringify({ ...intake.counters().lines, stall })}\n`);
    stall = 0;
  })
  .on('close', () => process.exit(0));
