import { deadline } from '../../system/clock.ts';
import type { ApplianceApiConfig, ApplianceConfig } from './section.ts';
import type { Clock, Millis } from '../../core/clock.ts';
import type {
  ApplianceClock,
  ApplianceFacts,
  ApplianceObservation,
  SystemFacts,
  TokenCounts,
} from '../../core/license/appliance.ts';
import type { Resource } from '../../core/license/resource.ts';
import type { ConnectorContext } from '../../network/rest/context.ts';
import { failed, statusFailure } from '../../network/rest/failed.ts';
import { endpointOf } from '../../network/rest/https-origin.ts';
import type { ServerTime } from '../../network/rest/json-exchange.ts';
import {
  type ApplianceClient,
  type ApplianceResource,
  createApplianceClient,
  notUnderstood,
  readPages,
} from './client.ts';
import { parseLicensedTokens } from './licensed-tokens.ts';
import { parseMailServers } from './mail-servers.ts';
import { parseProvisioningServer } from './provisioning-server.ts';
import { parseSmsQuota } from './sms-quota.ts';
import { parseSystemInfo } from './system-info.ts';
import { createTokenCounter, PAGE_SIZE, parseTokenPage, type TokenPage } from './token-counts.ts';

/** For all resources of one appliance together. */
const APPLIANCE_TIMEOUT: Millis = 60_000;

/** Reads one FortiAuthenticator, with GET alone. Never throws: what went wrong is part of the observation. */
export async function observeAppliance(
  appliance: Pick<ApplianceConfig, 'name'> & { readonly api: ApplianceApiConfig },
  context: ConnectorContext,
): Promise<ApplianceObservation> {
  const { api } = appliance;
  const observed = { appliance: appliance.name, endpoint: endpointOf(api.url) };
  const startedAt = context.clock.elapsed();
  using limit = deadline(context.clock, APPLIANCE_TIMEOUT, context.signal);
  try {
    await using client = await createApplianceClient(api, { ...context, signal: limit.signal });
    const reply = await client.read('systeminfo');
    if (reply.kind === 'status') {
      if (isRefusal(reply.status)) return { ...observed, kind: 'denied', status: reply.status };
      return { ...observed, ...statusFailure(api.url, reply.status, context.clock.elapsed() - startedAt) };
    }
    const system = parseSystemInfo(reply.value);
    if (system === null) throw notUnderstood('systeminfo');
    return { ...observed, ...(await readResources({ client, url: api.url, context }, system)) };
  } catch (error) {
    return { ...observed, ...failed(error, startedAt, context) };
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

/** One answer may have been delayed on either way, or come from another member of a cluster. */
const FEWEST_ANSWERS = 2;

/** Each answer says between which bounds the clock is: what fits all of them. */
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

/** Tokens are counted while the pages arrive; `APPLIANCE_TIMEOUT` is for all of them. */
async function countTokens(reader: Reader): Promise<Resource<TokenCounts>> {
  return guarded(reader, 'fortitokens', async () => {
    const counter = createTokenCounter();
    const query = `?type=ftm&limit=${String(PAGE_SIZE)}`;
    const take = ({ tokens }: TokenPage): void => counter.add(tokens);
    const status = await readPages(reader.client, { resource: 'fortitokens', query, parse: parseTokenPage, take });
    return status ?? { value: counter.counts() };
  });
}

/** One resource that fails leaves the others standing. */
async function guarded<T>(
  reader: Reader,
  resource: ApplianceResource,
  read: () => Promise<number | { readonly value: T }>,
): Promise<Resource<T>> {
  const startedAt = reader.context.clock.elapsed();
  try {
    const result = await read();
    if (typeof result !== 'number') return { kind: 'read', value: result.value };
    if (result === 404) return { kind: 'absent' };
    if (isRefusal(result))
      return { kind: 'denied', message: `HTTP ${String(result)}: the account may not read "${resource}"` };
    return statusFailure(reader.url, result, reader.context.clock.elapsed() - startedAt);
  } catch (error) {
    return failed(error, startedAt, reader.context);
  }
}

function isRefusal(status: number): boolean {
  return status === 401 || status === 403;
}
