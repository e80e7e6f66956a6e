import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { stagesOf, valuesOf } from '../../support/dockerfile.ts';
import { freePort } from '../../support/free-port.ts';
import { assembleImage } from '../../support/image.ts';
import type { Image } from '../../support/image.ts';
import { startInImage } from '../../support/image-process.ts';
import { describeWhere } from '../../support/privilege.ts';

const PATIENCE = { timeout: 20_000, interval: 50 };

describeWhere(['root', { program: 'unshare' }, { program: 'setpriv' }], 'the image', () => {
  const stages = stagesOf(readFileSync('Dockerfile', 'utf8'));
  const [last] = stages.slice(-1);
  let image: Image;
  let port: number;

  function jsonOf(keyword: string): readonly string[] {
    const [value = '[]'] = last === undefined ? [] : valuesOf(last, keyword);
    return JSON.parse(value.slice(value.indexOf('['))) as readonly string[];
  }

  function healthcheck(): Promise<number | null> {
    const health = startInImage(image, [
      '-e',
      `process.env.FTM_WATCH_HEALTH_URL = "http://127.0.0.1:${String(port)}/-/healthy"; import("./healthcheck.ts")`,
    ]);
    return health.ended;
  }

  beforeAll(async () => {
    image = await assembleImage(stages, process.cwd());
    for (const folder of [image.root, dirname(image.root)]) chmodSync(folder, 0o755);
    port = await freePort();
    // The shipped configuration, on another port, and with a network that is loopback.
    const shipped = readFileSync(join(image.root, 'etc/ftm-watch/ftm-watch.yaml'), 'utf8');
    const closed = String(await freePort());
    writeFileSync(
      join(image.root, 'etc/ftm-watch/ftm-watch.yaml'),
      shipped.replace('0.0.0.0:9843', `127.0.0.1:${String(port)}`).replaceAll('/var/lib', `${image.root}/var/lib`) +
        `licenseServer: { host: 127.0.0.1, port: ${closed} }\ncontrolHosts: ["127.0.0.1:${closed}"]\n` +
        `resolvers: ["127.0.0.1:${closed}"]\n`,
    );
  });

  afterAll(() => image[Symbol.asyncDispose]());

  it('has production dependencies only, and nothing that its user can write', () => {
    const modules = readdirSync(join(image.workdir, 'node_modules'));
    expect(modules).toContain('pino');
    expect(modules.filter((name) => /^(?:typescript|vitest|oxlint|@types|node|@grafana)$/u.test(name))).toEqual([]);
    expect(readdirSync(image.workdir).toSorted()).toEqual(['dist', 'healthcheck.ts', 'node_modules']);
    const writable = readdirSync(image.root, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isSymbolicLink())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => statSync(path).uid === 1000);
    expect(writable).toEqual([join(image.root, 'var/lib/ftm-watch')]);
  });

  it('starts as its user on a read-only file system, answers, and drains on SIGTERM', async () => {
    const [, ...entry] = jsonOf('ENTRYPOINT');
    const command = jsonOf('CMD').map((word) => word.replace(/^\/etc/u, `${image.root}/etc`));
    await using daemon = startInImage(image, [...entry, ...command]);
    const get = (path: string): Promise<string> =>
      fetch(`http://127.0.0.1:${String(port)}${path}`).then(
        async (response) => `${String(response.status)} ${await response.text()}`,
        () => daemon.lines.join('\n'),
      );
    await expect.poll(() => get('/-/healthy'), PATIENCE).toBe('200 Healthy\n');
    await expect.poll(() => get('/-/ready'), PATIENCE).toBe('200 Ready\n');
    expect(await get('/')).toContain('</html>');
    expect(await get('/metrics')).toContain('\nftm_store_writable 1\n');
    expect(await healthcheck()).toBe(0);
    expect(readdirSync(join(image.root, 'var/lib/ftm-watch'))).toContain('ftm-watch.sqlite');

    daemon.kill('SIGTERM');
    expect(await daemon.ended).toBe(0);
    expect(daemon.lines.at(-1)).toMatch(/"msg":"Stopped"/u);
    expect(await healthcheck()).toBe(1);
  });

  it('cannot write beside its volume', async () => {
    const attempt = startInImage(image, ['-e', 'require("node:fs").writeFileSync("here", "")']);
    expect(await attempt.ended).toBe(1);
    expect(attempt.lines.join('\n')).toContain('EROFS');
  });
});
