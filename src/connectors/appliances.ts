import { fieldsOf } from '../core/fields.ts';
import * as z from 'zod';
import type { ApplianceConfig, ApplianceApiConfig, SnmpConfig, WatchedConfig } from '../config/schema/watched.ts';
import {
  type ApplianceObservation,
  type HaRoleObservation,
  type ApplianceClock,
  type ApplianceFacts,
  type SystemFacts,
  type TokenCounts,
  type ProvisioningServer,
  type ApplianceMailServer,
  haRoleOf,
  type HaRoleFacts,
} from '../core/license/appliance.ts';
import { factsAbout, factsAsOf, type FirmwareFact } from '../core/license/firmware.ts';
import type { Millis, Clock } from '../core/clock.ts';
import type { Resource } from '../core/observation.ts';
import {
  type ConnectorContext,
  failed,
  statusFailure,
  endpointOf,
  type ServerTime,
  createHttpGetter,
  type HttpGetter,
  type JsonReply,
  secretOf,
} from '../network/rest/json-exchange.ts';
import type { ConnectedSystem, UnitObservation } from './picture.ts';
import { withPausesAfterRefusal } from './refused-logins.ts';
import { deadline } from '../system/clock.ts';
import {
  parseLicensedTokens,
  parseSmsQuota,
  createTokenCounter,
  PAGE_SIZE,
  parseTokenPage,
  type PendingMemory,
  type TokenPage,
} from './token-counts.ts';
import { ProbeError } from '../network/failure.ts';
import { visibleText } from '../core/visible-text.ts';
import { lenientCount, lenientNumber, serialNumber, cutList } from '../network/rest/reply-values.ts';
import type { SnmpLogin } from '../network/snmp/login.ts';
import { snmpGet, type SnmpValues } from '../network/snmp/snmp-get.ts';
import { isIP } from 'node:net';

export interface ApplianceMemory {
  readonly pendingTokens: PendingMemory;
  readonly firmwareFacts: readonly FirmwareFact[];
}

export function applianceSystems(
  { appliances }: Pick<WatchedConfig, 'appliances'>,
  { pendingTokens, firmwareFacts }: ApplianceMemory,
): readonly ConnectedSystem<UnitObservation>[] {
  const names = appliances.filter(({ api }) => api !== null).map(({ name }) => name);
  return appliances.map((config) => {
    const { api } = config;
    const observeApi =
      api === null
        ? (): null => null
        : withPausesAfterRefusal(api, (context) => observeAppliance({ ...config, api }, context));
    return {
      name: config.name,
      unseen: { config, rest: null, role: null },
      unanswered: null,
      ask: async (context) => {
        const [rest, role] = await Promise.all([observeApi(context), roleOf(config, context)]);
        const unit = withKnownFacts({ config, rest, role }, firmwareFacts);
        return api === null ? unit : pendingTokens.withAges(unit, names, context.clock.now());
      },
    };
  });
}

async function roleOf(config: ApplianceConfig, context: ConnectorContext): Promise<HaRoleObservation | null> {
  const { snmp } = config;
  return snmp === null ? null : observeHaRole({ ...config, snmp }, context);
}

function withKnownFacts(unit: UnitObservation, facts: readonly FirmwareFact[]): UnitObservation {
  const { rest, role } = unit;
  const byApi = rest?.kind === 'ok' ? rest.system.firmware : null;
  const known = factsAbout(byApi ?? (role?.kind === 'ok' ? role.firmware : null), facts);
  return { ...unit, known, factsAsOf: factsAsOf(facts) };
}

/** Time limit for all resources together. */
const APPLIANCE_TIMEOUT: Millis = 60_000;

/** Sends only GET requests. Never throws, because failures are part of the observation. */
export async function observeAppliance(
  appliance: Pick<ApplianceConfig, 'name'> & { readonly api: ApplianceApiConfig },
  context: ConnectorContext,
): Promise<ApplianceObservation> {
  const { api } = appliance;
  const observed = { appliance: appliance.name, endpoint: endpointOf(api.url) };
  const startedAt = context.clock.elapsed();
  using limit = deadline(context.clock, APPLIANCE_TIMEOUT, context.signal);
  let hasConnected = (): boolean => false;
  try {
    await using client = await createApplianceClient(api, { ...context, signal: limit.signal });
    hasConnected = () => client.hasConnected();
    const reply = await client.read('systeminfo');
    if (reply.kind === 'status') {
      if (isRefusal(reply.status)) return { ...observed, kind: 'denied', status: reply.status };
      return { ...observed, ...statusFailure(api.url, reply.status, context.clock.elapsed() - startedAt) };
    }
    const system = parseSystemInfo(reply.value);
    if (system === null) throw notUnderstood('systeminfo');
    return { ...observed, ...(await readResources({ client, url: api.url, context }, system)) };
  } catch (error) {
    const acceptedTls = hasConnected() ? ({ acceptedTls: true } as const) : {};
    const refusedHost = error instanceof HostRefused ? { refusedHost: error.host } : {};
    return { ...observed, ...failed(error, startedAt, context), ...acceptedTls, ...refusedHost };
  }
}

/**
 * Text of the page with which FortiAuthenticator refuses requests for an unknown host (ta-p/390182, ta-p/189674, about
 * the GUI).
 */
const HOST_NOT_ALLOWED = /you\s+are\s+not\s+allowed\s+to\s+access\s+this\s+site\s+using/iu;

class HostRefused extends ProbeError {
  readonly host: string;

  constructor(host: string) {
    super('rejected', `FortiAuthenticator does not accept requests for the host "${host}"`);
    this.host = host;
  }
}

interface Reader {
  readonly client: ApplianceClient;
  readonly url: string;
  readonly context: ConnectorContext;
}

async function readResources(
  reader: Reader,
  system: SystemFacts,
): Promise<Omit<ApplianceFacts, 'appliance' | 'endpoint'>> {
  const [licensed, tokens, provisioning, mailServers, sms] = await Promise.all([
    readResource(reader, 'fortitokenmobilelicenses', parseLicensedTokens),
    countTokens(reader),
    readResource(reader, 'fortitokenmobileprovisioning', parseProvisioningServer),
    readResource(reader, 'smtpservers', parseMailServers),
    readResource(reader, 'fortiguardmessages', parseSmsQuota),
  ]);
  const clock = clockOf(reader.client.serverTimes(), reader.context.clock);
  return { kind: 'ok', system, licensed, tokens, provisioning, mailServers, sms, clock };
}

/** One response is not enough, because it may be delayed or come from another cluster member. */
const FEWEST_ANSWERS = 2;

/** Each response provides a lower and an upper bound for the offset. */
function clockOf(times: readonly ServerTime[], clock: Clock): ApplianceClock | null {
  if (times.length < FEWEST_ANSWERS) return null;
  const from = Math.max(...times.map(({ offsetMs, precisionMs }) => offsetMs - precisionMs));
  const to = Math.min(...times.map(({ offsetMs, precisionMs }) => offsetMs + precisionMs));
  if (from > to) return null;
  return {
    offsetMs: (from + to) / 2,
    precisionMs: (to - from) / 2,
    answers: times.length,
    clockBase: clock.now() - clock.elapsed(),
  };
}

async function readResource<T>(
  reader: Reader,
  resource: ApplianceResource,
  parse: (value: unknown) => T | null,
): Promise<Resource<T>> {
  return guarded(reader, resource, async () => {
    const reply = await reader.client.read(resource);
    if (reply.kind === 'status') return reply.status;
    const value = parse(reply.value);
    if (value === null) throw notUnderstood(resource);
    return { value };
  });
}

async function countTokens(reader: Reader): Promise<Resource<TokenCounts>> {
  return guarded(reader, 'fortitokens', async () => {
    const counter = createTokenCounter();
    const query = `?type=ftm&limit=${String(PAGE_SIZE)}`;
    const take = ({ tokens }: TokenPage): void => counter.add(tokens);
    const status = await readPages(reader.client, { resource: 'fortitokens', query, parse: parseTokenPage, take });
    return status ?? { value: counter.counts() };
  });
}

/** Returns a failure as a value, so that the other resources can still be read. */
async function guarded<T>(
  reader: Reader,
  resource: ApplianceResource,
  read: () => Promise<number | { readonly value: T }>,
): Promise<Resource<T>> {
  const startedAt = reader.context.clock.elapsed();
  try {
    const result = await read();
    if (typeof result !== 'number') return { kind: 'read', value: result.value };
    // Some resources accept only POST.
    if (result === 404 || result === 405) return { kind: 'absent' };
    if (isRefusal(result))
      return { kind: 'denied', status: result, message: `HTTP ${String(result)} for "${resource}"` };
    return statusFailure(reader.url, result, reader.context.clock.elapsed() - startedAt);
  } catch (error) {
    return failed(error, startedAt, reader.context);
  }
}

function isRefusal(status: number): boolean {
  return status === 401 || status === 403;
}

type ApplianceResource =
  | 'systeminfo'
  | 'fortitokenmobilelicenses'
  | 'fortitokens'
  | 'fortitokenmobileprovisioning'
  | 'smtpservers'
  | 'fortiguardmessages'
  | 'localusers'
  | 'ldapusers'
  | 'radiususers';

/** Cannot change anything, because `HttpGetter` supports only GET. */
export interface ApplianceClient extends AsyncDisposable {
  /** @param query begins with a question mark */
  read(resource: ApplianceResource, query?: string): Promise<JsonReply>;
  readNext(resource: ApplianceResource, next: string): Promise<JsonReply>;
  serverTimes(): readonly ServerTime[];
  hasConnected(): boolean;
}

/**
 * The key is read when this function is called.
 * @throws {Error} when the key, `caFile` or the URL cannot be used
 */
export async function createApplianceClient(
  api: ApplianceApiConfig,
  context: ConnectorContext,
): Promise<ApplianceClient> {
  const key = await secretOf(api.key, context);
  const login = `${api.user}:${key}`;
  const authorization = `Basic ${Buffer.from(login, 'utf8').toString('base64')}`;
  const trust = { caFile: api.caFile, pin: api.pin };
  const refusalIn = (text: string): Error | null =>
    HOST_NOT_ALLOWED.test(text) ? new HostRefused(new URL(api.url).hostname) : null;
  const http: HttpGetter = await createHttpGetter(
    { url: api.url, trust, authorization, secrets: [key, login], refusalIn },
    context,
  );
  const times: ServerTime[] = [];
  const get = async (path: string): Promise<JsonReply> => {
    const reply = await http.get(path);
    if (reply.serverTime !== null && times.length < MOST_TIMES) times.push(reply.serverTime);
    return reply;
  };
  return {
    read: (resource, query = '') => get(`${pathOf(resource)}${query}`),
    readNext: async (resource, next) => get(nextPath(resource, next)),
    serverTimes: () => times,
    hasConnected: () => http.hasConnected(),
    [Symbol.asyncDispose]: () => http[Symbol.asyncDispose](),
  };
}

/** More responses than this would not improve the precision. */
const MOST_TIMES = 20;

/** If older firmware enforces the default page size of 20, the limit is 20,000 objects. */
const MAX_PAGES = 1000;

interface Paged<Page extends { readonly next: string | null }> {
  readonly resource: ApplianceResource;
  readonly query: string;
  readonly parse: (value: unknown) => Page | null;
  readonly take: (page: Page) => void;
}

/**
 * @returns the HTTP status of a response without a page; null if all pages were read
 * @throws {ProbeError} when a page is invalid or the pages do not end
 */
export async function readPages<Page extends { readonly next: string | null }>(
  client: ApplianceClient,
  { resource, query, parse, take }: Paged<Page>,
): Promise<number | null> {
  const followed = new Set<string>();
  let reply = await client.read(resource, query);
  for (let pages = 1; ; pages += 1) {
    if (reply.kind === 'status') return reply.status;
    const page = parse(reply.value);
    if (page === null) throw notUnderstood(resource);
    take(page);
    if (page.next === null) return null;
    if (pages >= MAX_PAGES)
      throw new ProbeError('protocol', `Cannot read "${resource}": there are more than ${String(MAX_PAGES)} pages`);
    if (followed.has(page.next))
      throw new ProbeError('protocol', `Cannot read "${resource}": a page refers to an earlier page`);
    followed.add(page.next);
    reply = await client.readNext(resource, page.next);
  }
}

function notUnderstood(resource: ApplianceResource): ProbeError {
  return new ProbeError('protocol', `Cannot read the response for "${resource}": expected the documented fields`);
}

/** Without the trailing slash, the appliance would redirect the request. */
function pathOf(resource: ApplianceResource): string {
  return `/api/v1/${resource}/`;
}

const MAX_NEXT_LENGTH = 2048;

/**
 * Accepts only a relative path to the same collection, because the value comes from the network and the API key is sent
 * to this path.
 */
function nextPath(resource: ApplianceResource, next: string): string {
  const base = 'https://appliance.invalid';
  const parsed = next.length <= MAX_NEXT_LENGTH && next.startsWith('/') ? URL.parse(next, base) : null;
  if (parsed === null || parsed.origin !== base || parsed.pathname !== pathOf(resource)) {
    throw new ProbeError(
      'protocol',
      `Cannot follow "meta.next" of "${resource}": expected a path below "${pathOf(resource)}"`,
    );
  }
  return `${parsed.pathname}${parsed.search}`;
}

/**
 * docs.fortinet.com, FortiAuthenticator 6.4.7 REST API guide. Fields that ftm-watch does not need are optional. Returns
 * null if the response is not from a FortiAuthenticator.
 */
export function parseSystemInfo(value: unknown): SystemFacts | null {
  const { sn, ha_sn: haSerial, firmware, cpu, memory, disk, ...details } = fieldsOf(value);
  const serial = serialNumber.safeParse(sn);
  if (!serial.success) return null;
  const peer = serialNumber.safeParse(haSerial);
  return {
    serial: serial.data,
    peerSerial: peer.success && peer.data !== serial.data ? peer.data : null,
    firmware: typeof firmware === 'string' ? visibleText(firmware, 80) : null,
    tokensPopulated: lenientCount(fieldsOf(details['ftm_usage_detail'])['populated']),
    memoryKb: kilobytes(fieldsOf(details['memory_usage_detail'])['total']),
    load: { cpu: share(cpu), memory: share(memory), disk: share(disk) },
  };
}

/** For example `4032452.0 KB`. Null for other units. */
function kilobytes(value: unknown): number | null {
  return typeof value === 'string' && /KB\s*$/iu.test(value) ? lenientNumber(value) : null;
}

function share(value: unknown): number | null {
  const percent = lenientNumber(value);
  return percent === null || percent < 0 || percent > 100 ? null : percent / 100;
}

const HOUR: Millis = 3_600_000;

/**
 * In hours. `act_timeout` is between 1 and 168 hours (docs:fortiauthenticator/6.0.4/rest-api-solution-guide/578312).
 */
const LONGEST_CODE = 168;

export function parseProvisioningServer(value: unknown): ProvisioningServer | null {
  const { server_address: address, server_port: port, act_timeout: hours } = fieldsOf(value);
  const host = typeof address === 'string' ? hostName(address) : null;
  return host === null ? null : { host, port: portNumber(port), codeLife: codeLifeIn(hours) };
}

const HOST_NAME = /^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})(?:\.[A-Za-z0-9_][A-Za-z0-9_-]{0,62})*\.?$/u;

function hostName(text: string): string | null {
  const host = text.trim().toLowerCase();
  return HOST_NAME.test(host) || isIP(host) !== 0 ? host : null;
}

function portNumber(value: unknown): number | null {
  const port = lenientCount(value);
  return port !== null && port >= 1 && port <= 65_535 ? port : null;
}

function codeLifeIn(hours: unknown): Millis | null {
  const count = lenientCount(hours);
  return count === null || count < 1 || count > LONGEST_CODE ? null : count * HOUR;
}

const MAX_SERVERS = 20;
const MAX_LISTED = 1000;

/** zod drops `authentication_name` and `authentication_password`, which are secret, because they are not listed here. */
const MAIL_SERVER = z.object({
  address: z.unknown().optional(),
  port: z.unknown().optional(),
  sender_email: z.unknown().optional(),
  authentication: z.unknown().optional(),
  secure: z.unknown().optional(),
  default: z.unknown().optional(),
});
const MAIL_SERVERS = z.object({ objects: cutList(MAIL_SERVER, MAX_LISTED) });

type ServerObject = z.infer<typeof MAIL_SERVER>;

/**
 * If there is a default server, returns only that server, because others may be unused. Excludes `localhost`, the
 * appliance's own server, because it cannot be probed from this machine.
 */
export function parseMailServers(value: unknown): readonly ApplianceMailServer[] | null {
  const parsed = MAIL_SERVERS.safeParse(value);
  if (!parsed.success) return null;
  const { objects } = parsed.data;
  const defaults = objects.filter((object) => isTrue(object.default));
  const used = defaults.length > 0 ? defaults : objects;
  return used.slice(0, MAX_SERVERS).flatMap((object) => mailServer(object) ?? []);
}

function mailServer(object: ServerObject): ApplianceMailServer | null {
  const host = typeof object.address === 'string' ? hostName(object.address) : null;
  if (host === null || isLoopback(host)) return null;
  const port = portNumber(object.port) ?? 25;
  return {
    host,
    port,
    security: securityOf(object.secure, port),
    from: senderOf(object),
    to: null,
    user: null,
    password: null,
    caFile: null,
    hasLogin: isTrue(object.authentication),
    applianceCaFile: null,
  };
}

function isTrue(value: unknown): boolean {
  return value === true || value === 'true';
}

/** The documented values are `none` and `starttls`. Implicit TLS is recognized only by its port (RFC 8314 §3.3). */
function securityOf(secure: unknown, port: number): ApplianceMailServer['security'] {
  if (secure === 'starttls') return 'starttls';
  return port === 465 || secure === 'ssl' || secure === 'tls' || secure === 'smtps' ? 'tls' : 'none';
}

function senderOf(object: ServerObject): string | null {
  const sender = object.sender_email;
  return typeof sender === 'string' && /^[^\s@<>]{1,64}@[^\s@<>]{1,255}$/u.test(sender)
    ? visibleText(sender, 320)
    : null;
}

function isLoopback(host: string): boolean {
  return (
    host === 'localhost' ||
    host.startsWith('localhost.') ||
    host === '::1' ||
    (isIP(host) === 4 && host.startsWith('127.'))
  );
}

/**
 * OIDs from FORTINET-FORTIAUTHENTICATOR-MIB, 2020-04-16, with instance 0 for each scalar. All OIDs are below facSystem,
 * 1.3.6.1.4.1.12356.113.1 (from the compiled MIB; Checkmk and Centreon use the same objects).
 */
const OBJECTS = {
  facSysSerial: '1.3.6.1.4.1.12356.113.1.2.0',
  facSysVersion: '1.3.6.1.4.1.12356.113.1.3.0',
  facHaCurrentStatus: '1.3.6.1.4.1.12356.113.1.201.1.0',
} as const;

/** Allows for retries, because UDP packets can be lost. */
const SNMP_TIMEOUT: Millis = 5_000;

/** Never throws, because failures are part of the observation. */
export async function observeHaRole(
  appliance: { readonly name: string; readonly snmp: SnmpConfig },
  context: ConnectorContext,
): Promise<HaRoleObservation> {
  const startedAt = context.clock.elapsed();
  using limit = deadline(context.clock, SNMP_TIMEOUT, context.signal);
  try {
    const login = await loginOf(appliance.snmp, context);
    const values = await snmpGet(appliance.snmp, login, Object.values(OBJECTS), limit);
    const status = values.get(OBJECTS.facHaCurrentStatus);
    const role = typeof status === 'number' ? haRoleOf(status) : null;
    if (role === null) throw new ProbeError('protocol', 'Cannot read the HA role: expected a value defined by the MIB');
    return { kind: 'ok', appliance: appliance.name, role, ...identityOf(values) };
  } catch (error) {
    return { appliance: appliance.name, ...failed(error, startedAt, context) };
  }
}

async function loginOf(snmp: SnmpConfig, context: ConnectorContext): Promise<SnmpLogin> {
  const { community, user, authPassword, privPassword, authProtocol, privProtocol } = snmp;
  if (community !== null) return { kind: 'community', community: await secretOf(community, context) };
  if (user === null || authPassword === null || privPassword === null)
    throw new TypeError('Cannot log in over SNMP: expected a community, or a user with two passwords');
  return {
    kind: 'user',
    user,
    authProtocol: authProtocol ?? 'sha',
    authPassword: await secretOf(authPassword, context),
    privProtocol: privProtocol ?? 'aes',
    privPassword: await secretOf(privPassword, context),
  };
}

function identityOf(values: SnmpValues): Pick<HaRoleFacts, 'serial' | 'firmware'> {
  const serial = serialNumber.safeParse(values.get(OBJECTS.facSysSerial));
  const firmware = values.get(OBJECTS.facSysVersion);
  return {
    serial: serial.success ? serial.data : null,
    firmware: typeof firmware === 'string' ? visibleText(firmware, 80) : null,
  };
}
