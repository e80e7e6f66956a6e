import { stringify } from 'yaml';
import type {
  ApplianceApiConfig,
  ApplianceConfig,
  Config,
  FirewallConfig,
  ListenAddress,
  LogsConfig,
  NotifyConfig,
  ProxyConfig,
  RegistrationConfig,
  SnmpConfig,
  TlsFiles,
  WebConfig,
} from './config.ts';
import { formatDuration } from '../core/duration.ts';
import { formatHostPort } from './host-port.ts';
import { CHANNELS } from '../notify/channels/registry.ts';
import { plainRelay, present, secretOf, type Plain, type PlainSection } from './plain.ts';
import { withoutSecretPath } from './secret-url.ts';

/**
 * The configuration with every default, as the YAML that loads to the same configuration. File names are absolute. A
 * secret appears as the file or the variable that it comes from: its value is not part of a configuration. Of the URLs
 * of web hooks and of the heartbeat, which are secrets by themselves, only scheme and host are printed.
 */
export function printConfig(config: Config): string {
  return printPlain(plainConfig(config));
}

/** Data as YAML, one line a value. */
export function printPlain(plain: Plain): string {
  return stringify(plain, { lineWidth: 0 });
}

/** The same configuration as data. */
export function plainConfig(config: Config): PlainSection {
  const { licenseServer, trust, registration, firewall, services } = config;
  return {
    site: config.site,
    licenseServer: {
      ...present({ ...licenseServer, proxy: proxyOf(licenseServer.proxy) }),
      serverName: licenseServer.serverName,
    },
    trust: { ...trust },
    services: services.map((service) => ({ ...service, trust: { ...service.trust } })),
    controlHosts: config.controlHosts.map(({ host, port }) => formatHostPort(host, port)),
    resolvers: config.resolvers.map(({ label }) => label),
    ...present({ sourceAddress: config.sourceAddress }),
    mail: config.mail.map(({ from, to, ...relay }) => ({ ...plainRelay(relay), ...present({ from, to }) })),
    clock: {
      ntp: config.clock.ntp.map(({ host, port }) => formatHostPort(host, port)),
      maxOffset: formatDuration(config.clock.maxOffset),
    },
    appliances: config.appliances.map(applianceOf),
    logs: logsOf(config.logs),
    ...(registration === null ? {} : { registration: registrationOf(registration) }),
    ...(firewall === null ? {} : { firewall: firewallOf(firewall) }),
    schedule: { ...config.schedule },
    notify: notifyOf(config.notify),
    web: webOf(config.web),
    store: { path: config.store.path, retention: formatDuration(config.store.retention) },
    log: { ...config.log },
  };
}

function proxyOf(proxy: ProxyConfig | null): Plain {
  if (proxy === null) return null;
  const url = `http://${formatHostPort(proxy.host, proxy.port)}`;
  return proxy.user === null ? url : { url, user: proxy.user, ...secretOf('password', proxy.password) };
}

function applianceOf({ api, snmp, ...appliance }: ApplianceConfig): PlainSection {
  return {
    ...present({ ...appliance }),
    ...(api === null ? {} : { api: apiOf(api) }),
    ...(snmp === null ? {} : { snmp: snmpOf(snmp) }),
  };
}

function apiOf({ key, ...api }: ApplianceApiConfig): PlainSection {
  return { ...present({ ...api }), ...secretOf('key', key) };
}

function snmpOf({ community, ...snmp }: SnmpConfig): PlainSection {
  return { ...snmp, ...secretOf('community', community) };
}

function registrationOf({ password, ...registration }: RegistrationConfig): PlainSection {
  return { ...present({ ...registration }), ...secretOf('password', password) };
}

function firewallOf({ token, ...firewall }: FirewallConfig): PlainSection {
  return { ...present({ ...firewall }), ...secretOf('token', token) };
}

function logsOf({ syslog, window, silentAfter, ...logs }: LogsConfig): PlainSection {
  const { udp, tcp, tls } = syslog;
  return {
    syslog: present({
      udp: udp && listenOf(udp),
      tcp: tcp && listenOf(tcp),
      tls:
        tls &&
        present({
          listen: listenOf(tls),
          certFile: tls.certFile,
          keyFile: tls.keyFile,
          clientCaFile: tls.clientCaFile,
        }),
    }),
    ...logs,
    window: formatDuration(window),
    silentAfter: formatDuration(silentAfter),
  };
}

function notifyOf(notify: NotifyConfig): PlainSection {
  const { policy, maintenance, heartbeat } = notify;
  return {
    ...Object.fromEntries(CHANNELS.flatMap((channel) => Object.entries(channel.printed(notify)))),
    policy: { ...policy, reminder: formatDuration(policy.reminder) },
    maintenance: maintenance.map((window) => ({ ...window, duration: formatDuration(window.duration) })),
    ...present({
      heartbeat: heartbeat && { url: withoutSecretPath(heartbeat.url), every: formatDuration(heartbeat.every) },
    }),
  };
}

function webOf({ listen, tls, users, hosts, probeTargets }: WebConfig): PlainSection {
  return {
    listen: listenOf(listen),
    ...present({ tls: tls && tlsOf(tls) }),
    users: users.map(({ name, passwordHash }) => ({ name, ...secretOf('passwordHash', passwordHash) })),
    hosts,
    probeTargets: probeTargets.map(({ host, port }) => formatHostPort(host, port)),
  };
}

function listenOf({ address, port }: ListenAddress): string {
  return formatHostPort(address, port);
}

function tlsOf({ certFile, keyFile }: TlsFiles): PlainSection {
  return { certFile, keyFile };
}
