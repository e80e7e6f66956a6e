import type { Failure } from '../observation.ts';
import type { Resource } from './resource.ts';
import type { EpochMs } from '../clock.ts';

/** How the firewall treats the appliance's connection to the licence server. */
export type FirewallObservation = FirewallFacts | (FirewallDenied & Flow) | (Failure & Flow);

/** The connection that was queried, and the firewall that was asked. */
export interface Flow {
  /** `FortiGate 10.0.0.1`, `FortiGate 10.0.0.1 (VDOM dmz)` */
  readonly firewall: string;
  /** Host of its API: `10.0.0.1`, with the port if it is not 443. */
  readonly firewallHost: string;
  /** Virtual domain that was queried. */
  readonly vdom: string;
  /** Names of the appliances whose traffic it is. Empty means all. */
  readonly appliances: readonly string[];
  /** Source address of the appliance's traffic as the firewall sees it. */
  readonly source: string;
  /** `host:port`. */
  readonly destination: string;
}

export interface FirewallFacts extends Flow {
  readonly kind: 'ok';
  /** Its serial number. Null if not reported. */
  readonly serial: string | null;
  readonly match: PolicyMatch;
  /** Its address objects for the licence server's name. Also empty if they could not be read. */
  readonly fqdnObjects: readonly FqdnObject[];
  /** The sessions of that connection. Null if they were not queried or could not be read. */
  readonly sessions: SessionLook | null;
  /**
   * Number of FortiTokens on the firewall itself per status, using the firewall's status names. Null if not queried or
   * not reported.
   */
  readonly fortitokens: Resource<ReadonlyMap<string, number>> | null;
}

/** An address object that the firewall fills by resolving a name. */
export interface FqdnObject {
  readonly name: string;
  readonly resolves: boolean;
  /** The addresses it resolves to, as far as the firewall reports them. */
  readonly addresses: readonly string[];
}

interface FirewallDenied {
  readonly kind: 'denied';
  readonly status: number;
}

export type PolicyMatch =
  | {
      readonly kind: 'implicit-deny';
      /** Interfaces between which no policy matches, from the configuration or the route lookup. Null if unknown. */
      readonly incoming: string | null;
      readonly outgoing: string | null;
    }
  | { readonly kind: 'policy'; readonly policy: FirewallPolicy; readonly inspection: SslInspection };

export interface FirewallPolicy {
  readonly id: number;
  readonly name: string | null;
  readonly action: 'accept' | 'deny';
  readonly proxyMode: boolean;
  /** Security profiles that apply, such as `av-profile "default"`. Empty if they are switched off. */
  readonly securityProfiles: readonly string[];
  /** Incoming and outgoing interfaces or zones of the traffic, or `any`. Empty if they could not be read. */
  readonly incoming: readonly string[];
  readonly outgoing: readonly string[];
  /**
   * Whether source addresses are translated, and to which pools (empty: to the interface address). Null if not
   * reported.
   */
  readonly nat: { readonly enabled: boolean; readonly pools: readonly string[] } | null;
  /** Name of its schedule. Null if not reported. */
  readonly schedule: string | null;
}

/** What a firewall does to a connection, and the policy that causes it: the answer to "who did it". */
export interface Culprit {
  /** As in `Flow`. */
  readonly firewall: string;
  readonly firewallHost: string;
  /** Serial number of the firewall, which is also the name of its certificate authority. Null if unknown. */
  readonly serial: string | null;
  readonly action: 'inspects' | 'denies';
  /** Null for the implicit deny, if no policy matches. */
  readonly policy: Pick<FirewallPolicy, 'id' | 'name'> | null;
  /** The SSL inspection profile, if the policy inspects. */
  readonly profile: string | null;
  /** Interfaces between which the implicit deny applies. */
  readonly incoming: string | null;
  readonly outgoing: string | null;
}

export type SslInspectionMode = 'none' | 'certificate' | 'deep';

/** What the policy's ssl-ssh-profile does with TLS on the destination port. */
export type SslInspection =
  | {
      readonly kind: 'known';
      /** Name of the ssl-ssh-profile. Null if the policy has none. */
      readonly profile: string | null;
      readonly mode: SslInspectionMode;
      /** The exemption that matches the licence server. */
      readonly exemptedBy: string | null;
      /** Exemptions that may or may not cover the licence server, such as `category 52`. */
      readonly unreadExemptions: readonly string[];
    }
  | { readonly kind: 'unreadable'; readonly profile: string; readonly message: string };

/** Returns the entry for the traffic of one appliance. An entry that lists the appliance takes precedence. */
export function askedFor<F extends Pick<Flow, 'appliances'>>(flows: readonly F[], appliance: string): F | null {
  const named = flows.find(({ appliances }) => appliances.includes(appliance));
  return named ?? flows.find(({ appliances }) => appliances.length === 0) ?? null;
}

/** Returns `policy 5 "fac-out"`. */
export function policyText({ id, name }: Pick<FirewallPolicy, 'id' | 'name'>): string {
  return name === null ? `policy ${String(id)}` : `policy ${String(id)} "${name}"`;
}

/** Reports whether the policy does not touch the licence server's TLS, as far as the firewall reports it. */
export function leavesTlsAlone(match: PolicyMatch): boolean {
  if (match.kind !== 'policy' || match.policy.action === 'deny' || match.inspection.kind !== 'known') return false;
  const { mode, exemptedBy } = match.inspection;
  return mode === 'none' || (mode === 'deep' && exemptedBy !== null);
}

/** Returns the name used in messages. */
export function firewallName({ url, vdom }: { readonly url: string; readonly vdom: string }): string {
  return `FortiGate ${new URL(url).host}${vdom === 'root' ? '' : ` (VDOM ${vdom})`}`;
}

/** Returns a key for one configuration entry: the firewall and the traffic. */
export function firewallUnit({ firewall, source }: Pick<Flow, 'firewall' | 'source'>): string {
  return `${firewall}, ${source}`;
}

/** The result of querying a firewall's session table for one flow. */
export interface SessionLook {
  /** Time of the query. */
  readonly at: EpochMs;
  readonly seen: Resource<SessionCounts>;
}

/** TCP sessions that are open now. Very recent ones are left out, because their answer may still be on its way. */
export interface SessionCounts {
  /** Sessions with a reply. */
  readonly answered: number;
  /** Sessions in which data was sent but no reply came. */
  readonly silent: number;
}

/**
 * Reports whether the text can be used in quotes as an interface or zone name in a FortiOS command. FortiOS allows at
 * most 79 characters and forbids `<>()#'"` (CLI reference, `firewall policy`, `srcintf`). This function also rejects
 * characters that the command line interprets (`?`, `\\`, `$`), and the comma, which separates names.
 */
export function isInterfaceName(text: string): boolean {
  return /^[\p{L}\p{N}_][\p{L}\p{N}_.:/@+ -]{0,78}$/u.test(text) && !text.endsWith(' ');
}

/** Separates interface names in findings. */
export const INTERFACE_SEPARATOR = ', ';

export function interfacesOf(text: string): readonly string[] {
  const names = text.split(INTERFACE_SEPARATOR);
  return names.every(isInterfaceName) ? names : [];
}
