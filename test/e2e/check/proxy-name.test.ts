import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { describeWhere } from '../../support/process/privilege.ts';
import { createSandbox } from '../../support/network/sandbox.ts';

const CHILD = fileURLToPath(new URL('./named-proxy.ts', import.meta.url));

describeWhere(['root', 'network-namespaces'], 'a proxy by name that cannot be reached', () => {
  test('is judged by the address that was tried: a resolver that has become silent holds nothing up', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ftm-watch-proxy-name-'));
    await using stack = new AsyncDisposableStack();
    stack.defer(() => rm(folder, { recursive: true }));
    const site = stack.use(await createSandbox());
    await writeFile(join(folder, 'resolv.conf'), 'nameserver 127.0.0.1\n');
    site.sh(`mount --bind ${join(folder, 'resolv.conf')} /etc/resolv.conf; ip route add unreachable 203.0.113.25`);
    const [enter = '', ...into] = site.prefix;
    const { stdout } = await promisify(execFile)(enter, [...into, process.execPath, CHILD]);
    const { tcp, tookMs, answered } = JSON.parse(stdout) as Readonly<Record<string, unknown>>;
    expect(tcp).toMatchObject({ kind: 'failed', reason: 'no-route' });
    expect(tcp).not.toHaveProperty('beyond');
    expect(answered).toContain('A');
    expect(tookMs).toBeLessThan(3_000);
  });
});
