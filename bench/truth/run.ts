/**
 * Measures the time from a fault to the mail that identifies it. See bench/README.md for how to read the results.
 *
 *   npm run bench:truth -- [--times N] [--write]
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Millis } from '../../src/core/clock.ts';
import { writeIntoDocument } from '../document.ts';
import { isInside, putUp, runInside } from '../soak/namespace.ts';
import { measureTruth, type TruthOptions } from './measure.ts';
import { type MeasuredSetting, seconds, truthReport } from './report.ts';

const { values } = parseArgs({
  options: { times: { type: 'string', default: '5' }, write: { type: 'boolean', default: false } },
});

const MINUTE: Millis = 60_000;
/** After this time the previous fault has no effect any more: no burst, no share, and no incident that can reopen. */
const APART = { pause: 70 * MINUTE };

type Setting = Omit<TruthOptions, 'times' | 'onFault'> & { readonly title: string };

/** The default schedule, and the fastest possible one. */
const SETTINGS: readonly Setting[] = [
  { title: 'a round every 30 s (default), from the fault', everySeconds: 30, complains: null, ...APART },
  { title: 'the same, one fault right after the other', everySeconds: 30, complains: null, pause: MINUTE },
  { title: 'from a datagram of the log', everySeconds: 30, complains: 'datagram', ...APART },
  { title: 'from a line in a file', everySeconds: 30, complains: 'file', ...APART },
  { title: 'a round every 5 minutes, from the fault', everySeconds: 300, complains: null, ...APART },
  { title: 'the same, from a datagram of the log', everySeconds: 300, complains: 'datagram', ...APART },
  { title: 'a round every second, from the fault', everySeconds: 1, complains: null, pause: 11 * MINUTE },
];

if (isInside(process.env)) {
  putUp();
  const measured: MeasuredSetting[] = [];
  for (const { title, ...setting } of SETTINGS) {
    process.stderr.write(`${title}\n`);
    const found = await measureTruth({
      ...setting,
      times: Number(values.times),
      onFault: ({ fault, begun, shown, opened, mailed }) => {
        const [round, end, incident, mail] = [begun, shown, opened, mailed].map(seconds);
        process.stderr.write(`  ${fault}: round ${round}, its end ${end}, incident ${incident}, mail ${mail}\n`);
      },
    });
    measured.push({ title, found });
  }
  const text = truthReport(measured);
  process.stdout.write(`${text}\n`);
  if (values.write) await writeIntoDocument('npm run bench:truth', text);
} else process.exitCode = await runInside(fileURLToPath(import.meta.url), process.argv.slice(2));
