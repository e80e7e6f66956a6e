import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { FirewallState } from '../../lab/firewall.ts';
import { createIdentity } from '../../support/authority.ts';
import {
  createInspectedSite,
  INSPECTED_SITE_NEEDS,
  LICENSE_ADDRESS,
  LICENSE_HOST,
  type InspectedSite,
} from '../../support/inspected-site.ts';
import {
  NEIGHBOUR_LOGIN,
  NEIGHBOURS,
  type NeighboursReady,
  type NeighboursRequest,
} from '../../support/neighbours-host.ts';
import { parsedMails } from '../../support/parsed-mails.ts';
import { describeWhere } from '../../support/privilege.ts';
import { startSiteDaemon, type SiteDaemon } from '../../support/site-daemon.ts';
import { startUnbound } from '../../support/unbound.ts';
import { until } from '../../support/until.ts';

const PROGRAM = fileURLToPath(new URL('../../support/neighbours-host.ts', import.meta.url));
const RESOLVER = '10.20.0.53';
const SYSLOG = { address: '10.20.0.2', port: 5514 };
const WITHIN = 40_000;

/** As FortiAuthenticator sends it. */
const LINE =
  '<12>Aug 14 22:40:02 db[16987]:  category="Event" subcategory="Admin Configuration" typeid=0 level="warning" ' +
  'user="" nas="" action="" status="" FTM polling error: problem with SSL comm layer: server connection failed: SSL session failed';

interface Neighbours extends AsyncDisposable {
  readonly ready: NeighboursReady;
  ask(request: NeighboursRequest): Promise<void>;
}

async function startNeighbours({ gateway }: InspectedSite): Promise<Neighbours> {
  for (const address of [NEIGHBOURS.appliance, NEIGHBOURS.mail]) gateway.sh(`ip addr add ${address}/32 dev inside`);
  const [program = '', ...rest] = gateway.prefix;
  const host: ChildProcess = fork(PROGRAM, { execPath: program, execArgv: [...rest, process.execPath] });
  const [ready] = (await Promise.race([once(host, 'message'), once(host, 'exit')])) as NeighboursReady[];
  if (ready === undefined) throw new Error('Cannot start the neighbours');
  return {
    ready,
    ask: async (request) => {
      host.send(request);
      await once(host, 'message');
    },
    [Symbol.asyncDispose]: async () => {
      const gone = once(host, 'exit');
      host.disconnect();
      await gone;
    },
  };
}

const PASSING: Partial<FirewallState> = { matches: 12 };

describeWhere([...INSPECTED_SITE_NEEDS, { program: 'unbound' }], 'the mail about', () => {
  let site: InspectedSite;
  let neighbours: Neighbours;
  let stack: AsyncDisposableStack;

  beforeAll(async () => {
    stack = new AsyncDisposableStack();
    site = stack.use(await createInspectedSite());
    neighbours = stack.use(await startNeighbours(site));
    const files = {
      'firewall-ca.pem': neighbours.ready.firewallCa,
      'mail-ca.pem': neighbours.ready.mailCa,
      token: 'api-token',
      'mail-password': NEIGHBOUR_LOGIN.password,
      'wrong-password': 'of-last-year',
    };
    for (const [name, text] of Object.entries(files)) await writeFile(join(site.folder, name), text, { mode: 0o600 });
  }, 60_000);
  afterAll(() => stack.disposeAsync());

  const WATCHING = {
    site: 'hq',
    schedule: { probes: '*/2 * * * * *', appliance: '*/2 * * * * *' },
    resolvers: [RESOLVER],
    appliances: [{ name: 'fac-1', logSources: [NEIGHBOURS.appliance] }],
    logs: { syslog: { udp: `${SYSLOG.address}:${String(SYSLOG.port)}` } },
    notify: {
      email: {
        from: 'ftm-watch@example.org',
        to: ['admins@example.org'],
        servers: [{ host: '127.0.0.1', port: 2525, security: 'none' }],
      },
    },
    web: { listen: '127.0.0.1:0' },
  };
  const ASKED = {
    firewall: {
      url: `https://${NEIGHBOURS.fortiGate}`,
      tokenFile: 'token',
      source: NEIGHBOURS.appliance,
      caFile: 'firewall-ca.pem',
    },
  };

  async function authority() {
    return createIdentity({
      name: 'C=US, ST=California, L=Sunnyvale, O=Fortinet, OU=Certificate Authority, CN=FG100FTK20012345',
      authority: true,
      key: 'RSA-2048',
    });
  }

  function mailServer(passwordFile: string) {
    const { mailName: host, mailPort: port } = NEIGHBOURS;
    const { user } = NEIGHBOUR_LOGIN;
    const sender = { from: 'fac@example.org', to: 'probe@example.org' };
    return { mail: [{ host, port, security: 'starttls', ...sender, user, passwordFile, caFile: 'mail-ca.pem' }] };
  }

  interface Fault {
    readonly config: Readonly<Record<string, unknown>>;
    readonly names?: Readonly<Record<string, readonly string[]>>;
    readonly begin?: (stack: AsyncDisposableStack) => Promise<void>;
    readonly then?: (daemon: SiteDaemon) => Promise<void>;
  }

  const FAULTS: Readonly<Record<string, Fault>> = {
    'DNS hijack': { config: {}, names: { [LICENSE_HOST]: ['10.66.0.1'] } },
    'implicit deny': {
      config: ASKED,
      begin: async (during) => {
        await neighbours.ask({ kind: 'firewall', state: { matches: 0 } });
        site.gateway.sh(`nft -f - <<END
table ip deny {
  chain forward { type filter hook forward priority 0; ip daddr ${LICENSE_ADDRESS} drop; }
}
END`);
        during.defer(() => {
          site.gateway.sh('nft delete table ip deny');
        });
      },
    },
    'DPI with API': {
      config: ASKED,
      begin: async (during) => {
        const policy = {
          policyid: 12,
          name: 'LAN-to-Internet',
          srcintf: [{ name: 'port2' }],
          dstintf: [{ name: 'wan1' }],
          action: 'accept',
          status: 'enable',
          nat: 'enable',
          schedule: 'always',
          'utm-status': 'enable',
          'inspection-mode': 'flow',
          'profile-type': 'single',
          'ssl-ssh-profile': 'deep-inspection',
        };
        await neighbours.ask({ kind: 'firewall', state: { ...PASSING, policies: { 12: policy } } });
        during.use(await site.inspect({ authority: await authority(), policy: ['ssl_bump bump all'] }));
      },
    },
    'DPI without API': {
      config: {},
      begin: async (during) => {
        during.use(await site.inspect({ authority: await authority(), policy: ['ssl_bump bump all'] }));
      },
    },
    'rejected login': { config: mailServer('wrong-password') },
    'log line': {
      config: {},
      then: async () => {
        await neighbours.ask({ kind: 'line', line: LINE, to: SYSLOG });
      },
    },
  };

  test.each(Object.keys(FAULTS))(
    '%s',
    async (name) => {
      const fault = FAULTS[name];
      if (fault === undefined) throw new Error('There is no such fault');
      await using during = new AsyncDisposableStack();
      const names = { [NEIGHBOURS.mailName]: [NEIGHBOURS.mail], ...fault.names };
      during.use(
        await startUnbound(site.gateway, {
          address: RESOLVER,
          names,
          folder: site.folder,
          forward: '9.9.9.9',
          more: ['local-zone: "example.org." transparent'],
        }),
      );
      await fault.begin?.(during);
      const daemon = during.use(
        await startSiteDaemon(
          site,
          { ...WATCHING, ...fault.config, store: { path: `data/${name.replaceAll(' ', '-')}.sqlite` } },
          2525,
        ),
      );
      await until(
        () => daemon.status(),
        (status) => status !== null,
        WITHIN,
      );
      await fault.then?.(daemon);
      const [raw = ''] = await until(
        () => daemon.mails(),
        (mails) => mails.length > 0,
        WITHIN,
      );
      const [mail] = parsedMails([raw]);
      if (process.env['MAILS'] !== undefined)
        await writeFile(
          join(process.env['MAILS'], `${name.replaceAll(' ', '-')}.txt`),
          `Subject: ${mail?.subject ?? ''}\n\n${mail?.text ?? ''}`,
        );
      expect(mail?.defects).toEqual([]);
    },
    120_000,
  );
});
