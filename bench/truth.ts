/**
 * Measures the time from a fault to the mail that identifies it. See bench/README.md for how to read the results.
 *
 *   npm run bench:truth -- [--times N]
 */
import { parseArgs } from 'node:util';
import type { Millis } from '../src/core/clock.ts';
import { PUT_UP } from '../test/soak/site.ts';
import { createSandbox } from '../test/support/network/sandbox.ts';
import { startHost } from '../test/support/process/host.ts';
import { table } from './markdown-table.ts';
import type { TimeToMail, TruthSetting } from './truth-host.ts';

const MINUTE: Millis = 60_000;
/** After this time the previous fault has no effect any more: no burst, no share, and no incident that can reopen. */
const APART = 70 * MINUTE;

/** The default schedule, a slow one, and the fastest possible one. */
const SETTINGS: Readonly<Record<string, Omit<TruthSetting, 'times'>>> = {
  'a round every 30 s (default), from the fault': { everySeconds: 30, complains: null, pause: APART },
  'the same, one fault right after the other': { everySeconds: 30, complains: null, pause: MINUTE },
  'from a datagram of the log': { everySeconds: 30, complains: 'say', pause: APART },
  'from a line in a file': { everySeconds: 30, complains: 'write', pause: APART },
  'a round every 5 minutes, from the fault': { everySeconds: 300, complains: null, pause: APART },
  'the same, from a datagram of the log': { everySeconds: 300, complains: 'say', pause: APART },
  'a round every second, from the fault': { everySeconds: 1, complains: null, pause: 11 * MINUTE },
};

/** Faults that were never found are sorted last. */
function rowOf(title: string, found: readonly TimeToMail[]): readonly string[] {
  const sorted = found.map(({ mailed }) => mailed ?? Infinity).toSorted((one, other) => one - other);
  const at = (share: number): string =>
    ((sorted[Math.round(share * (sorted.length - 1))] ?? Infinity) / 1000).toFixed(1);
  return [title, String(found.length), at(0), at(0.5), at(0.9), at(1)];
}

const { values } = parseArgs({ options: { times: { type: 'string', default: '5' } } });
const rows: (readonly string[])[] = [];
for (const [title, setting] of Object.entries(SETTINGS)) {
  process.stderr.write(`Measuring: ${title}\n`);
  await using sandbox = await createSandbox();
  sandbox.sh(PUT_UP);
  const module = new URL('truth-host.ts', import.meta.url);
  const settings = { ...setting, times: Number(values.times) };
  await using site = await startHost<TruthSetting, null, 'measure'>(module, settings, sandbox.prefix);
  const found = (await site.ask('measure')) as readonly TimeToMail[];
  const kinds = [...Map.groupBy(found, ({ fault }) => fault)].toSorted(([one], [other]) => (one < other ? -1 : 1));
  rows.push(rowOf(`**${title}**`, found), ...kinds.map(([kind, own]) => rowOf(kind, own)));
}
const head = ['Time to the mail with the cause, s', 'faults', 'least', 'median', 'nine in ten', 'most'];
process.stdout.write(`${table(head, rows).join('\n')}\n`);
