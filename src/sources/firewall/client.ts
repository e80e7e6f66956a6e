import { isIPv6 } from 'node:net';
import type { FirewallConfig } from './section.ts';
import type { ConnectorContext } from '../../network/rest/context.ts';
import { createHttpGetter } from '../../network/rest/http-get.ts';
import type { JsonReply } from '../../network/rest/json-exchange.ts';
import { serialIn } from './replies.ts';
import { secretOf } from '../../network/rest/secret.ts';

/** Everything that is ever asked of the firewall: a closed set of reads. */
export type FirewallQuestion =
  | { readonly kind: 'route'; readonly destination: string; readonly ipv6: boolean }
  | {
      readonly kind: 'policy-lookup';
      readonly source: string;
      readonly sourceInterface: string | null;
      /** IP address or host name. */
      readonly destination: string;
      readonly port: number;
      readonly ipv6: boolean;
    }
  | { readonly kind: 'policy'; readonly id: number }
  | { readonly kind: 'fortitokens' }
  | { readonly kind: 'fqdn-objects'; readonly only: string | null }
  | {
      readonly kind: 'sessions';
      readonly table: 'sessions' | 'session';
      readonly source: string;
      readonly port: number;
      readonly policy: number;
    }
  | { readonly kind: 'profile-group' | 'ssl-ssh-profile' | 'address' | 'wildcard-fqdn'; readonly name: string };

/** Reads one firewall; it cannot say another method than GET. */
export interface FirewallClient extends AsyncDisposable {
  /** @throws see `exchangeJson` */
  read(question: FirewallQuestion): Promise<JsonReply>;
  /** Its serial number, as the answers tell; null: none did so far. */
  serial(): string | null;
}

/**
 * The bearer token is read from its source now.
 * @throws {Error} when the token, `caFile` or the URL cannot be used
 */
export async function createFirewallClient(config: FirewallConfig, context: ConnectorContext): Promise<FirewallClient> {
  const token = await secretOf(config.token, context);
  const trust = { caFile: config.caFile, pin: null };
  const http = await createHttpGetter(
    { url: config.url, trust, authorization: `Bearer ${token}`, secrets: [token] },
    context,
  );
  let serial: string | null = null;
  return {
    read: async (question) => {
      const reply = await http.get(pathOf(question, config.vdom));
      if (reply.kind === 'json') serial = serialIn(reply.value) ?? serial;
      return reply;
    },
    serial: () => serial,
    [Symbol.asyncDispose]: () => http[Symbol.asyncDispose](),
  };
}

/** FortiOS 7.6 wants a count between 20 and 1000. */
const MOST_SESSIONS = '200';

function pathOf(question: FirewallQuestion, vdom: string): string {
  const query = new URLSearchParams({ vdom });
  const resource =
    'name' in question ? `${TABLES[question.kind]}/${encodeURIComponent(question.name)}` : resourceOf(question, query);
  return `/api/v2/${resource}?${query.toString()}`;
}

type Named = Extract<FirewallQuestion, { readonly name: string }>;

const TABLES: Readonly<Record<Named['kind'], string>> = {
  'profile-group': 'cmdb/firewall/profile-group',
  'ssl-ssh-profile': 'cmdb/firewall/ssl-ssh-profile',
  address: 'cmdb/firewall/address',
  'wildcard-fqdn': 'cmdb/firewall.wildcard-fqdn/custom',
};

/** What is asked for besides is set in the query. */
function resourceOf(question: Exclude<FirewallQuestion, Named>, query: URLSearchParams): string {
  switch (question.kind) {
    case 'policy':
      return `cmdb/firewall/policy/${String(question.id)}`;
    case 'route':
      query.set('ipv6', String(question.ipv6));
      query.set('destination', question.destination);
      return 'monitor/router/lookup';
    case 'policy-lookup':
      query.set('ipv6', String(question.ipv6));
      setKnown(query, 'srcintf', question.sourceInterface);
      query.set('sourceip', question.source);
      query.set('protocol', 'tcp');
      query.set('dest', question.destination);
      query.set('destport', String(question.port));
      return 'monitor/firewall/policy-lookup';
    case 'fqdn-objects':
      setKnown(query, 'mkey', question.only);
      return 'monitor/firewall/address-fqdns';
    case 'sessions':
      setFlow(question, query);
      return `monitor/firewall/${question.table}`;
    case 'fortitokens':
      return 'monitor/user/fortitoken';
  }
}

function setFlow(flow: Extract<FirewallQuestion, { readonly kind: 'sessions' }>, query: URLSearchParams): void {
  const is6 = isIPv6(flow.source);
  query.set('count', MOST_SESSIONS);
  query.set('ip_version', is6 ? 'ipv6' : 'ipv4');
  query.set(is6 ? 'srcaddr6' : 'srcaddr', flow.source);
  query.set('dstport', String(flow.port));
  query.set('protocol', 'tcp');
  query.set('policyid', String(flow.policy));
}

function setKnown(query: URLSearchParams, name: string, value: string | null): void {
  if (value !== null) query.set(name, value);
}
