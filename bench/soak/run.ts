import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { isInside, putUp, runInside } from './namespace.ts';
import { soak } from './soak.ts';
import { isGood, memoryText, textOf } from './text.ts';

const USAGE = `Usage: npm run soak -- [--days N] [--seed N] [--every SECONDS] [--from YYYY-MM-DD]

Lives through simulated days: every day's noise, and faults at odd times. Exit code 1: a false alarm, a fault that was
missed or told wrongly, or memory that grew.
`;

const { values } = parseArgs({
  options: {
    days: { type: 'string', default: '30' },
    seed: { type: 'string', default: '1' },
    every: { type: 'string', default: '600' },
    // In the site's time zone, the clocks go back within the next thirty days.
    from: { type: 'string', default: '2026-10-05' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) process.stdout.write(USAGE);
else if (!isInside(process.env))
  process.exitCode = await runInside(fileURLToPath(import.meta.url), process.argv.slice(2));
else {
  putUp();
  const started = performance.now();
  const options = {
    days: Number(values.days),
    seed: Number(values.seed),
    everySeconds: Number(values.every),
    start: Date.parse(`${values.from}T00:00:00Z`),
  };
  process.stdout.write(
    `${values.days} days from ${values.from}, a round every ${values.every} s, seed ${values.seed}\n`,
  );
  const outcome = await soak({
    ...options,
    onDay: ({ day, memory, incidents, mails }) => {
      const seconds = ((performance.now() - started) / 1000).toFixed(0);
      process.stdout.write(
        `day ${String(day).padStart(2)}: ${String(incidents)} incidents, ${String(mails)} mails, ` +
          `${memoryText(memory)}, after ${seconds} s\n`,
      );
    },
  });
  process.stdout.write(textOf(outcome, options.start));
  process.exitCode = isGood(outcome) ? 0 : 1;
}
