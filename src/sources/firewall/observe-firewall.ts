import { isIP, isIPv6 } from 'node:net';
import { deadline } from '../../system/clock.ts';
import type { FirewallConfig } from './section.ts';
import type { LicenseServerConfig } from '../path/license-server-section.ts';
import type { Millis } from '../../core/clock.ts';
import type { SessionLook } from '../../core/license/firewall-sessions.ts';
import {
  type FirewallObservation,
  firewallName,
  type Flow,
  type FqdnObject,
  type PolicyMatch,
  type SslInspection,
} from '../../core/license/firewall.ts';
import { ProbeError } from '../../network/failure.ts';
import type { ConnectorContext } from '../../network/rest/context.ts';
import { failed } from '../../network/rest/failed.ts';
import { endpointOf } from '../../network/rest/https-origin.ts';
import { createFirewallClient, type FirewallClient, type FirewallQuestion } from './client.ts';
import { readExemptions, type ExemptionTarget } from './exemptions.ts';
import { readFortitokens } from './fortitokens.ts';
import { readFqdnObjects } from './fqdn-objects.ts';
import { readSessions } from './sessions.ts';
import { nameIn, parsePolicy, parsePolicyId, parseSslProfile, resultOf, securityProfilesOf } from './replies.ts';
import type { ReplyFields, PolicyReply } from './replies.ts';

/** For all questions together. */
const FIREWALL_TIMEOUT: Millis = 60_000;

export type FirewallTarget = Pick<LicenseServerConfig, 'host' | 'port' | 'expectedAddresses'>;

/** Built in and not to be changed; without an object of its own in old firmware. */
const NO_INSPECTION = 'no-inspection';

/**
 * Asks a FortiGate which policy matches the appliance's connection to the licence server, and what it does to it, with
 * GET alone. Never throws: what went wrong is part of the observation.
 *
 * @param last what its sessions were last
 */
export async function observeFirewall(
  config: FirewallConfig,
  target: FirewallTarget,
  context: ConnectorContext,
  last: SessionLook | null = null,
): Promise<FirewallObservation> {
  const flow = flowOf(config, target);
  const startedAt = context.clock.elapsed();
  using limit = deadline(context.clock, FIREWALL_TIMEOUT, context.signal);
  try {
    await using client = await createFirewallClient(config, { ...context, signal: limit.signal });
    const inquiry = { client, config, target };
    const match = await matchOf(inquiry);
    // The match is worth having without what follows.
    const fqdnObjects = await readFqdnObjects(client, target.host).catch(() => []);
    const looked = { ...inquiry, fqdnObjects, match };
    const sessions = await sessionsOf(looked, { last, at: context.clock.now() }).catch(() => null);
    const fortitokens = config.fortitokens ? await readFortitokens(client).catch(() => null) : null;
    return { ...flow, kind: 'ok', serial: client.serial(), match, fqdnObjects, sessions, fortitokens };
  } catch (error) {
    if (error instanceof RefusedError) return { ...flow, kind: 'denied', status: error.status };
    return { ...flow, ...failed(error, startedAt, context) };
  }
}

/** What one entry of the configuration asks about, and whom. */
export function flowOf(config: FirewallConfig, { host, port }: Pick<FirewallTarget, 'host' | 'port'>): Flow {
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

interface Inquiry {
  readonly client: FirewallClient;
  readonly config: FirewallConfig;
  readonly target: FirewallTarget;
}

/** The firewall does not accept the token, or not for this. */
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
    const outgoing = await interfaceTowards(inquiry, addressTowards(config, target) ?? target.host).catch(() => null);
    return { kind: 'implicit-deny', incoming, outgoing };
  }
  const reply = parsePolicy(id, await readResult(inquiry, { kind: 'policy', id }));
  if (reply === null) throw notUnderstood(inquiry.config, 'policy');
  const { policy } = reply;
  if (policy.action === 'deny') {
    return {
      kind: 'policy',
      policy,
      inspection: { kind: 'known', profile: null, mode: 'none', exemptedBy: null, unreadExemptions: [] },
    };
  }
  const grouped = await withGroup(inquiry, reply);
  return { kind: 'policy', policy: grouped.policy, inspection: await inspectionOf(inquiry, grouped.sslProfile) };
}

interface Looked extends Inquiry {
  readonly fqdnObjects: readonly FqdnObject[];
  readonly match: PolicyMatch;
}

/** Null: no policy lets the connection pass, or which addresses are the server's is not known. */
async function sessionsOf(
  { client, config: { source }, target, fqdnObjects, match }: Looked,
  asked: Parameters<typeof readSessions>[2],
): Promise<SessionLook | null> {
  const destinations = [...target.expectedAddresses, ...fqdnObjects.flatMap(({ addresses }) => addresses)];
  if (match.kind !== 'policy' || match.policy.action === 'deny' || destinations.length === 0) return null;
  return readSessions(client, { source, port: target.port, destinations, policy: match.policy.id }, asked);
}

/** FortiOS resolves the name by itself; one that cannot is asked again by the address. */
async function lookUpPolicy(inquiry: Inquiry, sourceInterface: string | null): Promise<ReplyFields> {
  const { config, target } = inquiry;
  const question = {
    kind: 'policy-lookup',
    source: config.source,
    sourceInterface,
    destination: target.host,
    port: target.port,
    ipv6: isIPv6(config.source),
  } as const;
  const reply = await inquiry.client.read(question);
  const address = addressTowards(config, target);
  if (reply.kind === 'json' || isRefusal(reply.status) || address === undefined)
    return resultIn(inquiry, question, reply);
  return readResult(inquiry, { ...question, destination: address });
}

/** An address of the server in the family of the source. */
function addressTowards({ source }: FirewallConfig, target: FirewallTarget): string | undefined {
  return addressesOf(target).find((candidate) => isIPv6(candidate) === isIPv6(source));
}

/**
 * The interface that the route to a host leaves by. Most firmware wants to know where the traffic comes in, which is
 * where the answer would go out. The route is another access group than policies, so that a token may not read it; some
 * firmware does without.
 */
async function interfaceTowards({ client, config }: Inquiry, destination: string): Promise<string | null> {
  const reply = await client.read({ kind: 'route', destination, ipv6: isIPv6(config.source) });
  const result = reply.kind === 'json' ? resultOf(reply.value) : null;
  return result === null ? null : nameIn(result, 'interface');
}

/** The profiles of a policy, or of the group that it names. */
async function withGroup(inquiry: Inquiry, reply: PolicyReply): Promise<PolicyReply> {
  if (reply.profileGroup === null) return reply;
  const group = await readResult(inquiry, { kind: 'profile-group', name: reply.profileGroup });
  return {
    ...reply,
    policy: { ...reply.policy, securityProfiles: securityProfilesOf(group) },
    sslProfile: nameIn(group, 'ssl-ssh-profile') ?? reply.sslProfile,
  };
}

async function inspectionOf(inquiry: Inquiry, profile: string | null): Promise<SslInspection> {
  if (profile === null || profile === NO_INSPECTION)
    return { kind: 'known', profile, mode: 'none', exemptedBy: null, unreadExemptions: [] };
  const reply = await inquiry.client.read({ kind: 'ssl-ssh-profile', name: profile });
  if (reply.kind === 'status') return { kind: 'unreadable', profile, message: `HTTP ${String(reply.status)}` };
  const result = resultOf(reply.value);
  const parsed = result === null ? null : parseSslProfile(result, inquiry.target.port);
  if (parsed === null) return { kind: 'unreadable', profile, message: 'it does not say how it inspects HTTPS' };
  if (parsed.mode !== 'deep')
    return { kind: 'known', profile, mode: parsed.mode, exemptedBy: null, unreadExemptions: [] };
  const exempt = await readExemptions(inquiry.client, parsed.exemptions, exemptionTarget(inquiry.target));
  return { kind: 'known', profile, mode: 'deep', exemptedBy: exempt.exemptedBy, unreadExemptions: exempt.unread };
}

function exemptionTarget(target: FirewallTarget): ExemptionTarget {
  return { host: target.host, addresses: addressesOf(target) };
}

/** Blocks are left out: only an address can be asked for. */
function addressesOf(target: FirewallTarget): readonly string[] {
  return [target.host, ...target.expectedAddresses].filter((candidate) => isIP(candidate) !== 0);
}

async function readResult(inquiry: Inquiry, question: FirewallQuestion): Promise<ReplyFields> {
  return resultIn(inquiry, question, await inquiry.client.read(question));
}

function resultIn(
  inquiry: Inquiry,
  question: FirewallQuestion,
  reply: Awaited<ReturnType<FirewallClient['read']>>,
): ReplyFields {
  if (reply.kind === 'status') {
    if (isRefusal(reply.status)) throw new RefusedError(reply.status);
    const hint =
      question.kind === 'policy-lookup' && question.sourceInterface === null
        ? ' (most firmware wants "sourceInterface")'
        : '';
    const endpoint = endpointOf(inquiry.config.url);
    throw new ProbeError(
      'rejected',
      `${endpoint} answered the question for "${question.kind}" with HTTP ${String(reply.status)}${hint}`,
    );
  }
  const result = resultOf(reply.value);
  if (result === null) throw notUnderstood(inquiry.config, question.kind);
  return result;
}

function isRefusal(status: number): boolean {
  return status === 401 || status === 403;
}

function notUnderstood(config: FirewallConfig, what: string): ProbeError {
  return new ProbeError(
    'protocol',
    `Cannot understand the answer of ${endpointOf(config.url)} for "${what}": expected the documented fields`,
  );
}
