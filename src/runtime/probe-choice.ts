import { isIP } from 'node:net';

import type { Config } from '../config/config.ts';
import type { HostPort } from '../core/authority.ts';
import { USUAL_PATIENCE } from '../sources/mail/mail-servers.ts';
import type { MailServerConfig } from '../sources/mail/section.ts';
import type { ResolverConfig } from '../config/schema/resolver.ts';
import { parseHostPort } from '../config/schema/host-port.ts';
import { visibleText } from '../core/visible-text.ts';
import type { PathTarget } from '../sources/target/observe-path.ts';
import { controlTarget, licenseTarget, serviceTarget, straightTarget } from '../sources/target/path-targets.ts';
import type { ProbeAnswer, ProbeModule } from '../web/probe-answer.ts';

/** What of the configuration a target of `/probe` means. */
export type ProbeChoice =
  | { readonly kind: 'path'; readonly target: PathTarget }
  | { readonly kind: 'name'; readonly target: PathTarget }
  | { readonly kind: 'mail'; readonly server: MailServerConfig };

type Refusal = Extract<ProbeAnswer, { kind: 'malformed' | 'forbidden' }>;

const MAX_SHOWN = 100;

/**
 * Finds a target among those that the configuration names or allows; nothing else is ever looked at. Without a port the
 * first one with that host is meant. `dns` takes a host of the configuration, to be asked for at every resolver, or a
 * resolver, to be asked for the licence server as the blackbox exporter has it.
 */
export function chooseProbe(config: Config, asked: string, module: ProbeModule): ProbeChoice | Refusal {
  const resolver = module === 'dns' ? config.resolvers.find(({ label }) => label === asked) : undefined;
  if (resolver !== undefined) return atResolver(config, resolver);
  const wanted = parseTarget(asked);
  if (wanted === null)
    return { kind: 'malformed', problem: `Cannot probe ${shown(asked)}: expected HOST or HOST:PORT` };
  switch (module) {
    case 'dns':
      return chooseName(config, asked, wanted);
    case 'smtp':
      return chooseMail(config, asked, wanted);
    case 'tcp':
    case 'tls':
    case 'http': {
      const target = knownTargets(config).find(isWanted(wanted));
      return target === undefined ? forbidden(asked) : { kind: 'path', target: { ...target, depth: module } };
    }
  }
}

interface Wanted {
  readonly host: string;
  /** null: any. */
  readonly port: number | null;
}

function parseTarget(text: string): Wanted | null {
  const withPort = parseHostPort(text, null);
  if (withPort !== null) return withPort;
  const alone = parseHostPort(text, 1);
  return alone === null ? null : { host: alone.host, port: null };
}

function isWanted({ host, port }: Wanted): (known: HostPort) => boolean {
  return (known) => known.host.toLowerCase() === host.toLowerCase() && (port === null || known.port === port);
}

/** In the order in which the configuration is about them. */
function knownTargets(config: Config): readonly PathTarget[] {
  const { services, controlHosts, web, appliances, firewall, registration } = config;
  const urls = [
    ...appliances.flatMap(({ api }) => api?.url ?? []),
    ...firewall.map(({ url }) => url),
    registration?.url,
    registration?.authUrl,
  ];
  const straight = [...web.probeTargets, ...mailServers(config), ...urls.flatMap(endpointOf)];
  return [
    licenseTarget(config),
    ...services.map((service) => serviceTarget(service, config)),
    ...controlHosts.map((host) => controlTarget(host, config)),
    ...straight.map((host) => straightTarget(host, config)),
  ];
}

function endpointOf(url: string | undefined): readonly HostPort[] {
  const parsed = url === undefined ? null : URL.parse(url);
  if (parsed === null) return [];
  const port = parsed.port === '' ? (parsed.protocol === 'https:' ? 443 : 80) : Number(parsed.port);
  return [{ host: parsed.hostname.replace(/^\[|\]$/gu, ''), port }];
}

/**
 * Those that activation codes go through, then those that notifications do: the latter are not given a message to
 * rehearse.
 */
function mailServers({ mail, notify }: Config): readonly MailServerConfig[] {
  return [
    ...mail,
    ...(notify.email?.servers ?? []).map((relay) => ({
      ...relay,
      from: null,
      to: null,
      required: false,
      timeout: USUAL_PATIENCE,
    })),
  ];
}

function chooseMail(config: Config, asked: string, wanted: Wanted): ProbeChoice | Refusal {
  const server = mailServers(config).find(isWanted(wanted));
  if (server !== undefined) return { kind: 'mail', server };
  return {
    kind: 'forbidden',
    problem: `Cannot probe ${shown(asked)} as a mail server: name it under "mail" in the configuration`,
  };
}

function chooseName(config: Config, asked: string, wanted: Wanted): ProbeChoice | Refusal {
  const resolver = config.resolvers.find((known) => 'host' in known && isWanted(wanted)(known));
  if (resolver !== undefined) return atResolver(config, resolver);
  const target = knownTargets(config).find(isWanted({ ...wanted, port: null }));
  if (target === undefined) return forbidden(asked);
  if (isIP(target.host) === 0) return { kind: 'name', target };
  return {
    kind: 'malformed',
    problem: `Cannot resolve ${shown(asked)}: expected a name or a resolver, got an address`,
  };
}

function atResolver(config: Config, resolver: ResolverConfig): ProbeChoice {
  return { kind: 'name', target: { ...licenseTarget(config), resolvers: [resolver] } };
}

function forbidden(asked: string): Refusal {
  return {
    kind: 'forbidden',
    problem:
      `Cannot probe ${shown(asked)}: the configuration does not name it; ` + 'add it to "web.probeTargets" to allow it',
  };
}

function shown(text: string): string {
  return `"${visibleText(text, MAX_SHOWN)}"`;
}
