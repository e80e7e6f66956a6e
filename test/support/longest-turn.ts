import { writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

/**
 * To be loaded before the program, with `--import`: at each SIGUSR2 it writes to the file that `LONGEST_TURN` names how
 * many milliseconds of processor time one turn of the main thread has taken at the most since the last signal. What
 * else runs on the machine does not count.
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
