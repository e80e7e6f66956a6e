import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatIssue } from '../../../src/config/issues.ts';
import { loadConfig, commandFiles, localFiles } from '../../../src/config/load.ts';
import { printConfig } from '../../../src/config/print.ts';

const NO_CHECKOUT = { checkout: null, onCheckoutFile: () => undefined };

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ftm-config-'));
  mkdirSync(join(folder, 'folder'));
  writeFileSync(join(folder, 'ten'), '0123456789');
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('localFiles.read', () => {
  test('reads what is within the limit, and not a byte more', async () => {
    expect(await localFiles.read(join(folder, 'ten'), 10)).toEqual({ kind: 'read', bytes: Buffer.from('0123456789') });
    expect(await localFiles.read(join(folder, 'ten'), 9)).toEqual({ kind: 'too-large' });
  });

  test.each<readonly [string, object]>([
    ['nothing', { kind: 'missing' }],
    ['folder', { kind: 'failed', reason: 'it is not a regular file' }],
    ['ten/below', { kind: 'failed', reason: 'part of its path is not a directory' }],
    ['zero\0byte', { kind: 'failed', reason: 'its name contains a zero byte' }],
  ])('says of %j what is wrong', async (name, expected) => {
    expect(await localFiles.read(join(folder, name), 10)).toEqual(expected);
  });

  test('does not wait for a device', async () => {
    expect(await localFiles.read('/dev/zero', 10)).toEqual({ kind: 'failed', reason: 'it is not a regular file' });
  });
});

describe('localFiles.problem', () => {
  test.each([
    ['ten', null],
    ['nothing', 'no such file'],
    ['folder', 'it is a directory'],
    ['x'.repeat(300), 'its name is too long'],
    ['zero\0byte', 'its name contains a zero byte'],
  ])('of %j', async (name, expected) => {
    expect(await localFiles.problem(join(folder, name))).toBe(expected);
  });

  test('of a file that may not be read', () => {
    const secret = join(folder, 'secret');
    writeFileSync(secret, 'hunter2');
    chmodSync(secret, 0o000);
    const module = new URL('../../../src/config/load.ts', import.meta.url).href;
    const program = `import { commandFiles, localFiles } from ${JSON.stringify(module)};
      process.stdout.write(String(await localFiles.problem(${JSON.stringify(secret)})));`;
    const node = [process.execPath, '--input-type=module', '--eval', program];
    // Root can read everything unless these capabilities are dropped.
    const unprivileged = ['setpriv', '--bounding-set', '-dac_override,-dac_read_search'];
    const [command = '', ...args] = process.getuid?.() === 0 ? [...unprivileged, ...node] : node;
    expect(execFileSync(command, args, { encoding: 'utf8' })).toBe('permission denied');
  });
});

describe('loadConfig on this machine', () => {
  test('takes secrets from a file beside the configuration, and says where it looked when there is none', async () => {
    const path = join(folder, 'own.yaml');
    writeFileSync(path, 'firewall: { url: "https://10.0.0.1", source: 10.0.0.5, tokenFile: token.txt }');
    const options = { ...NO_CHECKOUT, path, env: {}, hostname: 'watcher', cwd: tmpdir(), files: localFiles };
    const before = await loadConfig(options);
    expect(before.kind === 'invalid' && before.issues.map(formatIssue)).toEqual([
      `${path}:1:56  firewall.tokenFile: cannot read file "${join(folder, 'token.txt')}": no such file`,
    ]);
    writeFileSync(join(folder, 'token.txt'), 'hunter2');
    expect(await loadConfig(options)).toMatchObject({
      kind: 'ok',
      sources: [path],
      config: { firewall: [{ token: { kind: 'file', path: join(folder, 'token.txt') } }] },
    });
  });

  test('prints what it loaded when its files are gone', async () => {
    const path = join(folder, 'gone.yaml');
    const token = join(folder, 'gone.txt');
    writeFileSync(path, 'firewall: { url: "https://10.0.0.1", source: 10.0.0.5, tokenFile: gone.txt }');
    writeFileSync(token, 'hunter2');
    const loaded = await loadConfig({
      ...NO_CHECKOUT,
      path,
      env: {},
      hostname: 'watcher',
      cwd: tmpdir(),
      files: localFiles,
    });
    rmSync(path);
    rmSync(token);
    expect(loaded.kind === 'ok' && printConfig(loaded.config)).toContain(`\n  tokenFile: ${token}\n`);
  });

  test('prints the name of the machine as it is, which the file could not give', async () => {
    const hostname = 'x'.repeat(100);
    const options = { ...NO_CHECKOUT, path: undefined, env: {}, hostname, cwd: folder, files: localFiles };
    const loaded = await loadConfig(options);
    expect(loaded.kind === 'ok' && printConfig(loaded.config)).toMatch(new RegExp(`^site: ${hostname}\n`, 'u'));
  });
});

describe('commandFiles.substitute', () => {
  const credentials = '/run/credentials/ftm-watch.service';

  test.each([
    [`${credentials}/secrets_fac-1`, '/etc/ftm-watch/secrets/fac-1'],
    [`${credentials}/fac-1`, '/etc/ftm-watch/secrets/fac-1'],
    [`${credentials}/secrets_a_b.key`, '/etc/ftm-watch/secrets/a_b.key'],
  ])('gives of %j what systemd makes it from', async (path, source) => {
    expect((await commandFiles.substitute?.(path))?.path).toBe(source);
  });

  test.each([
    `${credentials}/secrets_..`,
    `${credentials}/secrets_.`,
    `${credentials}/secrets_/fac-1`,
    `${credentials}/secrets_a/b`,
    `${credentials}/`,
    '/run/credentials/other.service/secrets_fac-1',
    '/run/credentials/ftm-watch.service2/fac-1',
    `/srv${credentials}/secrets_fac-1`,
    '/etc/ftm-watch/secrets/fac-1',
  ])('gives nothing for %j', async (path) => {
    expect(await commandFiles.substitute?.(path)).toBeNull();
  });

  test('is not for the daemon', () => {
    expect(localFiles.substitute).toBeUndefined();
  });
});

describe('localFiles.exposure', () => {
  test.each<readonly [string, number, number, RegExp]>([
    ['only the owner can change', 0o600, 0o755, /^null$/u],
    ['the group can change', 0o664, 0o755, /^other users can change /u],
    ['everybody can change', 0o606, 0o755, /^other users can change /u],
    ['everybody can replace', 0o644, 0o777, /^other users can change /u],
  ])('checks a file that %s', async (_, fileMode, folderMode, expected) => {
    const place = mkdtempSync(join(folder, 'place-'));
    const file = join(place, 'ftm-watch.yaml');
    writeFileSync(file, '');
    chmodSync(file, fileMode);
    chmodSync(place, folderMode);

    expect(String(await localFiles.exposure(file))).toMatch(expected);
  });

  test.runIf(process.geteuid?.() === 0)('reports a file that belongs to another user', async () => {
    const file = join(mkdtempSync(join(folder, 'place-')), 'ftm-watch.yaml');
    writeFileSync(file, '');
    chownSync(file, 65_534, 65_534);

    expect(await localFiles.exposure(file)).toBe(`"${file}" belongs to another user (uid 65534)`);
  });
});
