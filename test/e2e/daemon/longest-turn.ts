import { writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

/**
 * Loaded before the program with `--import`. At each SIGUSR2, it writes to the file in `LONGEST_TURN` the longest CPU
 * time, in milliseconds, of one turn of the main thread since the last signal. Other load on the machine is not
 * counted.
 */
if (isMainThread) {
  let before = process.threadCpuUsage();
  let longest = 0;
  setInterval(() => {
    const { user, system } = process.threadCpuUsage(before);
    before = process.threadCpuUsage();
    longest = Math.max(longest, (user + system) / 1000);
  }, 1).unref();
  process.on('SIGUSR2', () => {
    writeFileSync(process.env['LONGEST_TURN'] ?? '', String(longest));
    longest = 0;
  });
}
