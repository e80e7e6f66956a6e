import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const DEMO = fileURLToPath(new URL('../../lab/demo.ts', import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function demo(...args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [DEMO, ...args], { env: { PATH: process.env['PATH'], NO_COLOR: '1' } });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code, stdout, stderr };
}

describe('the demo', () => {
  test('plays its story once: each fault is found, named, reported and recovered', async () => {
    const { code, stdout, stderr } = await demo('--once');

    expect(stderr).toBe('');
    const told = stdout.replaceAll(/\s+/gu, ' ');
    for (const cause of ['tls-intercepted', 'answer-hijacked', 'license-on-peer'])
      expect(told).toContain(`cause ${cause} (confirmed)`);
    expect(told.match(/Found after/gu)).toHaveLength(3);
    expect(told.match(/A mail has reached admins@example\.org/gu)).toHaveLength(3);
    expect(told.match(/Recovered after/gu)).toHaveLength(3);
    expect(told.match(/The all-clear has arrived/gu)).toHaveLength(3);
    expect(told).toContain('3 of 3 faults were found, named, reported by mail and recovered');
    expect(code).toBe(0);
  });

  test('says which scenarios there are when it knows no such one', async () => {
    const { code, stderr } = await demo('--scenario', 'meteor');

    expect(code).toBe(1);
    expect(stderr).toContain('Cannot play "meteor": expected one of inspection, dns, license,');
  });
});
