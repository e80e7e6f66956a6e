import { fieldsOf, type Fields } from '../core/fields.ts';
import ipaddr from 'ipaddr.js';
import { addressInAny, singleAddresses } from '../core/addresses.ts';
import { matchesWildcard } from '../core/wildcard.ts';
import type { Millis } from '../core/clock.ts';
import {
  type FirewallObservation,
  firewallName,
  flowName,
  type Flow,
  type FqdnObject,
  type PolicyMatch,
  type SslInspection,
  type SslInspectionMode,
} from '../core/firewall.ts';
import type { LicenseServerConfig, WatchedConfig, FirewallConfig } from '../config/schema/watched.ts';
import type { ConnectedSystem } from './picture.ts';
import { deadline } from '../system/clock.ts';
import { ProbeError } from '../network/failure.ts';
import {
  type ConnectorContext,
  createHttpGetter,
  endpointOf,
  failed,
  type JsonReply,
  secretOf,
  statusText,
} from '../network/rest/json-exchange.ts';
import {
  nameIn,
  parsePolicy,
  parsePolicyId,
  parseSslProfile,
  resultOf,
  securityProfilesOf,
  serialIn,
  type PolicyReply,
  type Exemption,
} from './firewall-replies.ts';
import { lenientCount } from '../network/rest/reply-values.ts';
import { isIP, isIPv4, isIPv6 } from 'node:net';

/** Returns the configured FortiGates on the path. A FortiGate is listed once for each FortiAuthenticator behind it. */
export function firewallSystems({
  firewall,
  licenseServer,
}: Pick<WatchedConfig, 'firewall' | 'licenseServer'>): readonly ConnectedSystem<FirewallObservation>[] {
  return firewall.map((entry) => {
    const flow = flowOf(entry, licenseServer);
    return {
      name: flowName(flow),
      unseen: null,
      unanswered: {
        ...flow,
        kind: 'failed',
        reason: 'aborted',
        durationMs: 0,
        message: 'No response has been received yet',
      },
      ask: (context) => observeFirewall(entry, licenseServer, context),
    };
  });
}

/** Time limit for all requests in one query. */
const FIREWALL_TIMEOUT: Millis = 60_000;

type FirewallTarget = Pick<LicenseServerConfig, 'host' | 'port' | 'expectedAddresses'>;

/** A built-in profile that cannot be changed, and for which old firmware does not return an object. */
const NO_INSPECTION = 'no-inspection';

/**
 * Queries a FortiGate for the policy that matches the appliance's connection to the licence server, and for the
 * policy's security settings. Sends only GET requests. Never throws, because failures are part of the observation.
 */
export async function observeFirewall(
  config: FirewallConfig,
  target: FirewallTarget,
  context: ConnectorContext,
): Promise<FirewallObservation> {
  const flow = flowOf(config, target);
  const startedAt = context.clock.elapsed();
  using limit = deadline(context.clock, FIREWALL_TIMEOUT, context.signal);
  try {
    await using client = await createFirewallClient(config, { ...context, signal: limit.signal });
    const inquiry = { client, config, target };
    const match = await matchOf(inquiry);
    // The matching policy is reported even if the following requests fail.
    const fqdnObjects = await readFqdnObjects(client, target.host).catch(() => []);
    return { ...flow, kind: 'ok', serial: client.serial(), match, fqdnObjects };
  } catch (error) {
    if (error instanceof RefusedError) return { ...flow, kind: 'denied', status: error.status };
    return { ...flow, ...failed(error, startedAt, context) };
  }
}

function flowOf(config: FirewallConfig, { host, port }: Pick<FirewallTarget, 'host' | 'port'>): Flow {
  const { source, appliances, vdom } = config;
  return {
    source,
    appliances,
    destination: `${host}:${String(port)}`,
    firewall: firewallName(config),
    firewallHost: new URL(config.url).host,
    vdom,
  };
}

/** Supports only GET. */
interface FirewallClient extends AsyncDisposable {
  /**
   * @param resource below `/api/v2/`
   * @throws the errors of `exchangeJson`
   */
  read(resource: string, parameters?: Readonly<Record<string, string>>): Promise<JsonReply>;
  /** Null if no response contained the serial number. */
  serial(): string | null;
}

/**
 * The token is read when this function is called.
 * @throws {Error} when the token, `caFile` or the URL cannot be used
 */
async function createFirewallClient(config: FirewallConfig, context: ConnectorContext): Promise<FirewallClient> {
  const token = await secretOf(config.token, context);
  const trust = { caFile: config.caFile, pin: null };
  const http = await createHttpGetter(
    { url: config.url, trust, authorization: `Bearer ${token}`, secrets: [token] },
    context,
  );
  let serial: string | null = null;
  return {
    read: async (resource, parameters = {}) => {
      const query = new URLSearchParams({ vdom: config.vdom, ...parameters });
      const reply = await http.get(`/api/v2/${resource}?${query.toString()}`);
      if (reply.kind === 'json') serial = serialIn(reply.value) ?? serial;
      return reply;
    },
    serial: () => serial,
    [Symbol.asyncDispose]: () => http[Symbol.asyncDispose](),
  };
}

interface Inquiry {
  readonly client: FirewallClient;
  readonly config: FirewallConfig;
  readonly target: FirewallTarget;
}

/** Thrown if the firewall rejects the token or if the token lacks a required permission. */
class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly status: number;

  constructor(status: number) {
    super(`HTTP ${String(status)}`);
    this.status = status;
  }
}

async function matchOf(inquiry: Inquiry): Promise<PolicyMatch> {
  const { config, target } = inquiry;
  const incoming = config.sourceInterface ?? (await interfaceTowards(inquiry, config.source));
  const id = parsePolicyId(await lookUpPolicy(inquiry, incoming));
  if (id === null) throw notUnderstood(config, 'policy-lookup');
  if (id === 0) {
    const outgoing = await interfaceTowards(inquiry, addressesTowards(config, target)[0] ?? target.host).catch(
      () => null,
    );
    return { kind: 'implicit-deny', incoming, outgoing };
  }
  const reply = parsePolicy(id, await readResult(inquiry, 'policy', String(id)));
  if (reply === null) throw notUnderstood(inquiry.config, 'policy');
  const { policy } = reply;
  if (policy.action === 'deny') {
    return { kind: 'policy', policy, inspection: withoutExemptions(null, 'none') };
  }
  const grouped = await withGroup(inquiry, reply);
  return { kind: 'policy', policy: grouped.policy, inspection: await inspectionOf(inquiry, grouped.sslProfile) };
}

/** FortiOS resolves the name itself. If that fails, the lookup is repeated with an address. */
async function lookUpPolicy(inquiry: Inquiry, sourceInterface: string | null): Promise<Fields> {
  const { config, target } = inquiry;
  const lookUp = (destination: string): Promise<JsonReply> =>
    inquiry.client.read('monitor/firewall/policy-lookup', {
      ipv6: String(isIPv6(config.source)),
      ...(sourceInterface === null ? {} : { srcintf: sourceInterface }),
      sourceip: config.source,
      protocol: 'tcp',
      dest: destination,
      destport: String(target.port),
    });
  const reply = await lookUp(target.host);
  const [address] = addressesTowards(config, target);
  const isDone = reply.kind === 'json' || !LOOKUP_FAILED.includes(reply.status) || address === undefined;
  const last = isDone ? reply : await lookUp(address);
  const lacksInterface = last.kind === 'status' && LOOKUP_FAILED.includes(last.status) && sourceInterface === null;
  return resultIn(config, 'policy-lookup', last, lacksInterface ? ' (most firmware requires "sourceInterface")' : '');
}

/** FortiOS returns these statuses if a parameter of the lookup is missing or cannot be resolved. */
const LOOKUP_FAILED: readonly number[] = [400, 424, 500];

/**
 * Excludes address blocks, because a policy lookup accepts only individual addresses, and the address family that the
 * connection does not use.
 */
function addressesTowards({ source }: FirewallConfig, target: FirewallTarget): readonly string[] {
  const addresses = singleAddresses([target.host, ...target.expectedAddresses]);
  return addresses.filter((address) => isIPv6(address) === isIPv6(source));
}

/**
 * Most firmware requires the incoming interface for the policy lookup, so the route back to the source is looked up.
 * Returns null if the token is not allowed to read routes. This is not an error, because some firmware does not require
 * the interface.
 */
async function interfaceTowards({ client, config }: Inquiry, destination: string): Promise<string | null> {
  const reply = await client.read('monitor/router/lookup', { ipv6: String(isIPv6(config.source)), destination });
  const result = reply.kind === 'json' ? resultOf(reply.value) : null;
  return result === null ? null : nameIn(result, 'interface');
}

async function withGroup(inquiry: Inquiry, reply: PolicyReply): Promise<PolicyReply> {
  if (reply.profileGroup === null) return reply;
  const group = await readResult(inquiry, 'profile-group', reply.profileGroup);
  return {
    ...reply,
    policy: { ...reply.policy, securityProfiles: securityProfilesOf(group) },
    sslProfile: nameIn(group, 'ssl-ssh-profile') ?? reply.sslProfile,
  };
}

async function inspectionOf(inquiry: Inquiry, profile: string | null): Promise<SslInspection> {
  if (profile === null || profile === NO_INSPECTION) return withoutExemptions(profile, 'none');
  const reply = await inquiry.client.read(objectIn('firewall/ssl-ssh-profile', profile));
  if (reply.kind === 'status') return { kind: 'unreadable', profile, message: `HTTP ${String(reply.status)}` };
  const result = resultOf(reply.value);
  const parsed = result === null ? null : parseSslProfile(result, inquiry.target.port);
  if (parsed === null)
    return { kind: 'unreadable', profile, message: 'the profile does not specify how HTTPS is inspected' };
  if (parsed.mode !== 'deep') return withoutExemptions(profile, parsed.mode);
  return { kind: 'known', profile, mode: 'deep', ...(await readExemptions(inquiry, parsed.exemptions)) };
}

function withoutExemptions(profile: string | null, mode: SslInspectionMode): SslInspection {
  return { kind: 'known', profile, mode, exemptedBy: null, unreadExemptions: [] };
}

async function readResult(
  { client, config }: Inquiry,
  table: 'policy' | 'profile-group',
  name: string,
): Promise<Fields> {
  return resultIn(config, table, await client.read(objectIn(`firewall/${table}`, name)));
}

function objectIn(table: string, name: string): string {
  return `cmdb/${table}/${encodeURIComponent(name)}`;
}

function resultIn(config: FirewallConfig, what: string, reply: JsonReply, hint = ''): Fields {
  if (reply.kind === 'status') {
    if (isRefusal(reply.status)) throw new RefusedError(reply.status);
    const endpoint = endpointOf(config.url);
    throw new ProbeError(
      'rejected',
      `${endpoint} responded to the "${what}" request with ${statusText(reply.status)}${hint}`,
    );
  }
  const result = resultOf(reply.value);
  if (result === null) throw notUnderstood(config, what);
  return result;
}

function isRefusal(status: number): boolean {
  return status === 401 || status === 403;
}

function notUnderstood(config: FirewallConfig, what: string): ProbeError {
  return new ProbeError(
    'protocol',
    `Cannot read the response of ${endpointOf(config.url)} to "${what}": expected the documented fields`,
  );
}

type ExemptionResult = Omit<Extract<SslInspection, { kind: 'known' }>, 'kind' | 'profile' | 'mode'>;

type Coverage = 'covers' | 'covers-name' | 'other' | 'unread';

/**
 * FortiGuard categories that FortiOS exempts from inspection by default (finance and health). These categories never
 * contain a licence server. Because the server's category is unknown, any other exempted category may contain it.
 */
const IRRELEVANT_CATEGORIES: readonly string[] = ['31', '33'];

/** Each exemption requires a separate request. The built-in profiles have about 40 exemptions. */
const MAX_READ = 64;

async function readExemptions(inquiry: Inquiry, exemptions: readonly Exemption[]): Promise<ExemptionResult> {
  const unread: string[] = [];
  let named: string | null = null;
  for (const exemption of exemptions.slice(0, MAX_READ)) {
    const coverage = await coverageOf(inquiry, exemption);
    if (coverage === 'covers') return { exemptedBy: `exemption "${exemption.value}"`, unreadExemptions: unread };
    if (coverage === 'covers-name') named ??= `exemption "${exemption.value}"`;
    if (coverage === 'unread') unread.push(textOf(exemption));
  }
  if (named !== null) return { exemptedBy: named, exemptsByName: true, unreadExemptions: unread };
  return { exemptedBy: null, unreadExemptions: [...unread, ...exemptions.slice(MAX_READ).map(textOf)] };
}

async function coverageOf({ client, config, target }: Inquiry, { kind, value }: Exemption): Promise<Coverage> {
  switch (kind) {
    case 'category':
      return IRRELEVANT_CATEGORIES.includes(value) ? 'other' : 'unread';
    case 'other':
    case 'regex':
      // Regular expressions from the firewall are not evaluated, because their run time is unlimited.
      return 'unread';
    case 'address':
    case 'address6':
      // IPv4 and IPv6 objects are in separate tables, and can have the same name.
      return isIPv6(config.source) === (kind === 'address6')
        ? addressCoverage(await objectOf(client, `firewall/${kind}`, value), config, target)
        : 'other';
    case 'wildcard-fqdn':
      return nameCoverage(await objectOf(client, 'firewall.wildcard-fqdn/custom', value), kind, target.host);
  }
}

function textOf({ kind, value }: Exemption): string {
  switch (kind) {
    case 'category':
      return `category ${value === '' ? 'without a number' : value}`;
    case 'other':
      return 'an exemption of an unknown type';
    case 'regex':
      return `pattern "${value}"`;
    case 'address':
    case 'address6':
    case 'wildcard-fqdn':
      return `${kind} "${value}"`;
  }
}

/** An unreadable object counts as empty. */
async function objectOf(client: FirewallClient, table: string, name: string): Promise<Fields> {
  const reply = await client.read(objectIn(table, name));
  return (reply.kind === 'json' ? resultOf(reply.value) : null) ?? {};
}

/**
 * Uses only the fields that apply to the object's type, because FortiOS returns `subnet` for every type, with 0.0.0.0/0
 * if it is irrelevant. The addresses of a country, a tag or a connector's object are unknown.
 */
function addressCoverage(object: Fields, config: FirewallConfig, target: FirewallTarget): Coverage {
  const addresses = addressesTowards(config, target);
  switch (object['type']) {
    case 'ipmask':
    case 'ipprefix': {
      const subnet = nameIn(object, object['type'] === 'ipmask' ? 'subnet' : 'ip6');
      return subnet === null ? 'unread' : allOf(addresses, (address) => isInSubnet(address, subnet));
    }
    case 'iprange': {
      const start = nameIn(object, 'start-ip');
      const end = nameIn(object, 'end-ip');
      return start === null || end === null ? 'unread' : allOf(addresses, (address) => isBetween(address, start, end));
    }
    case 'fqdn':
    case 'wildcard-fqdn':
      return nameCoverage(object, object['type'], target.host);
    default:
      return 'unread';
  }
}

function nameCoverage(object: Fields, field: 'fqdn' | 'wildcard-fqdn', host: string): Coverage {
  const pattern = nameIn(object, field);
  if (pattern === null) return 'unread';
  // For example, `*.fortinet.com` covers names that end in `.fortinet.com`.
  return matchesWildcard(pattern.toLowerCase(), host.toLowerCase()) ? 'covers-name' : 'other';
}

function allOf(addresses: readonly string[], isCovered: (address: string) => boolean): Coverage {
  if (addresses.length === 0) return 'unread';
  return addresses.every(isCovered) ? 'covers' : 'other';
}

/** For example `"173.243.138.0 255.255.255.0"`, `"173.243.138.0/24"` or `"2001:db8::/32"`. */
function isInSubnet(address: string, subnet: string): boolean {
  const [network = '', mask = ''] = subnet.split(/[\s/]+/u);
  const bits = isIPv4(mask) ? ipaddr.IPv4.parse(mask).prefixLengthFromSubnetMask() : mask;
  return bits !== null && addressInAny(address, [`${network}/${String(bits)}`]);
}

function isBetween(address: string, start: string, end: string): boolean {
  const [value, low, high] = [address, start, end].map(bytesOf);
  if (value === undefined || low?.length !== value.length || high?.length !== value.length) return false;
  return Buffer.compare(low, value) <= 0 && Buffer.compare(value, high) <= 0;
}

/** Empty for an invalid address. */
function bytesOf(address: string): Buffer {
  return Buffer.from(isIP(address) === 0 ? [] : ipaddr.parse(address).toByteArray());
}

const MAX_OBJECTS = 4;

/**
 * Returns the addresses to which the firewall itself resolves the host name, from FQDN address objects. Each object is
 * requested separately, because the list of objects contains only the number of addresses.
 */
async function readFqdnObjects(client: FirewallClient, host: string): Promise<readonly FqdnObject[]> {
  const all = await objectsIn(client, null);
  const ours = all.filter(({ fqdn }) => fqdn?.toLowerCase() === host.toLowerCase()).slice(0, MAX_OBJECTS);
  const objects: FqdnObject[] = [];
  for (const object of ours) {
    const full = (await objectsIn(client, object.name)).find(({ name }) => name === object.name) ?? object;
    // An empty or missing list proves nothing if the list of objects states a number.
    const count = full.listed ? full.listed : (object.stated ?? full.listed);
    if (count !== null) objects.push({ name: object.name, resolves: count > 0 });
  }
  return objects;
}

interface Listed {
  readonly name: string;
  readonly fqdn: string | null;
  /** Number of addresses that the list of objects states. */
  readonly stated: number | null;
  /** Number of addresses that the response lists. Null if it lists none. */
  readonly listed: number | null;
}

async function objectsIn(client: FirewallClient, only: string | null): Promise<readonly Listed[]> {
  const reply = await client.read('monitor/firewall/address-fqdns', only === null ? {} : { mkey: only });
  const results = reply.kind === 'json' ? fieldsOf(reply.value)['results'] : null;
  // Older firmware returns a mapping from names to objects.
  const named: readonly unknown[] = Array.isArray(results)
    ? results
    : Object.entries(fieldsOf(results)).map(([name, object]) => ({ ...fieldsOf(object), name }));
  return named.flatMap((object) => listedOf(fieldsOf(object)));
}

function listedOf(object: Fields): readonly Listed[] {
  const name = nameIn(object, 'name');
  if (name === null) return [];
  const { addrs } = object;
  const listed = Array.isArray(addrs) ? addrs.filter((one) => typeof one === 'string' && isIP(one) !== 0).length : null;
  return [{ name, fqdn: nameIn(object, 'fqdn'), stated: lenientCount(object['addrs_count']), listed }];
}
