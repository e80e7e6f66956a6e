/**
 * Simulates how soon an intermittent fault is recognized, with the program's own evaluation of rounds and bursts.
 *
 *   npm run bench:intermittence -- [--days 1800]
 */
import { parseArgs } from 'node:util';
import { INTERMITTENT_RULE } from '../src/checks/intermittent/finding.ts';
import type { Millis } from '../src/core/clock.ts';
import type { Diagnosis } from '../src/engine/model.ts';
import { flakyPath, type FlakyPath } from '../test/support/network/flaky-path.ts';
import { randomOf } from '../test/support/random/random-of.ts';
import { START } from '../test/support/store/incident-timeline.ts';
import { DAY, HOUR, MINUTE } from '../test/support/time/units.ts';
import { table } from './markdown-table.ts';

const SEEDS = Array.from({ length: 200 }, (_, index) => index + 1);
const ADDRESSES = ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4'];

const { values } = parseArgs({ options: { days: { type: 'string', default: '1800' } } });

/** @param part the share of connections that fail, at a time since the start */
function pathOf(seed: number, part: (since: Millis) => number, addresses = 1): FlakyPath {
  const random = randomOf(seed);
  const answers = ADDRESSES.slice(0, addresses);
  return flakyPath(({ at }) => random() < part(at - START), { answers: () => answers });
}

/** Returns the time from `from` to the first later round of which `holds` is true. Null if there is none. */
function timeTo(site: FlakyPath, from: Millis, most: Millis, holds: (diagnosis: Diagnosis) => boolean): Millis | null {
  for (let ran = 0, seen = 0; ran < from + most; ran += 10 * MINUTE) {
    site.run(10 * MINUTE);
    for (const input of site.line.inputs.slice(seen)) {
      if (input.kind !== 'diagnosis' || input.diagnosis.at < START + from) continue;
      if (holds(input.diagnosis)) return input.diagnosis.at - START - from;
    }
    seen = site.line.inputs.length;
  }
  return null;
}

function isIntermittent({ preconditions }: Diagnosis): boolean {
  return preconditions.some(({ findings }) => findings.some(({ rule }) => rule === INTERMITTENT_RULE));
}

function rowOf(what: string, time: (seed: number) => Millis | null): readonly string[] {
  const times = SEEDS.map(time).toSorted((a, b) => (a ?? Infinity) - (b ?? Infinity));
  const at = (share: number): string => {
    const found = times[Math.ceil(share * times.length) - 1] ?? null;
    return found === null ? 'not within 6 h' : `${(found / MINUTE).toFixed(1)} min`;
  };
  return [
    what,
    `${String(times.filter((found) => found !== null).length)} of ${String(times.length)}`,
    at(0.5),
    at(0.9),
  ];
}

const SHARES: readonly (readonly [string, number])[] = [
  ['50 %', 1 / 2],
  ['33 %', 1 / 3],
  ['20 %', 1 / 5],
  ['10 %', 1 / 10],
  ['5 %', 1 / 20],
];
const rows = [
  ...SHARES.map(([name, part]) =>
    rowOf(name, (seed) =>
      timeTo(
        pathOf(seed, () => part),
        0,
        6 * HOUR,
        isIntermittent,
      ),
    ),
  ),
  rowOf('a repair, after an hour of 33 %', (seed) => {
    const site = pathOf(seed, (since) => (since < HOUR ? 1 / 3 : 0));
    return timeTo(site, HOUR, 6 * HOUR, (diagnosis) => !isIntermittent(diagnosis));
  }),
  rowOf('an outage, after an hour of 20 %', (seed) => {
    const site = pathOf(seed, (since) => (since < HOUR ? 1 / 5 : 1));
    return timeTo(site, HOUR, 6 * HOUR, ({ ready }) => ready === 'not-ready');
  }),
  rowOf('outages of 2 minutes every 20 minutes', (seed) => {
    const site = pathOf(seed, (since) => ((since + seed * 20_000) % (20 * MINUTE) < 2 * MINUTE ? 1 : 0));
    return timeTo(site, 0, 6 * HOUR, isIntermittent);
  }),
];
console.log(table(['share of connections that fail', 'runs', 'median', '90th percentile'], rows).join('\n'));

const days = Number(values.days);
for (const addresses of days > 0 ? [1, 2, 4] : []) {
  const opened = SEEDS.map((seed) => {
    const site = pathOf(seed, () => 1 / 50, addresses);
    site.run(Math.ceil((days * DAY) / SEEDS.length));
    return site.opened();
  });
  const sum = opened.reduce((total, count) => total + count, 0);
  console.log(`2 % random loss, ${String(addresses)} address(es): ${String(sum)} incidents in ${String(days)} days`);
}
