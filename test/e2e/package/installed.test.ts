import { copyFileSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import packageJson from '../../../package.json' with { type: 'json' };
import { MIGRATIONS, newerMessage } from '../../../src/store/database.ts';
import { type BuiltPackages, buildPackages } from '../../support/packaging/built-packages.ts';
import { copiedTree } from '../../support/process/copied-tree.ts';
import { type BootedDebian, createFreshDebian, type FreshDebian } from '../../support/packaging/fresh-debian.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { shellBlocks } from '../../support/packaging/shell-blocks.ts';

const blocks = shellBlocks(readFileSync('docs/install.md', 'utf8'));
const NEWER = packageJson.version.replace(/\d+$/u, (patch) => String(Number(patch) + 1));
const STORE = '/var/lib/ftm-watch/ftm-watch.sqlite';
/** What is said about the newer store, without the name of its copy. */
const [NEWER_STORE] = newerMessage(STORE, MIGRATIONS.length + 1).split(', or ');
const CONFIG = '/etc/ftm-watch/ftm-watch.yaml';
const PAGE = 'http://127.0.0.1:9843';
const PATIENCE = { timeout: 20_000, interval: 50 };
/** Incidents that are open in the store. */
const RECORDED = ['tls-intercepted', 'mail-unreachable'];
const LIMIT = 600_000;

const NEEDS = [
  'root',
  { program: 'debootstrap' },
  { program: 'systemd-nspawn' },
  { program: 'nsenter' },
  { program: 'xz' },
] as const;

/** Builds the same packages with a later version, whose store also has a later version. */
async function newerPackages(): Promise<BuiltPackages> {
  using tree = copiedTree();
  tree.replace('package.json', `"version": "${packageJson.version}"`, `"version": "${NEWER}"`);
  tree.replace('CHANGELOG.md', '## Unreleased\n', `## Unreleased\n\n## ${NEWER} (2026-12-24)\n`);
  tree.replace('src/store/database.ts', '\n];\n', "\n  'CREATE TABLE later (id INTEGER) STRICT',\n];\n");
  return await buildPackages(tree.root, '.deb', '.rpm');
}

/**
 * Runs in a root that debootstrap has just created. Dependencies, curl and rpm are downloaded first. Then its systemd
 * starts, with loopback as the only network.
 */
describeWhere(NEEDS, 'the packages, as docs/install.md tells,', () => {
  const stack = new AsyncDisposableStack();
  let packages: BuiltPackages;
  let debian: FreshDebian;
  let booted: BootedDebian;

  /** Returns the output of commands. @throws when one fails */
  async function told(commands: string): Promise<string> {
    const { status, output } = await booted.shell(`cd /root/current; ${commands}`);
    if (status !== 0) throw new Error(`"${commands}" ended with ${String(status)}: ${output}`);
    return output.trim();
  }

  function block(name: string): string {
    const commands = blocks.get(name);
    if (commands === undefined) throw new Error(`docs/install.md has no commands for "${name}"`);
    return commands;
  }

  const get = (path: string): Promise<string> => told(`curl --silent ${PAGE}${path} || true`);
  const isHealthy = (): Promise<void> => expect.poll(() => get('/-/healthy'), PATIENCE).toBe('Healthy');
  const version = (): Promise<string> => told('ftm-watch --version');

  const journal = (): Promise<string> => told('journalctl --identifier=ftm-watch --no-pager');

  async function openIncidents(): Promise<readonly string[]> {
    const { incidents } = JSON.parse(await get('/api/v1/incidents')) as {
      readonly incidents: readonly { readonly cause: string; readonly formerCauses: readonly { cause: string }[] }[];
    };
    // Nothing can be reached here, which explains what was recorded.
    return incidents.flatMap((incident) => [incident, ...incident.formerCauses]).map(({ cause }) => cause);
  }

  /** Returns files that have the program's name or an unknown owner, except logs of dpkg and systemd. */
  async function leftBehind(): Promise<readonly string[]> {
    const logs = '-path /root -o -path /proc -o -path /sys -o -path /var/log';
    const found = await told(`find / \\( ${logs} \\) -prune -o \\( -name '*ftm-watch*' -o -nouser \\) -print`);
    return found.split('\n').filter(Boolean);
  }

  beforeAll(async () => {
    const [built, newer, fresh] = await Promise.all([
      buildPackages('.', '.deb', '.rpm', '.tar.xz'),
      newerPackages(),
      createFreshDebian(),
    ]);
    packages = stack.use(built);
    stack.use(newer);
    debian = stack.use(fresh);
    const install = 'apt-get --quiet --yes --no-install-recommends install';
    const fetched = `apt-get --quiet update && ${install} ca-certificates curl libatomic1 rpm xz-utils`;
    const { status, output } = await debian.shell(`mkdir /root/current /root/newer; ${fetched}`);
    if (status !== 0) throw new Error(`Cannot prepare the machine: ${output}`);
    for (const [folder, files] of [
      ['current', ['.deb', '.rpm', '.tar.xz'].map((ending) => packages.file(ending))],
      ['newer', ['.deb', '.rpm'].map((ending) => newer.file(ending))],
    ] as const)
      for (const file of files) copyFileSync(file, join(debian.root, 'root', folder, basename(file)));
    booted = stack.use(await debian.boot());
  }, LIMIT);

  afterAll(() => stack.disposeAsync(), LIMIT);

  it('is one command, which README.md has too', () => {
    expect(block('Debian and Ubuntu').split('\n')).toHaveLength(2);
    expect(readFileSync('README.md', 'utf8')).toContain(`\`\`\`sh\n${block('Debian and Ubuntu')}\`\`\`\n`);
  });

  it('ends with a service that runs, and says where its page is', async () => {
    const output = await told(block('Debian and Ubuntu'));
    expect(output).toContain(`ftm-watch runs. Status page: ${PAGE}/ Configuration: ${CONFIG}`);
    await isHealthy();
    expect(await get('/')).toContain('</html>');
    expect(await told('systemctl is-active ftm-watch; systemctl is-enabled ftm-watch')).toBe('active\nenabled');
    expect(await told('systemctl list-units --failed --plain --no-legend')).toBe('');
    expect(await version()).toBe(packageJson.version);
  });

  it('makes a user without a shell, and folders that nobody else can look into', async () => {
    expect(await told('getent passwd ftm-watch')).toMatch(
      /^ftm-watch:[!x*]+:\d+:\d+:ftm-watch:\/var\/lib\/ftm-watch:\/usr\/sbin\/nologin$/u,
    );
    const paths = `${CONFIG} /etc/ftm-watch/secrets /var/lib/ftm-watch ${STORE}`;
    expect((await told(`stat --format='%a %U:%G' ${paths}`)).split('\n')).toEqual([
      '640 root:ftm-watch',
      '750 root:ftm-watch',
      '750 ftm-watch:ftm-watch',
      '600 ftm-watch:ftm-watch',
    ]);
  });

  it('runs without rights, behind the filter of system calls', async () => {
    const status = await told('cat "/proc/$(systemctl show --property=MainPID --value ftm-watch)/status"');
    expect(status).toMatch(/^Uid:\t([1-9]\d*)\t\1\t\1\t\1$/mu);
    for (const line of ['CapEff:\t0000000000000000', 'CapBnd:\t0000000000000000', 'NoNewPrivs:\t1', 'Seccomp:\t2'])
      expect(status).toContain(line);
  });

  it('takes a change on reload; a wrong one changes nothing, fails, and is told in the journal', async () => {
    await told(`echo "site: clean" >>${CONFIG} && systemctl reload ftm-watch`);
    const site = (): Promise<string> => get('/api/v1/status');
    await expect.poll(site, PATIENCE).toContain('"site":"clean"');
    await told(`cp ${CONFIG} /root/good.yaml && echo "sight: wrong" >>${CONFIG} && ! systemctl reload ftm-watch`);
    await expect.poll(journal, PATIENCE).toContain('unknown key');
    expect(await site()).toContain('"site":"clean"');
    expect(
      await told(
        `DPKG_MAINTSCRIPT_PACKAGE=ftm-watch /var/lib/dpkg/info/ftm-watch.postinst configure ${packageJson.version}`,
      ),
    ).toBe('ftm-watch does not run as configured: "ftm-watch config check" and "systemctl status ftm-watch" say why.');
    await told(`cp /root/good.yaml ${CONFIG}`);
  });

  it('hands a secret of root to the service after a restart', async () => {
    await told('install --mode=0600 /dev/stdin /etc/ftm-watch/secrets/proxy <<"END"\nopen sesame\nEND');
    const proxy =
      'licenseServer: { proxy: { url: "http://127.0.0.1:9", user: fac, passwordFile: ' +
      '/run/credentials/ftm-watch.service/secrets_proxy } }';
    await told(`echo '${proxy}' >>${CONFIG} && systemctl restart ftm-watch`);
    await isHealthy();
    expect(await told('systemctl is-active ftm-watch')).toBe('active');
  });

  it('counts log lines that the kernel dropped, although the unit hides most of /proc', async () => {
    await told(`echo 'logs: { syslog: { udp: "127.0.0.1:5514" } }' >>${CONFIG} && systemctl restart ftm-watch`);
    await isHealthy();
    const flood = 'dd if=/dev/zero bs=32K count=2000 status=none >/dev/udp/127.0.0.1/5514';
    await told(`systemctl kill --signal=STOP ftm-watch; bash -c '${flood}'; systemctl kill --signal=CONT ftm-watch`);
    await expect
      .poll(() => get('/metrics'), PATIENCE)
      .toMatch(/^ftm_log_lines_total\{source="udp",result="dropped"\} [1-9]/mu);
  });

  it('ends at once when it is told to', async () => {
    await told('systemctl stop ftm-watch');
    expect(await told('systemctl show --property=Result,ExecMainStatus ftm-watch')).toBe(
      'Result=success\nExecMainStatus=0',
    );
    expect(await journal()).not.toContain('STOPPING=1');
  });

  it('goes on with the store of release 0.1.0', async () => {
    copyFileSync('test/fixtures/store/0.1.0/history.sqlite', join(debian.root, 'root/0.1.0.sqlite'));
    await told(`rm -f ${STORE}-*; install -o ftm-watch -g ftm-watch -m 600 /root/0.1.0.sqlite ${STORE}`);
    await told('systemctl start ftm-watch');
    await isHealthy();
    await expect.poll(openIncidents, PATIENCE).toEqual(expect.arrayContaining(RECORDED));
  });

  it('keeps configuration and store through an upgrade, which copies the store before', async () => {
    const before = await told(`cat ${CONFIG}`);
    await told('apt install --yes /root/newer/*.deb');
    await isHealthy();
    expect(await version()).toBe(NEWER);
    expect(await told(`cat ${CONFIG}`)).toBe(before);
    expect(await get('/api/v1/status')).toContain('"site":"clean"');
    expect(await openIncidents()).toEqual(expect.arrayContaining(RECORDED));
    expect(await told(`ls ${STORE}.version-*`)).toContain(`.version-${String(MIGRATIONS.length)}-`);
    expect(await told(`stat --format='%a %U:%G' ${CONFIG}`)).toBe('640 root:ftm-watch');
  });

  it('leaves the newer store alone after a downgrade, watches in memory, and says so', async () => {
    await told('systemctl stop ftm-watch');
    const before = await told(`sha256sum ${STORE}`);
    await told('apt install --yes --allow-downgrades ./*.deb');
    await isHealthy();
    expect(await version()).toBe(packageJson.version);
    await expect.poll(() => get('/metrics'), PATIENCE).toContain('\nftm_store_newer 1\n');
    for (const shown of [await journal(), await get('/')]) expect(shown).toContain(NEWER_STORE);
    expect(await told(`sha256sum ${STORE}`)).toBe(before);
  });

  it('takes the copy from before the upgrade, as docs/install.md tells', async () => {
    const commands = shellBlocks(readFileSync('docs/install.md', 'utf8')).get('Go back to an older version');
    await told(commands ?? 'false');
    await isHealthy();
    await expect.poll(() => get('/metrics'), PATIENCE).toContain('\nftm_store_newer 0\n');
    expect(await openIncidents()).toEqual(expect.arrayContaining(RECORDED));
  });

  it('keeps configuration and store when it is removed', async () => {
    await told('apt remove --yes ftm-watch');
    expect(await told(`ls ${CONFIG} ${STORE}`)).toBe(`${CONFIG}\n${STORE}`);
    expect(await told('systemctl is-active ftm-watch || true')).toBe('inactive');
    expect(await leftBehind()).toEqual(expect.arrayContaining([CONFIG, '/var/lib/ftm-watch']));
  });

  it('leaves nothing when it is purged', async () => {
    await told('apt purge --yes ftm-watch');
    expect(await leftBehind()).toEqual([]);
    expect(await told('getent passwd ftm-watch || getent group ftm-watch || echo nobody')).toBe('nobody');
  });

  it('is installed from the archive as well', async () => {
    await told(block('Other distributions'));
    await isHealthy();
    expect(await version()).toBe(packageJson.version);
    expect(await told('systemctl is-active ftm-watch; systemctl is-enabled ftm-watch')).toBe('active\nenabled');
    expect(await told(`stat --format='%a %U:%G' ${CONFIG}`)).toBe('640 root:ftm-watch');
    expect(await get('/metrics')).toContain('\nftm_store_writable 1\n');
  });

  it('takes a configuration that "init" has written', async () => {
    await told(`rm ${CONFIG} && ftm-watch init --site second --appliance 10.0.0.5 && systemctl reload ftm-watch`);
    await expect.poll(() => get('/api/v1/status'), PATIENCE).toContain('"site":"second"');
    expect(await get('/metrics')).toContain('\nftm_store_writable 1\n');
  });

  it('leaves nothing when the archive is removed', async () => {
    await told(block('Remove an archive (tarball)'));
    expect(await leftBehind()).toEqual([]);
    expect(await told('getent passwd ftm-watch || getent group ftm-watch || echo nobody')).toBe('nobody');
  });

  describe('of RPM', () => {
    /** RPM knows nothing of what apt has installed. */
    const RPM = 'rpm --nodeps';

    it('is installed and started with the same result', async () => {
      const commands = block('Red Hat Enterprise Linux').replace(/^dnf install /mu, `${RPM} --install `);
      expect(commands).toContain(RPM);
      await told(commands);
      await isHealthy();
      expect(await version()).toBe(packageJson.version);
      expect(await told('systemctl is-active ftm-watch; systemctl is-enabled ftm-watch')).toBe('active\nenabled');
      expect(await told(`stat --format='%a %U:%G' ${CONFIG} /var/lib/ftm-watch /etc/ftm-watch/secrets`)).toBe(
        '640 root:ftm-watch\n750 ftm-watch:ftm-watch\n750 root:ftm-watch',
      );
      expect(await told('rpm --verify --nodeps ftm-watch')).toBe('');
      expect(await get('/metrics')).toContain('\nftm_store_writable 1\n');
    });

    it('keeps configuration and store through an upgrade, which restarts the service', async () => {
      await told(`echo "site: red" >>${CONFIG}`);
      await told(`${RPM} --upgrade /root/newer/*.rpm`);
      await isHealthy();
      expect(await version()).toBe(NEWER);
      expect(await get('/api/v1/status')).toContain('"site":"red"');
      expect(await told(`ls ${STORE}.version-*`)).toContain(`.version-${String(MIGRATIONS.length)}-`);
      expect(await told('systemctl is-enabled ftm-watch; ls /etc/ftm-watch')).toBe('enabled\nftm-watch.yaml\nsecrets');
    });

    it('keeps a changed configuration and the store when it is removed, and nothing after the last commands', async () => {
      await told(`${RPM} --erase ftm-watch`);
      expect(await told('systemctl is-active ftm-watch || true')).toBe('inactive');
      expect(await told(`ls ${CONFIG}.rpmsave ${STORE}`)).toBe(`${CONFIG}.rpmsave\n${STORE}`);
      await told('rm -r /etc/ftm-watch /var/lib/ftm-watch; userdel ftm-watch');
      expect(await leftBehind()).toEqual([]);
    });
  });
});
