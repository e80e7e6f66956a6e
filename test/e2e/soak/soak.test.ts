import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { expect, test } from 'vitest';

import { describeWhere } from '../../support/process/privilege.ts';

const SOAK = fileURLToPath(new URL('../../../bench/soak/run.ts', import.meta.url));
/** Simulated days. Nightly runs use the thirty days of `npm run soak`. */
const DAYS = 1;
const LIMIT_MS = 15 * 60_000;

interface Ended {
  readonly code: number | null;
  readonly said: string;
}

/** Prints the output as well, because the run takes minutes and reports each day. */
async function runSoak(parts: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [SOAK, ...parts], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    process.stdout.write(text);
  });
  const [code = null] = (await once(child, 'close')) as readonly (number | null)[];
  return { code, said };
}

describeWhere(['root', 'network-namespaces'], 'a day of noise and faults', () => {
  test(
    'brings no false alarm and hides no fault',
    async () => {
      const { code, said } = await runSoak(['--days', String(DAYS), '--every', '1800']);
      expect(said).toContain('false alarms: 0');
      expect(said).toContain('errors in its own log: 0');
      // The exit code is the soak's own verdict on everything.
      expect(code).toBe(0);
    },
    LIMIT_MS,
  );
});
