import { fieldsOf, type Fields } from '../core/fields.ts';
import * as z from 'zod';
import { type FirewallPolicy, type SslInspectionMode, isInterfaceName } from '../core/firewall.ts';
import { visibleText } from '../core/visible-text.ts';
import { lenientCount } from '../network/rest/reply-values.ts';

/** FortiOS does not allow longer names. */
const MAX_NAME = 80;
/** Commands are not generated for policies with more interfaces than this. */
const MAX_INTERFACES = 16;

/** Every FortiOS response contains the serial number next to the results. */
export function serialIn(value: unknown): string | null {
  const { serial } = fieldsOf(value);
  return typeof serial === 'string' && /^[A-Z0-9_-]{8,32}$/u.test(serial) ? serial : null;
}

/** Some responses contain the object in a list. */
export function resultOf(value: unknown): Fields | null {
  const { results } = fieldsOf(value);
  const result: unknown = Array.isArray(results) ? results[0] : results;
  const fields = fieldsOf(result);
  return fields === result ? fields : null;
}

/** 0 for the implicit deny policy. Null if the value is not the result of a policy lookup. */
export function parsePolicyId(result: Fields): number | null {
  const { success, policy_id: id } = result;
  if (typeof success !== 'boolean') return null;
  return success ? lenientCount(id) : 0;
}

/** Names and values as in FortiOS 7. */
export interface PolicyReply {
  readonly policy: FirewallPolicy;
  readonly sslProfile: string | null;
  readonly profileGroup: string | null;
}

export function parsePolicy(id: number, result: Fields): PolicyReply | null {
  const action = result['action'];
  if (typeof action !== 'string') return null;
  return {
    policy: {
      id,
      name: nameIn(result, 'name'),
      action: action === 'deny' ? 'deny' : 'accept',
      proxyMode: result['inspection-mode'] === 'proxy',
      securityProfiles: result['utm-status'] === 'disable' ? [] : securityProfilesOf(result),
      incoming: interfacesIn(result, 'srcintf'),
      outgoing: interfacesIn(result, 'dstintf'),
      nat: natIn(result),
      schedule: objectNameIn(result, 'schedule'),
    },
    sslProfile: nameIn(result, 'ssl-ssh-profile'),
    profileGroup:
      result['utm-status'] !== 'disable' && result['profile-type'] === 'group' ? nameIn(result, 'profile-group') : null,
  };
}

const INTERFACES = z.array(z.object({ name: z.string().refine(isInterfaceName) })).max(MAX_INTERFACES);

/**
 * Empty if any name is not safe in a command, because a copy of the policy must include all interfaces. FortiOS returns
 * `[{ "name": "port2", "q_origin_key": "port2" }]` (cmdb `firewall/policy`).
 */
function interfacesIn(result: Fields, setting: 'srcintf' | 'dstintf'): readonly string[] {
  return INTERFACES.safeParse(result[setting]).data?.map(({ name }) => name) ?? [];
}

/**
 * `poolname` is used only if `ippool` is enabled (cmdb `firewall/policy`). Null if a pool name is not safe in a
 * command.
 */
function natIn(result: Fields): FirewallPolicy['nat'] {
  const nat = result['nat'];
  if (nat !== 'enable' && nat !== 'disable') return null;
  if (nat === 'disable' || result['ippool'] !== 'enable') return { enabled: nat === 'enable', pools: [] };
  const pools = INTERFACES.safeParse(result['poolname']).data;
  return pools === undefined || pools.length === 0 ? null : { enabled: true, pools: pools.map(({ name }) => name) };
}

function objectNameIn(result: Fields, setting: string): string | null {
  const name = nameIn(result, setting);
  return name !== null && isInterfaceName(name) ? name : null;
}

/** Settings of policies and profile groups whose profiles can inspect or block traffic. */
const SECURITY_PROFILES: readonly string[] = [
  'av-profile',
  'webfilter-profile',
  'dnsfilter-profile',
  'emailfilter-profile',
  'dlp-profile',
  'dlp-sensor',
  'file-filter-profile',
  'ips-sensor',
  'application-list',
  'videofilter-profile',
  'waf-profile',
];

/** For example `av-profile "default"`. */
export function securityProfilesOf(result: Fields): readonly string[] {
  return SECURITY_PROFILES.flatMap((setting) => {
    const name = nameIn(result, setting);
    return name === null ? [] : [`${setting} "${name}"`];
  });
}

export function nameIn(result: Fields, setting: string): string | null {
  const name = result[setting];
  return typeof name === 'string' && name !== '' ? visibleText(name, MAX_NAME) : null;
}

type ExemptionKind = 'address' | 'address6' | 'wildcard-fqdn' | 'regex' | 'category' | 'other';

export interface Exemption {
  readonly kind: ExemptionKind;
  /**
   * The pattern for `regex`, the number for `category`, and the address object's name for all other types. Empty if
   * missing.
   */
  readonly value: string;
}

interface SslProfileReply {
  readonly mode: SslInspectionMode;
  readonly exemptions: readonly Exemption[];
}

const MAX_EXEMPTIONS = 200;

/** Null if neither `https` nor `ssl` contains an inspection mode. */
export function parseSslProfile(result: Fields, port: number): SslProfileReply | null {
  const mode = effectiveMode(result, port);
  const exempt: unknown = result['ssl-exempt'];
  const exemptions: readonly unknown[] = Array.isArray(exempt) ? exempt : [];
  return mode === null ? null : { mode, exemptions: exemptions.slice(0, MAX_EXEMPTIONS).map(exemptionOf) };
}

/** `inspect-all` takes precedence over the protocol-specific settings. */
function effectiveMode(profile: Fields, port: number): SslInspectionMode | null {
  const all = modeOf(fieldsOf(profile['ssl'])['inspect-all']);
  if (all !== null && all !== 'none') return all;
  const { status, ports } = fieldsOf(profile['https']);
  const own = modeOf(status);
  if (own === null) return all;
  return coversPort(ports, port) ? own : 'none';
}

function modeOf(status: unknown): SslInspectionMode | null {
  switch (status) {
    case 'disable':
      return 'none';
    case 'certificate-inspection':
      return 'certificate';
    case 'deep-inspection':
      return 'deep';
    default:
      return null;
  }
}

/** FortiOS returns `443`, `[443, 8443]` or `"443 8443"`. The default of 443 is assumed for any other value. */
function coversPort(ports: unknown, port: number): boolean {
  const list: readonly unknown[] = Array.isArray(ports)
    ? ports
    : typeof ports === 'string'
      ? ports.split(/[\s,]+/u)
      : [ports];
  const numbers = list.map(lenientCount).filter((number) => number !== null);
  return numbers.length === 0 || numbers.includes(port);
}

function exemptionOf(listed: unknown): Exemption {
  const entry = fieldsOf(listed);
  const kind = typeof entry['type'] === 'string' ? (EXEMPTION_KINDS.get(entry['type']) ?? 'other') : 'other';
  return { kind, value: exemptedIn(entry, kind) };
}

const EXEMPTION_KINDS: ReadonlyMap<string, ExemptionKind> = new Map<string, ExemptionKind>([
  ['address', 'address'],
  ['address6', 'address6'],
  ['wildcard-fqdn', 'wildcard-fqdn'],
  ['regex', 'regex'],
  ['fortiguard-category', 'category'],
]);

function exemptedIn(entry: Fields, kind: ExemptionKind): string {
  switch (kind) {
    case 'address':
    case 'address6':
    case 'wildcard-fqdn':
    case 'regex':
      return nameIn(entry, kind) ?? '';
    case 'category':
      return String(lenientCount(entry['fortiguard-category']) ?? '');
    case 'other':
      return '';
  }
}
