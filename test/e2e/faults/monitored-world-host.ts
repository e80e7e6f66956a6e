import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { listening } from '../../../src/demo/lab/listening.ts';
import type { Hosted } from '../../support/process/host.ts';
import { createHttpsPeer } from '../../../src/demo/lab/https-peer.ts';
import { createLab, type Lab } from '../../../src/demo/lab/lab.ts';
import { CONTROL_HOSTS, LICENSE_HOST, MAIL_HOST, SERIALS } from '../../../src/demo/lab/site.ts';
import { createSnmpAgent } from '../../support/connectors/snmp-agent.ts';
import { chainPem, createIdentity, type Identity } from '../../../src/demo/lab/identity.ts';
import { createDnsServer, zone } from '../../support/network/dns-server.ts';
import { postingSections } from '../../support/notify/posting-channels.ts';
import { mibValues } from '../../support/connectors/fortiauthenticator-mib.ts';
import {
  CONTROLS,
  DIRECT_CONFIG,
  LICENSE,
  OTHERS,
  PROXY_CONFIG,
  RESOLVER,
  type Addresses,
  type WorldReady,
} from './monitored-world.ts';
import { createNtpServer } from '../../support/network/ntp-server.ts';
import { relayTcp, relayUdp } from './relay.ts';
import { createTcpPeer, createTlsPeer } from '../../support/network/tls-peer.ts';

const OTHER_HOST = 'others.example.org';
const RESOLVER_HOST = 'dns.example.org';

type Ports = Awaited<ReturnType<typeof startServers>>;

/** Runs every server that a configuration can refer to, at addresses of both families. */
export async function host(_: null, stack: AsyncDisposableStack): Promise<Hosted<WorldReady, never>> {
  const lab = stack.use(await createLab());
  const authority = await createIdentity({ name: 'CN=Public Root of the world', authority: true });
  const identity = await createIdentity({
    name: `CN=${RESOLVER_HOST}`,
    dnsNames: [RESOLVER_HOST, OTHER_HOST],
    issuer: authority,
  });
  const ports = await startServers(identity, authority, stack);
  await relayAll(lab, ports);
  const files = { 'world-ca.pem': authority.pem, 'world.pem': chainPem(identity), 'world.key': identity.keyPem };
  await writeConfigurations(lab, ports, files);
  const license = `${LICENSE_HOST}:${String(lab.firewall.portOf(LICENSE_HOST))}`;
  const targets = {
    dns: `${RESOLVER[4]}:${String(ports.dns)}`,
    tcp: license,
    tls: license,
    http: license,
    smtp: `${MAIL_HOST}:${String(lab.mail.port)}`,
  };
  return {
    ready: {
      folder: lab.folder,
      publicCaFile: join(lab.folder, 'world-ca.pem'),
      probes: Object.entries(targets).map(([module, target]) => String(new URLSearchParams({ module, target }))),
    },
  };
}

/** Starts the servers that are not in the lab. All listen on loopback. */
async function startServers(identity: Identity, authority: Identity, stack: AsyncDisposableStack) {
  const named = {
    [LICENSE_HOST]: LICENSE,
    [MAIL_HOST]: OTHERS,
    [OTHER_HOST]: OTHERS,
    [RESOLVER_HOST]: RESOLVER,
    ...Object.fromEntries(CONTROL_HOSTS.map((name, index) => [name, CONTROLS[index] ?? OTHERS])),
  };
  const dns = stack.use(await createDnsServer(zone(recordsOf(named)), { identity, issuers: [authority] }));
  const peer = await createHttpsPeer({
    identity,
    // PagerDuty, and another ftm-watch.
    answer: ({ method }) => (method === 'POST' ? { status: 202, body: {} } : { status: 200, body: statusOfPeer() }),
  });
  const serve = (socket: Duplex): unknown => socket.resume().on('end', () => socket.end());
  const syslogUdp = createSocket('udp4').bind(0, '127.0.0.1');
  await once(syslogUdp, 'listening');
  const hooks = createHttpServer((request, response) => void request.resume().on('end', () => response.end('ok')));
  return {
    dns: dns.port,
    dnsTls: dns.tlsPort,
    dnsHttps: dns.httpsPort,
    ntp: stack.use(await createNtpServer(0)).port,
    snmp: stack.use(await createSnmpAgent({ objects: mibValues({ facSysSerial: SERIALS.unit }) })).port,
    proxy: (await listening(createHttpServer().on('connect', tunnel))).port,
    hooks: (await listening(hooks)).port,
    peer: stack.use(peer).port,
    syslogTcp: stack.use(await createTcpPeer(serve)).port,
    syslogTls: stack.use(await createTlsPeer({ chain: [identity], serve: (socket) => void serve(socket) })).port,
    syslogUdp: syslogUdp.address().port,
  };
}

function recordsOf(named: Readonly<Record<string, Addresses>>): Parameters<typeof zone>[0] {
  return Object.fromEntries(
    Object.entries(named).map(([name, { 4: v4, 6: v6 }]) => [
      name,
      [
        { type: 'A', name, class: 'IN', ttl: 5, data: v4 },
        { type: 'AAAA', name, class: 'IN', ttl: 5, data: v6 },
      ],
    ]),
  );
}

function statusOfPeer(): object {
  const preconditions = [{ id: 'tls-genuine', state: 'ok', summary: '', blockedBy: [], findings: [] }];
  return { ready: 'ready', site: 'dmz', at: new Date().toISOString(), preconditions, causes: [] };
}

/** Connects to the same port on loopback, whatever host is requested. */
function tunnel({ url = '' }: IncomingMessage, socket: Duplex): void {
  const up = connect(Number(url.split(':').at(-1)), '127.0.0.1', () => {
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    up.pipe(socket).pipe(up);
  });
  up.on('error', () => socket.destroy());
  socket.on('error', () => up.destroy());
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}

/** Relays the addresses of every server. */
async function relayAll(lab: Lab, ports: Ports): Promise<void> {
  const { appliance, registration, firewallApi, mail, inbox } = lab;
  const apis = [appliance, registration, firewallApi].map(({ url }) => portOf(url));
  for (const address of both(OTHERS, RESOLVER)) {
    for (const port of [ports.dns, ports.ntp, ports.snmp, ports.syslogUdp]) await relayUdp(address, port, port);
    for (const port of [...Object.values(ports), ...apis, mail.port, inbox.port]) await relayTcp(address, port, port);
  }
  for (const address of both(RESOLVER)) {
    await relayUdp(address, 53, ports.dns);
    await relayTcp(address, 53, ports.dns);
  }
  const web = [LICENSE_HOST, ...CONTROL_HOSTS].map((name) => lab.firewall.portOf(name));
  for (const address of both(LICENSE, ...CONTROLS)) for (const port of web) await relayTcp(address, port, port);
}

function both(...hosts: readonly Addresses[]): readonly string[] {
  return hosts.flatMap(({ 4: v4, 6: v6 }) => [v4, v6]);
}

async function writeConfigurations(lab: Lab, ports: Ports, files: Readonly<Record<string, string>>): Promise<void> {
  const more = { community: 'public', 'routing-key': 'x'.repeat(32), 'fac.log': '' };
  for (const [name, text] of Object.entries({ ...files, ...more })) await writeFile(join(lab.folder, name), text);
  const direct = configurationOf(JSON.parse(await readFile(lab.configFile, 'utf8')) as LabConfig, lab, ports);
  const proxy = { url: `http://${OTHER_HOST}:${String(ports.proxy)}` };
  const proxied = { ...direct, licenseServer: { ...direct.licenseServer, proxy } };
  await writeFile(join(lab.folder, DIRECT_CONFIG), JSON.stringify(direct));
  await writeFile(join(lab.folder, PROXY_CONFIG), JSON.stringify(proxied));
}

interface LabConfig {
  readonly appliances: readonly { readonly api: object }[];
  readonly registration: object;
  readonly firewall: object;
}

/** Returns a configuration with every source, every kind of resolver and every channel. */
function configurationOf(base: LabConfig, lab: Lab, ports: Ports) {
  const at = (host: string, port: number): string => `${host.includes(':') ? `[${host}]` : host}:${String(port)}`;
  const [, iana = ''] = CONTROL_HOSTS;
  const registration = `https://${at(OTHER_HOST, portOf(lab.registration.url))}`;
  return {
    ...base,
    licenseServer: {
      host: LICENSE_HOST,
      port: lab.firewall.portOf(LICENSE_HOST),
      expectedAddresses: both(LICENSE),
    },
    services: [
      {
        name: 'push',
        host: iana,
        port: lab.firewall.portOf(iana),
        trust: { profile: 'pinned', caFiles: ['other-ca.pem'] },
      },
    ],
    resolvers: [
      'system',
      `udp://${at(RESOLVER[4], ports.dns)}`,
      `udp://${at(RESOLVER[6], ports.dns)}`,
      `tcp://${at(RESOLVER[4], ports.dns)}`,
      `tls://${at(RESOLVER_HOST, ports.dnsTls)}`,
      `https://${at(RESOLVER_HOST, ports.dnsHttps)}/dns-query`,
    ],
    clock: { ntp: [at(OTHER_HOST, ports.ntp), at(OTHERS[6], ports.ntp)] },
    appliances: base.appliances.map((unit) => ({
      ...unit,
      api: { ...unit.api, url: `https://${at(OTHERS[4], portOf(lab.appliance.url))}` },
      snmp: { host: OTHER_HOST, port: ports.snmp, communityFile: 'community' },
    })),
    registration: { ...base.registration, url: registration, authUrl: registration },
    firewall: { ...base.firewall, url: `https://${at(OTHERS[4], portOf(lab.firewallApi.url))}` },
    peers: [{ name: 'dmz', url: `https://${at(OTHER_HOST, ports.peer)}`, caFile: 'world-ca.pem' }],
    logs: {
      syslog: {
        udp: '127.0.0.1:0',
        tcp: '127.0.0.1:0',
        tls: { listen: '127.0.0.1:0', certFile: 'world.pem', keyFile: 'world.key' },
      },
      files: ['fac.log'],
      window: '2s',
    },
    schedule: { probes: '*/3 * * * * *', appliance: '*/4 * * * * *', registration: '*/10 * * * * *' },
    notify: channelsOf(lab, ports),
  };
}

function channelsOf(lab: Lab, { hooks, peer, syslogUdp, syslogTcp, syslogTls }: Ports): object {
  const hook = (path: string): string => `http://${OTHER_HOST}:${String(hooks)}/${path}`;
  return {
    email: {
      from: 'ftm-watch@example.org',
      to: ['admins@example.org'],
      servers: [{ host: MAIL_HOST, port: lab.inbox.port, security: 'none' }],
    },
    ...postingSections(hook),
    pagerduty: [
      { name: 'ops', url: `https://${OTHER_HOST}:${String(peer)}/v2/enqueue`, routingKeyFile: 'routing-key' },
    ],
    syslog: [
      { name: 'by name', host: OTHER_HOST, port: syslogUdp, transport: 'udp' },
      { name: 'udp', host: OTHERS[4], port: syslogUdp, transport: 'udp' },
      { name: 'tcp', host: OTHERS[4], port: syslogTcp, transport: 'tcp' },
      { name: 'tls', host: OTHER_HOST, port: syslogTls, transport: 'tls', caFile: 'world-ca.pem' },
    ],
    alertmanager: { urls: [`http://${OTHER_HOST}:${String(hooks)}`] },
    heartbeat: { url: hook('heartbeat'), every: '10s' },
    policy: { confirmations: 2, recoveries: 2, reminder: '4h', maxPerHour: 1000 },
  };
}
