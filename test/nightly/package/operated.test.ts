import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHierarchy } from '../../support/certificates/hierarchy.ts';
import { chainPem } from '../../../src/demo/lab/identity.ts';
import { buildPackages } from '../../support/packaging/built-packages.ts';
import {
  type BootedDebian,
  createFreshDebian,
  type FreshDebian,
  type Outcome,
} from '../../support/packaging/fresh-debian.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { shellBlocks } from '../../support/packaging/shell-blocks.ts';

const INSTALL = shellBlocks(readFileSync('docs/install.md', 'utf8'));
const CONFIG = '/etc/ftm-watch/ftm-watch.yaml';
const STORE = '/var/lib/ftm-watch/ftm-watch.sqlite';
const NODE = '/usr/lib/ftm-watch/node';
const UNIT = 'usr/lib/systemd/system/ftm-watch.service';
const PATIENCE = { timeout: 30_000, interval: 200 };
const LIMIT = 600_000;
/** Incidents that are open in the store of 0.1.0. */
const RECORDED = ['tls-intercepted', 'mail-unreachable'];

const NEEDS = ['root', { program: 'debootstrap' }, { program: 'systemd-nspawn' }, { program: 'nsenter' }] as const;

/** Nothing responds except what the test starts. A webhook records what is sent. */
const PLAIN = `site: hq
licenseServer: { host: 127.0.0.1, port: 9 }
controlHosts: ["127.0.0.1:8080"]
resolvers: ["127.0.0.1:9"]
schedule: { probes: "*/2 * * * * *" }
mail: [{ host: 127.0.0.1, port: 2525, security: none }]
notify: { webhooks: [{ url: "http://127.0.0.1:8080/", tokenFile: /run/credentials/ftm-watch.service/secrets_hook }] }
trust: { baselineFile: /var/lib/ftm-watch/trust-baseline.json }
store: { path: ${STORE} }
`;
const TLS = 'web: { tls: { certFile: /etc/ftm-watch/web.pem, keyFile: /etc/ftm-watch/web.key } }\n';

/** Records the event and causes of each message, one per line. */
const HOOK = `import { appendFileSync } from 'node:fs';
import { createServer } from 'node:http';
createServer(async (request, response) => {
  let body = '';
  for await (const part of request) body += part;
  const { event, incidents } = JSON.parse(body);
  appendFileSync('/root/heard', [event, ...incidents.map(({ cause }) => cause.id)].join(' ') + '\\n');
  response.end();
}).listen(8080, '127.0.0.1');
`;

/** A mail server that accepts everything. */
const RELAY = `import { createServer } from 'node:net';
createServer((socket) => {
  socket.on('error', () => undefined);
  socket.write('220 relay.example.org ESMTP\\r\\n');
  socket.on('data', (text) => socket.write(String(text).startsWith('QUIT') ? '221 bye\\r\\n' : '250 fine\\r\\n'));
}).listen(2525, '127.0.0.1');
`;

/**
 * Builds the same program as version 0.0.9 with the unit of 0.1.0, whose start does not wait and whose reload returns
 * no result.
 */
function olderPackage(file: string, folder: string): string {
  const root = join(folder, 'root');
  execFileSync('dpkg-deb', ['--raw-extract', file, root]);
  const rewrite = (path: string, change: (text: string) => string): void =>
    writeFileSync(join(root, path), change(readFileSync(join(root, path), 'utf8')));
  rewrite('DEBIAN/control', (text) => text.replace(/^Version: .*$/mu, 'Version: 0.0.9'));
  rewrite(UNIT, (text) =>
    text
      .replace(/^Type=notify\nNotifyAccess=all$/mu, 'Type=exec')
      .replace(/^ExecReload=.*$/mu, "ExecReload=/bin/sh -c 'kill -HUP $MAINPID'"),
  );
  const older = join(folder, 'ftm-watch_0.0.9_amd64.deb');
  execFileSync('dpkg-deb', ['-Znone', '--root-owner-group', '--build', root, older], { stdio: 'ignore' });
  return older;
}

describeWhere(NEEDS, 'a Debian of the base system, without a network,', () => {
  const stack = new AsyncDisposableStack();
  let debian: FreshDebian;
  let booted: BootedDebian;

  /** Returns the output of commands. @throws when one fails */
  async function told(commands: string): Promise<string> {
    const { status, output } = await booted.shell(commands);
    if (status !== 0) throw new Error(`"${commands}" ended with ${String(status)}: ${output}`);
    return output.trim();
  }

  function block(name: string): string {
    const commands = INSTALL.get(name);
    if (commands === undefined) throw new Error(`docs/install.md has no commands for "${name}"`);
    return commands;
  }

  const isActive = (): Promise<string> => told('systemctl is-active ftm-watch || true');
  const journal = (): Promise<string> => told('journalctl --unit=ftm-watch --lines=30 --output=cat --no-pager');
  const heard = async (): Promise<readonly string[]> => (await told('cat /root/heard')).split('\n').filter(Boolean);
  /** Uses the packaged Node, because there is neither curl nor another Node. */
  const get = (path: string): Promise<string> =>
    told(
      `${NODE} -e 'fetch("http://127.0.0.1:9843${path}").then((it) => it.text()).then(console.log)' 2>/dev/null || true`,
    );

  async function openIncidents(): Promise<readonly string[]> {
    const { incidents } = JSON.parse(await get('/api/v1/incidents')) as {
      readonly incidents: readonly { readonly cause: string; readonly status: string }[];
    };
    return incidents.filter(({ status }) => status === 'open').map(({ cause }) => cause);
  }

  async function configure(text: string): Promise<void> {
    writeFileSync(join(debian.root, 'root/new.yaml'), text);
    await told(`install -g ftm-watch -m 640 /root/new.yaml ${CONFIG}`);
  }

  beforeAll(async () => {
    const [built, fresh] = await Promise.all([buildPackages('.', '.deb'), createFreshDebian()]);
    stack.use(built);
    debian = stack.use(fresh);
    const root = (path: string): string => join(debian.root, 'root', path);
    const fetched =
      'mkdir /root/older /root/current; cd /root/older; apt-get -qq update; apt-get -qq download libatomic1';
    const { status, output } = await debian.shell(fetched);
    if (status !== 0) throw new Error(`Cannot prepare the machine: ${output}`);
    const file = built.file('.deb');
    copyFileSync(file, root(`current/${basename(file)}`));
    const folder = join(built.folder, 'older');
    mkdirSync(folder);
    copyFileSync(olderPackage(file, folder), root('older/ftm-watch_0.0.9_amd64.deb'));
    copyFileSync('test/fixtures/store/0.1.0/history.sqlite', root('0.1.0.sqlite'));
    writeFileSync(root('hook.mjs'), HOOK);
    writeFileSync(root('relay.mjs'), RELAY);
    writeFileSync(root('heard'), '');
    booted = stack.use(await debian.boot());
  }, LIMIT);

  afterAll(() => stack.disposeAsync(), LIMIT);

  it('gets the package with the one that docs/install.md says to bring', async () => {
    expect(await told(`cd /root/older; ${block('Without a network')}`)).toContain('ftm-watch runs.');
  });

  it('is upgraded from a unit that does not wait and a store of 0.1.0, and keeps what was open', async () => {
    await told(`systemd-run --quiet --unit=hook ${NODE} /root/hook.mjs`);
    await told('install --mode=0600 /dev/stdin /etc/ftm-watch/secrets/hook <<"END"\nopen sesame\nEND');
    await configure(PLAIN);
    await told(`systemctl stop ftm-watch; rm -f ${STORE}*`);
    await told(`install -o ftm-watch -g ftm-watch -m 600 /root/0.1.0.sqlite ${STORE}; systemctl start ftm-watch`);
    await expect.poll(openIncidents, PATIENCE).toEqual(expect.arrayContaining(RECORDED));

    const output = await told(`cd /root/current; ${block('Debian and Ubuntu')}`);
    expect(output).toContain('ftm-watch runs.');
    expect(await told('systemctl show --property=Type,ActiveState ftm-watch')).toBe('Type=notify\nActiveState=active');
    expect(await openIncidents()).toEqual(expect.arrayContaining(RECORDED));
    expect(await told(`cat ${CONFIG}`)).toBe(PLAIN.trim());
  });

  describe('a key of another certificate', () => {
    it('makes the start fail, with the reason in the journal; config check has the same reason', async () => {
      const [own, other] = [await createHierarchy(), await createHierarchy()];
      writeFileSync(join(debian.root, 'etc/ftm-watch/web.pem'), chainPem(own.leaf));
      writeFileSync(join(debian.root, 'etc/ftm-watch/web.key'), other.leaf.keyPem);
      writeFileSync(join(debian.root, 'root/own.key'), own.leaf.keyPem);
      await configure(PLAIN + TLS);

      expect(await booted.shell('systemctl restart ftm-watch')).toMatchObject({
        status: 1,
        output: expect.stringContaining('Job for ftm-watch.service failed'),
      });
      const reason = 'it does not belong to the certificate in "/etc/ftm-watch/web.pem"';
      await expect.poll(journal, PATIENCE).toContain(reason);
      const checked = await booted.shell('ftm-watch config check');
      expect(checked.output).toContain(reason);
      expect(checked.status).not.toBe(0);
      expect(await isActive()).not.toBe('active');
    });

    it('is told by the package when it is configured', async () => {
      expect(await told('dpkg-reconfigure ftm-watch')).toContain(
        'ftm-watch does not run as configured: "ftm-watch config check" and "systemctl status ftm-watch" say why.',
      );
    });

    it('repaired, lets the next start succeed', async () => {
      await told('cp /root/own.key /etc/ftm-watch/web.key; systemctl restart ftm-watch');
      expect(await isActive()).toBe('active');
      await configure(PLAIN);
      await told('systemctl reload ftm-watch');
    });
  });

  it.each([
    ['a key that nobody knows', 'sight: wrong\n', 'unknown key "sight"'],
    ['what no parser reads', 'site: [\n', 'ftm-watch.yaml:'],
  ])('fails to reload %s, says so in the journal, and goes on', async (_, line, problem) => {
    await configure(PLAIN + line);
    expect(await booted.shell('systemctl reload ftm-watch')).toMatchObject({
      status: 1,
      output: expect.stringContaining('Job for ftm-watch.service failed'),
    });
    for (const said of [
      'The configuration was rejected. The previous one is still active:',
      problem,
      'configuration-rejected',
    ])
      await expect.poll(journal, PATIENCE).toContain(said);
    expect(await isActive()).toBe('active');
    await configure(PLAIN);
    await told('systemctl reload ftm-watch');
  });

  it('has commands that work while the service is stopped, with the secrets where root keeps them', async () => {
    await told('systemctl stop ftm-watch');
    const run = (command: string): Promise<Outcome> => booted.shell(`cd /root; ftm-watch ${command}`);
    expect(await run('config check')).toMatchObject({
      status: 0,
      output: expect.stringMatching(/"\/etc\/ftm-watch\/secrets": hook\b/u),
    });
    expect(await run('check')).toMatchObject({ status: 2, output: expect.stringContaining('NOT READY') });
    expect(await run('report --output /root/report.zip')).toMatchObject({ status: 0 });
    expect(await run('replay /dev/null')).toMatchObject({ status: 0 });
    expect(await run('store check')).toMatchObject({ status: 0, output: expect.stringContaining('intact') });
    expect(await run('notify test')).toMatchObject({ status: 0 });
    expect((await heard()).at(-1)).toBe('test');
  });

  describe('a restore, as docs/install.md tells,', () => {
    const lasts = ['egress-blocked', 'mail-unreachable'];

    it('brings no message while what was open lasts', async () => {
      await told(`rm -f ${STORE}*; : >/root/heard; systemctl start ftm-watch`);
      await expect.poll(openIncidents, PATIENCE).toEqual(expect.arrayContaining(lasts));
      await expect.poll(async () => (await heard()).length, PATIENCE).toBe((await openIncidents()).length);
      await told(block('Back up'));
      const before = await heard();

      await told(block('Restore'));
      const first: unknown = JSON.parse(await get('/api/v1/status'));
      await expect.poll(() => get('/api/v1/status'), PATIENCE).not.toEqual(first);
      expect(await openIncidents()).toEqual(expect.arrayContaining(lasts));
      expect(await heard()).toEqual(before);
    });

    it('brings the all-clear of what has ended meanwhile, and nothing else', async () => {
      const before = await heard();
      await told('systemctl stop ftm-watch');
      await told(`systemd-run --quiet --unit=relay ${NODE} /root/relay.mjs`);
      await told(block('Restore'));
      await expect.poll(heard, PATIENCE).toEqual([...before, 'resolved mail-unreachable']);
      expect(await openIncidents()).not.toContain('mail-unreachable');
    });
  });

  it('goes back to the unit that does not wait', async () => {
    const back = 'apt install --yes --allow-downgrades ./ftm-watch_0.0.9_amd64.deb';
    expect(await told(`cd /root/older; ${back}`)).toContain('ftm-watch runs.');
    expect(await told('systemctl show --property=Type,ActiveState ftm-watch')).toBe('Type=exec\nActiveState=active');
    await expect.poll(openIncidents, PATIENCE).toContain('egress-blocked');
    await told('systemctl reload ftm-watch; systemctl stop ftm-watch');
  });
});
