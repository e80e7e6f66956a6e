import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import type { DiagnosisJson } from '../../../src/checks/diagnosis-json.ts';
import { startDaemon } from '../../../src/demo/daemon.ts';
import { configurationOf } from '../../../src/demo/lab/configuration.ts';
import { createLab, type Lab } from '../../../src/demo/lab/lab.ts';
import { LICENSE_HOST } from '../../../src/demo/lab/site.ts';
import { ZABBIX_TEMPLATE_FILE, zabbixTemplates } from '../../support/monitoring/zabbix-template.ts';
import { startZabbix, ZABBIX_PROGRAMS, type ZabbixServer } from '../../support/monitoring/zabbix-server.ts';
import { freePort } from '../../support/network/free-port.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { PROGRAM } from '../../support/process/program.ts';

const PATIENCE = { timeout: 120_000, interval: 500 };
const POLL_SECONDS = 2;
const TOKEN = 'a-token-that-only-this-test-knows-of';
const SITE = 'lab';
const POLLED_HOST = 'polled';

const GROUP = 'Linux servers';
/** Its values are not stored. */
const STATUS_KEY = 'ftm.status.get';

const rows = z.array(z.record(z.string(), z.unknown()));

async function list(zabbix: ZabbixServer, method: string, params: object): Promise<z.infer<typeof rows>> {
  return rows.parse(await zabbix.call(method, params));
}

async function idOf(zabbix: ZabbixServer, kind: 'template' | 'host' | 'hostgroup', name: string): Promise<string> {
  const [found] = await list(zabbix, `${kind}.get`, { filter: { [kind === 'hostgroup' ? 'name' : 'host']: [name] } });
  return String(found?.[kind === 'hostgroup' ? 'groupid' : `${kind}id`]);
}

const IMPORTED = ['template_groups', 'templates', 'items', 'triggers', 'discoveryRules', 'valueMaps'];

/** Imports the templates as "Import" in the web interface does, and creates a host for each. */
async function prepare(zabbix: ZabbixServer, page: string): Promise<void> {
  const rules = Object.fromEntries(IMPORTED.map((kind) => [kind, { createMissing: true, updateExisting: true }]));
  const source = readFileSync(ZABBIX_TEMPLATE_FILE, 'utf8');
  // The second import changes nothing, because the elements are recognised.
  for (let times = 0; times < 2; times += 1)
    await zabbix.call('configuration.import', { format: 'yaml', rules, source });
  for (const { template, items, discovery_rules } of zabbixTemplates()) {
    const templateids = [await idOf(zabbix, 'template', template)];
    const found = await list(zabbix, 'template.get', {
      templateids,
      selectItems: 'count',
      selectTriggers: 'count',
      selectDiscoveries: 'count',
    });
    expect(found[0]).toMatchObject({
      items: String(items.length),
      triggers: String(items.flatMap(({ triggers }) => triggers).length),
      discoveries: String(discovery_rules.length),
    });
    const isPolled = items.some(({ type }) => type === 'HTTP_AGENT');
    await zabbix.call('host.create', {
      host: isPolled ? POLLED_HOST : SITE,
      groups: [{ groupid: await idOf(zabbix, 'hostgroup', GROUP) }],
      templates: templateids.map((templateid) => ({ templateid })),
      macros: isPolled ? macros({ URL: page, TOKEN, INTERVAL: `${String(POLL_SECONDS)}s`, NODATA: '30s' }) : [],
    });
  }
}

function macros(values: Readonly<Record<string, string>>): readonly object[] {
  return Object.entries(values).map(([name, value]) => ({ macro: `{$FTM.${name}}`, value }));
}

const problem = z.object({ name: z.string(), opdata: z.string(), severity: z.string(), clock: z.string() });

/** Returns the open problems of a host. */
async function problems(zabbix: ZabbixServer, host: string): Promise<readonly z.infer<typeof problem>[]> {
  const hostids = [await idOf(zabbix, 'host', host)];
  return z.array(problem).parse(await zabbix.call('problem.get', { hostids, output: 'extend', sortfield: 'eventid' }));
}

/** Creates a token of the API for an account that may only read the hosts, with which it may also send values. */
async function createToken(zabbix: ZabbixServer): Promise<string> {
  const create = async (kind: string, params: object): Promise<string | undefined> =>
    Object.values(z.record(z.string(), z.array(z.string())).parse(await zabbix.call(`${kind}.create`, params)))[0]?.[0];
  const rights = [{ id: await idOf(zabbix, 'hostgroup', GROUP), permission: 2 }];
  const usrgrpid = await create('usergroup', { name: 'ftm-watch', hostgroup_rights: rights });
  const login = { username: 'ftm-watch', passwd: 'rather-long-and-5ecret', roleid: '1' };
  const userid = await create('user', { ...login, usrgrps: [{ usrgrpid }] });
  const [generated] = await list(zabbix, 'token.generate', [await create('token', { name: 'ftm-watch', userid })]);
  return String(generated?.['token']);
}

/** Writes a configuration with the shipped webhook and an account for Zabbix, and returns its path. */
async function configure(lab: Lab, zabbix: ZabbixServer, port: number): Promise<string> {
  const shipped = z
    .object({ notify: z.object({ webhooks: z.tuple([z.record(z.string(), z.unknown())]) }) })
    .parse(parse(readFileSync('deploy/webhooks/zabbix.yaml', 'utf8'))).notify.webhooks[0];
  writeFileSync(join(lab.folder, 'zabbix-token'), await createToken(zabbix), { mode: 0o600 });
  writeFileSync(join(lab.folder, 'account-token'), TOKEN, { mode: 0o600 });
  const config = configurationOf(lab);
  const path = join(lab.folder, 'agent.yaml');
  const text = JSON.stringify({
    ...config,
    site: SITE,
    notify: {
      ...z.record(z.string(), z.unknown()).parse(config['notify']),
      webhooks: [{ ...shipped, url: zabbix.url, tokenFile: 'zabbix-token' }],
    },
    web: {
      listen: `127.0.0.1:${String(port)}`,
      tokens: [{ name: 'zabbix', tokenFile: 'account-token', role: 'read' }],
    },
  });
  writeFileSync(path, text);
  return path;
}

/** Returns what Zabbix cannot extract from the status, with the reason. */
async function unsupported(zabbix: ZabbixServer): Promise<readonly string[]> {
  const hostids = [await idOf(zabbix, 'host', POLLED_HOST)];
  const found = await Promise.all(['item', 'discoveryrule'].map((kind) => list(zabbix, `${kind}.get`, { hostids })));
  return found
    .flat()
    .flatMap(({ key_, error, lastvalue }) =>
      error === '' && (lastvalue !== '' || key_ === STATUS_KEY) ? [] : [`${String(key_)}: ${String(error)}`],
    );
}

/** Returns when an item got its first value. */
async function firstSeen(zabbix: ZabbixServer, key: string): Promise<string> {
  const hostids = [await idOf(zabbix, 'host', POLLED_HOST)];
  const [item] = await list(zabbix, 'item.get', { hostids, search: { key_: key }, startSearch: true });
  const [value] = await list(zabbix, 'history.get', { itemids: [item?.['itemid']], history: 4, sortfield: 'clock' });
  return String(value?.['clock']);
}

async function statusOf(page: string): Promise<DiagnosisJson> {
  return (await fetch(`${page}/api/v1/status`, { headers: { Authorization: `Bearer ${TOKEN}` } })).json() as never;
}

describeWhere(['root', ...ZABBIX_PROGRAMS.map((program) => ({ program }))], 'a Zabbix server', () => {
  it('shows a fault with its headline and remedy, its change, its repair, and that ftm-watch is gone', {
    timeout: 600_000,
  }, async () => {
    await using stack = new AsyncDisposableStack();
    const zabbix = stack.use(await startZabbix());
    const lab = stack.use(await createLab());
    const port = await freePort();
    const page = `http://127.0.0.1:${String(port)}`;
    const config = await configure(lab, zabbix, port);
    let agent = await startDaemon(config, lab.folder, PROGRAM);
    stack.defer(() => agent[Symbol.asyncDispose]());
    await prepare(zabbix, page);

    const values = async (): Promise<ReadonlyMap<string, string>> => {
      const hostids = [await idOf(zabbix, 'host', POLLED_HOST)];
      const items = await list(zabbix, 'item.get', { hostids, output: ['key_', 'lastvalue'] });
      return new Map(items.map(({ key_, lastvalue }) => [String(key_), String(lastvalue)]));
    };
    await expect.poll(async () => (await values()).get('ftm.precondition.state[tls-genuine]'), PATIENCE).toBe('0');
    await expect.poll(async () => (await values()).get('ftm.state'), PATIENCE).toBe('0');
    expect(await problems(zabbix, POLLED_HOST)).toEqual([]);

    /** Waits until the problems are the daemon's causes, and returns them. */
    async function shown(cause: string): Promise<void> {
      await expect
        .poll(async () => {
          const { causes } = await statusOf(page);
          const told = causes.map(({ headline, remedy }) => ({ name: headline, opdata: remedy[0] }));
          const open = (await problems(zabbix, POLLED_HOST)).map(({ name, opdata }) => ({ name, opdata }));
          return causes.some(({ id }) => id === cause) && JSON.stringify(open) === JSON.stringify(told);
        }, PATIENCE)
        .toBe(true);
    }

    await lab.inspect(true);
    await shown('tls-intercepted');
    expect((await values()).get('ftm.state')).toBe('2');
    expect(await unsupported(zabbix)).toEqual([]);
    // The first poll creates the item, and its first value, at the second poll, starts the problem.
    const [intercepted] = await problems(zabbix, POLLED_HOST);
    expect(intercepted?.clock).toBe(await firstSeen(zabbix, 'ftm.cause[tls-intercepted'));

    const [notified] = await problems(zabbix, SITE);
    const mail = await lab.inbox.mail(({ event }) => event === 'firing', AbortSignal.timeout(30_000));
    expect(notified).toMatchObject({ name: mail.subject, severity: '4' });

    await lab.inspect(false);
    await lab.firewall.setMode({ kind: 'refuse' }, LICENSE_HOST);
    await shown('license-server-down');

    await lab.firewall.setMode({ kind: 'off' });
    await expect.poll(() => problems(zabbix, POLLED_HOST), PATIENCE).toEqual([]);
    await expect.poll(() => problems(zabbix, SITE), PATIENCE).toEqual([]);

    await agent[Symbol.asyncDispose]();
    await expect.poll(async () => (await problems(zabbix, POLLED_HOST)).length, PATIENCE).toBe(1);
    agent = await startDaemon(config, lab.folder, PROGRAM);
    await expect.poll(() => problems(zabbix, POLLED_HOST), PATIENCE).toEqual([]);
  });
});
