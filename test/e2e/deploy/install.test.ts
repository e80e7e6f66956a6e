import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import packageJson from '../../../package.json' with { type: 'json' };
import { cleanEnvironment } from '../../support/clean-environment.ts';
import { freePort } from '../../support/free-port.ts';
import { describeWhere } from '../../support/privilege.ts';
import { shellBlocks } from '../../support/shell-blocks.ts';

const run = promisify(execFile);
const UNIT = 'deploy/systemd/ftm-watch.service';
const blocks = shellBlocks(readFileSync('deploy/install.md', 'utf8'));
/** What goes into the source archive. */
const SOURCE = ['LICENSE', 'package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json', 'src', 'config', 'docs', 'deploy'];
const PATIENCE = { timeout: 20_000, interval: 50 };

describe('deploy/install.md', () => {
  it('has a block of commands for each step', () => {
    expect([...blocks.keys()]).toEqual(['1. Node', '2. Program', '3. User, configuration, unit', '4. Start']);
  });

  it('installs the Node that the tests run on', () => {
    const versions = [...(blocks.get('1. Node') ?? '').matchAll(/v(\d+\.\d+\.\d+)/gu)].map(([, version]) => version);
    expect(new Set(versions)).toEqual(new Set([packageJson.devDependencies.node]));
  });
});

describeWhere(['root', { program: 'systemd-sysusers' }, { program: 'setpriv' }], 'the steps 2 and 3 of deploy/install.md', () => {
  let root: string;

  /** The same text, with the folders of the machine below `root`. */
  function below(text: string): string {
    return text.replaceAll(/(?<![\w.])\/(?:opt|etc|var|usr\/local\/src)\//gu, (folder) => `${root}${folder}`);
  }

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'ftm-watch-install-'));
    chmodSync(root, 0o755);
    for (const folder of ['etc', 'opt/node/bin', 'usr/local/src/ftm-watch', 'var/lib/ftm-watch'])
      mkdirSync(join(root, folder), { recursive: true });
    symlinkSync(process.execPath, join(root, 'opt/node/bin/node'));
    for (const name of SOURCE) cpSync(name, join(root, 'usr/local/src/ftm-watch', name), { recursive: true });
    const commands = `${blocks.get('2. Program') ?? ''}${blocks.get('3. User, configuration, unit') ?? ''}`;
    const script = below(commands).replace('systemd-sysusers ', `systemd-sysusers --root=${root} `);
    const { status, stdout, stderr } = spawnSync('sh', ['-ec', script], {
      env: cleanEnvironment(),
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`The commands of deploy/install.md ended with ${String(status)}:\n${stdout}${stderr}`);
  });

  afterAll(() => {
    rmSync(root, { recursive: true, force: true });
  });

  it('make a user without a shell', () => {
    expect(readFileSync(join(root, 'etc/passwd'), 'utf8')).toMatch(
      /^ftm-watch:x:\d+:\d+:ftm-watch:\/var\/lib\/ftm-watch:\/usr\/sbin\/nologin$/mu,
    );
  });

  it('give what the unit starts', async () => {
    const [, uid = '', gid = ''] = /^ftm-watch:x:(\d+):(\d+):/mu.exec(readFileSync(join(root, 'etc/passwd'), 'utf8')) ?? [];
    const state = join(root, 'var/lib/ftm-watch');
    // As StateDirectory= does it.
    chownSync(state, Number(uid), Number(gid));
    const configuration = join(root, 'etc/ftm-watch/ftm-watch.yaml');
    const port = String(await freePort());
    const offline = `licenseServer: { host: 127.0.0.1, port: ${port} }\ncontrolHosts: ["127.0.0.1:${port}"]\nresolvers: ["127.0.0.1:${port}"]\n`;
    writeFileSync(configuration, `${below(readFileSync(configuration, 'utf8'))}${offline}web: { listen: "127.0.0.1:${port}" }\n`);
    const unit = readFileSync(join(root, 'etc/systemd/system/ftm-watch.service'), 'utf8');
    const command = below(/^ExecStart=(.*)$/mu.exec(unit)?.[1] ?? '').split(' ');
    const child = spawn('setpriv', [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', ...command], {
      cwd: state,
      env: {},
      stdio: 'ignore',
    });
    const ended = once(child, 'close');
    const health = (): Promise<number> =>
      fetch(`http://127.0.0.1:${port}/-/healthy`).then(
        ({ status }) => status,
        () => 0,
      );
    await expect.poll(health, PATIENCE).toBe(200);
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });
});

describeWhere([{ program: 'systemd-analyze' }], 'the unit', () => {
  it('is exposed less than 2.0', async () => {
    const { stdout } = await run('systemd-analyze', ['security', '--offline=true', '--no-pager', UNIT]);
    const [, level = '10'] = /Overall exposure level for ftm-watch\.service: (\d+\.\d)/u.exec(stdout) ?? [];
    expect(Number(level)).toBeLessThan(2);
  });

  it('has no mistake that systemd knows', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ftm-watch-unit-'));
    const path = join(folder, 'ftm-watch.service');
    writeFileSync(
      path,
      readFileSync(UNIT, 'utf8')
        .replace('/opt/node/bin/node', process.execPath)
        .replace(/^Documentation=.*\n/mu, ''),
    );
    const { stdout, stderr } = await run('systemd-analyze', ['verify', '--man=no', path]).finally(() => {
      rmSync(folder, { recursive: true });
    });
    // The machine's own units may have mistakes.
    expect(`${stdout}${stderr}`.split('\n').filter((line) => line.includes('ftm-watch'))).toEqual([]);
  });
});
