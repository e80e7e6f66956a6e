import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type BuiltPackages, buildPackages } from '../../support/packaging/built-packages.ts';
import { type BootedDebian, createFreshDebian } from '../../support/packaging/fresh-debian.ts';
import { describeWhere } from '../../support/process/privilege.ts';

const run = promisify(execFile);

const PLAYBOOK = resolve('deploy/ansible/playbook.yml');
const LIMIT = 600_000;
const RELAY = {
  host: 'localhost',
  security: 'none',
  user: 'u',
  passwordFile: '/run/credentials/ftm-watch.service/secrets_mail',
};
const BASE = {
  log: { level: 'debug' },
  notify: { email: { from: 'f@example.org', to: ['all@example.org'], servers: [RELAY] } },
};
const SITE = { site: 'hq', notify: { email: { to: ['hq@example.org'] } } };

const NEEDS = [
  'root',
  { program: 'debootstrap' },
  { program: 'systemd-nspawn' },
  { program: 'nsenter' },
  { program: 'ansible-playbook' },
] as const;

interface Played {
  readonly isDone: boolean;
  readonly output: string;
  /** The number of tasks that changed something. */
  readonly changed: number;
}

describeWhere(NEEDS, 'the role for Ansible, on a Debian with nothing but Python', () => {
  const stack = new AsyncDisposableStack();
  let folder: string;
  let packages: BuiltPackages;
  let booted: BootedDebian;

  async function play(base: object, site: object): Promise<Played> {
    const variables = {
      ansible_connection: 'community.docker.nsenter',
      ansible_nsenter_pid: Number(booted.init),
      // The booted Debian is entered as root.
      ansible_become: false,
      ansible_python_interpreter: '/usr/bin/python3',
      ftm_watch_package: packages.file('.deb'),
      ftm_watch_base: base,
      ftm_watch_site: site,
      ftm_watch_secrets: { mail: 'hunter2' },
    };
    const inventory = join(folder, 'inventory.yml');
    writeFileSync(inventory, JSON.stringify({ ftm_watch: { hosts: { watcher: variables } } }));
    const env = { PATH: process.env['PATH'], HOME: folder, LC_ALL: 'C.UTF-8', ANSIBLE_NOCOLOR: '1' };
    const played = run('ansible-playbook', ['--inventory', inventory, PLAYBOOK], { env }).then(
      ({ stdout, stderr }) => ({ isDone: true, output: stdout + stderr }),
      ({ stdout, stderr }: { stdout: string; stderr: string }) => ({ isDone: false, output: stdout + stderr }),
    );
    const { isDone, output } = await played;
    return { isDone, output, changed: Number(/\bchanged=(?<count>\d+)/u.exec(output)?.groups?.['count']) };
  }

  async function told(commands: string): Promise<string> {
    const { status, output } = await booted.shell(commands);
    if (status !== 0) throw new Error(`"${commands}" ended with ${String(status)}: ${output}`);
    return output.trim();
  }

  const inForce = (): Promise<string> => told('journalctl --unit=ftm-watch --output=cat --no-pager');

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ftm-watch-ansible-'));
    const [built, debian] = await Promise.all([buildPackages('.', '.deb'), createFreshDebian()]);
    packages = stack.use(built);
    stack.use(debian);
    const install = 'apt-get --quiet --yes --no-install-recommends install';
    const { status, output } = await debian.shell(
      `apt-get --quiet update && ${install} ca-certificates libatomic1 libstdc++6 python3 python3-apt`,
    );
    if (status !== 0) throw new Error(`Cannot prepare the machine: ${output}`);
    booted = stack.use(await debian.boot());
  }, LIMIT);

  afterAll(async () => {
    await stack.disposeAsync();
    rmSync(folder, { recursive: true });
  }, LIMIT);

  it(
    'installs the package and the configuration of the site over that of the fleet, and a second time changes nothing',
    async () => {
      const { isDone, output } = await play(BASE, SITE);
      expect({ isDone, output }).toMatchObject({ isDone: true });
      expect(output).not.toContain('hunter2');
      const printed = await told('ftm-watch config print');
      expect(printed.split('\n')[0]).toBe('# "/etc/ftm-watch/ftm-watch.yaml", "/etc/ftm-watch/base.yaml"');
      expect(printed).toMatch(/^site: hq$/mu);
      expect(printed).toMatch(/level: debug/u);
      expect(printed).toMatch(/to:\n\s+- hq@example\.org\n\s+servers:/u);
      expect(await told('systemctl is-active ftm-watch; systemctl is-enabled ftm-watch')).toBe('active\nenabled');
      expect(await told('ftm-watch silence list')).toBe('There are no silences');
      expect(await inForce()).toContain('configuration-reloaded');

      expect(await play(BASE, SITE)).toMatchObject({ isDone: true, changed: 0 });
    },
    LIMIT,
  );

  it(
    'refuses a configuration with a mistake, says in which file it stands, and leaves the one before it',
    async () => {
      const before = await told('cat /etc/ftm-watch/base.yaml /etc/ftm-watch/ftm-watch.yaml');
      const { isDone, output } = await play({ ...BASE, webb: {} }, { ...SITE, site: 'branch' });

      expect(isDone).toBe(false);
      expect(output).toMatch(/base\.yaml:\d+:1 {2}unknown key \\?"webb\\?"/u);
      expect(await told('cat /etc/ftm-watch/base.yaml /etc/ftm-watch/ftm-watch.yaml')).toBe(before);
      expect(await told('ls /etc/ftm-watch')).toBe('base.yaml\nftm-watch.yaml\nsecrets');
      expect(await told('ftm-watch reload')).toBe('Configuration reloaded');
    },
    LIMIT,
  );
});
