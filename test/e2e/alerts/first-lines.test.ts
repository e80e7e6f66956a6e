import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createIdentity } from '../../../src/demo/lab/identity.ts';
import {
  createInspectedSite,
  INSPECTED_SITE_NEEDS,
  LICENSE_ADDRESS,
  LICENSE_HOST,
  type InspectedSite,
} from '../../support/network/inspected-site.ts';
import { LAN_POLICY, NEIGHBOUR_LOGIN, NEIGHBOURS, type NeighboursReady, type NeighboursRequest } from './neighbours.ts';
import { parsedMails } from '../../support/mail/parsed-mails.ts';
import { type Host, startHost } from '../../support/process/host.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { startSiteDaemon, type SiteDaemon } from '../../support/process/site-daemon.ts';
import { startUnbound } from '../../support/network/unbound.ts';
import { until } from '../../support/time/until.ts';
import { emailBy } from '../../support/mail/mail-server.ts';

const RESOLVER = '10.20.0.53';
const SYSLOG = { address: '10.20.0.2', port: 5514 };
const WITHIN = 40_000;
/** Nobody reads more than this at night. */
const FIRST_LINES = 12;

/** The line as FortiAuthenticator sends it. */
const LINE =
  '<12>Aug 14 22:40:02 db[16987]:  category="Event" subcategory="Admin Configuration" typeid=0 level="warning" ' +
  'user="" nas="" action="" status="" FTM polling error: problem with SSL comm layer: server connection failed: SSL ' +
  'session failed';

type Neighbours = Host<NeighboursReady, NeighboursRequest>;

async function startNeighbours({ gateway }: InspectedSite): Promise<Neighbours> {
  for (const address of [NEIGHBOURS.appliance, NEIGHBOURS.mail]) gateway.sh(`ip addr add ${address}/32 dev inside`);
  return startHost(new URL('neighbours.ts', import.meta.url), null, gateway.prefix);
}

const WATCHING = {
  site: 'hq',
  schedule: { probes: '*/2 * * * * *', appliance: '*/2 * * * * *' },
  resolvers: [RESOLVER],
  appliances: [{ name: 'fac-1', logSources: [NEIGHBOURS.appliance] }],
  logs: { syslog: { udp: `${SYSLOG.address}:${String(SYSLOG.port)}` } },
  notify: {
    email: emailBy({ port: 2525 }, 'admins@example.org'),
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
  /** What a reader needs to act, in the first lines of the mail. */
  readonly says: readonly string[];
  readonly config: Readonly<Record<string, unknown>>;
  readonly names?: Readonly<Record<string, readonly string[]>>;
  readonly begin?: (stack: AsyncDisposableStack) => Promise<void>;
  readonly afterwards?: (daemon: SiteDaemon) => Promise<void>;
}

describeWhere(
  [...INSPECTED_SITE_NEEDS, { program: 'unbound' }],
  'the first lines of a mail say what, who and what to do first:',
  () => {
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

    const FAULTS: Readonly<Record<string, Fault>> = {
      'DNS hijack': {
        says: [RESOLVER, '10.66.0.1', LICENSE_HOST],
        config: {},
        names: { [LICENSE_HOST]: ['10.66.0.1'] },
      },
      'implicit deny': {
        says: ['10.20.0.5', 'FortiGate 10.20.0.1', 'port2', 'wan1'],
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
        says: ['FortiGate 10.20.0.1', 'policy 12 "LAN-to-Internet"', '"deep-inspection"', '10.20.0.5'],
        config: ASKED,
        begin: async (during) => {
          const inspecting = { 'utm-status': 'enable', 'ssl-ssh-profile': 'deep-inspection' };
          const policies = { 12: { ...LAN_POLICY, ...inspecting } };
          await neighbours.ask({ kind: 'firewall', state: { matches: 12, policies } });
          during.use(await site.inspect({ authority: await authority(), policy: ['ssl_bump bump all'] }));
        },
      },
      'DPI without API': {
        says: ['FG100FTK20012345', '10.20.0.5'],
        config: {},
        begin: async (during) => {
          during.use(await site.inspect({ authority: await authority(), policy: ['ssl_bump bump all'] }));
        },
      },
      'rejected login': {
        says: ['mail.example.org:587', 'mail[].user'],
        config: mailServer('wrong-password'),
      },
      'log line': {
        says: ['fac-1', '10.20.0.5'],
        config: {},
        afterwards: async () => {
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
        await expect.poll(() => daemon.status()).not.toBeNull();
        await fault.afterwards?.(daemon);
        const [raw = ''] = await until(
          () => daemon.mails(),
          (mails) => mails.length > 0,
          WITHIN,
        );
        const [mail] = parsedMails([raw]);
        const read = (mail?.text ?? '').split('\n').slice(0, FIRST_LINES).join(' ').replaceAll(/\s+/gu, ' ');
        expect(read).toContain(' 1. ');
        for (const part of fault.says) expect(read).toContain(part);
      },
      120_000,
    );
  },
);
