import type { Failure } from '../observation.ts';
import type { Resource } from './resource.ts';
import type { EpochMs } from '../clock.ts';

/** How the firewall treats the appliance's connection to the licence server. */
export type FirewallObservation = FirewallFacts | (FirewallDenied & Flow) | (Failure & Flow);

/** The connection that was asked about, and whom. */
export interface Flow {
  /** `FortiGate 10.0.0.1`, `FortiGate 10.0.0.1 (VDOM dmz)` */
  readonly firewall: string;
  /** Where its API is asked: `10.0.0.1`, with a port other than 443. */
  readonly firewallHost: string;
  /** Virtual domain that was asked. */
  readonly vdom: string;
  /** Names of the appliances whose traffic it is; empty: of all. */
  readonly appliances: readonly string[];
  /** Address that the firewall sees the appliance's traffic come from. */
  readonly source: string;
  /** `host:port`. */
  readonly destination: string;
}

export interface FirewallFacts extends Flow {
  readonly kind: 'ok';
  /** Its serial number; null: it did not say. */
  readonly serial: string | null;
  readonly match: PolicyMatch;
  /** Its address objects for the name of the licence server; empty too where they could not be read. */
  readonly fqdnObjects: readonly FqdnObject[];
  /** The sessions of that connection; null: they were not asked for, or could not be. */
  readonly sessions: SessionLook | null;
  /** How many FortiTokens it holds itself in each status, in its own words; null: it was not asked, or did not say. */
  readonly fortitokens: Resource<ReadonlyMap<string, number>> | null;
}

/** An address object that the firewall fills by resolving a name. */
export interface FqdnObject {
  readonly name: string;
  readonly resolves: boolean;
  /** What it resolves to, as far as the firewall tells. */
  readonly addresses: readonly string[];
}

interface FirewallDenied {
  readonly kind: 'denied';
  readonly status: number;
}

export type PolicyMatch =
  | {
      readonly kind: 'implicit-deny';
      /** Interfaces between which no policy matches, from the configuration or the route look-up; null: not known. */
      readonly incoming: string | null;
      readonly outgoing: string | null;
    }
  | { readonly kind: 'policy'; readonly policy: FirewallPolicy; readonly inspection: SslInspection };

export interface FirewallPolicy {
  readonly id: number;
  readonly name: string | null;
  readonly action: 'accept' | 'deny';
  readonly proxyMode: boolean;
  /** Security profiles that apply, `av-profile "default"`; empty when they are switched off. */
  readonly securityProfiles: readonly string[];
  /** Interfaces or zones at which its traffic comes in and leaves, or `any`; empty: it did not name them readably. */
  readonly incoming: readonly string[];
  readonly outgoing: readonly string[];
  /** Whether it translates source addresses, and to which pools (empty: to that of the interface); null: not said. */
  readonly nat: { readonly enabled: boolean; readonly pools: readonly string[] } | null;
  /** Name of its schedule; null: not said. */
  readonly schedule: string | null;
}

/** What a firewall does to a connection, and by which of its policies: the answer to "who did it". */
export interface Culprit {
  /** As in `Flow`. */
  readonly firewall: string;
  readonly firewallHost: string;
  /** Serial number of the firewall, which is also the name of its certificate authority; null: not known. */
  readonly serial: string | null;
  readonly action: 'inspects' | 'denies';
  /** null: the implicit deny, because no policy matches. */
  readonly policy: Pick<FirewallPolicy, 'id' | 'name'> | null;
  /** The SSL inspection profile of a policy that inspects. */
  readonly profile: string | null;
  /** Interfaces between which the implicit deny applies. */
  readonly incoming: string | null;
  readonly outgoing: string | null;
}

export type SslInspectionMode = 'none' | 'certificate' | 'deep';

/** What the policy's ssl-ssh-profile does with TLS on the destination's port. */
export type SslInspection =
  | {
      readonly kind: 'known';
      /** Name of the ssl-ssh-profile; null: the policy has none. */
      readonly profile: string | null;
      readonly mode: SslInspectionMode;
      /** The exemption that the licence server falls under. */
      readonly exemptedBy: string | null;
      /** Exemptions that may cover the licence server or not, as `category 52`. */
      readonly unreadExemptions: readonly string[];
    }
  | { readonly kind: 'unreadable'; readonly profile: string; readonly message: string };

/** What was asked about the traffic of one appliance; where an entry names it, that one. */
export function askedFor<F extends Pick<Flow, 'appliances'>>(flows: readonly F[], appliance: string): F | null {
  const named = flows.find(({ appliances }) => appliances.includes(appliance));
  return named ?? flows.find(({ appliances }) => appliances.length === 0) ?? null;
}

/** `policy 5 "fac-out"` */
export function policyText({ id, name }: Pick<FirewallPolicy, 'id' | 'name'>): string {
  return name === null ? `policy ${String(id)}` : `policy ${String(id)} "${name}"`;
}

/** Whether the policy leaves the TLS of the licence server alone, as far as the firewall says. */
export function leavesTlsAlone(match: PolicyMatch): boolean {
  if (match.kind !== 'policy' || match.policy.action === 'deny' || match.inspection.kind !== 'known') return false;
  const { mode, exemptedBy } = match.inspection;
  return mode === 'none' || (mode === 'deep' && exemptedBy !== null);
}

/** As texts name it. */
export function firewallName({ url, vdom }: { readonly url: string; readonly vdom: string }): string {
  return `FortiGate ${new URL(url).host}${vdom === 'root' ? '' : ` (VDOM ${vdom})`}`;
}

/** Tells one entry of the configuration from another: which firewall, and which traffic. */
export function firewallUnit({ firewall, source }: Pick<Flow, 'firewall' | 'source'>): string {
  return `${firewall}, ${source}`;
}

/** What the session table of a firewall told of one flow. */
export interface SessionLook {
  /** When it was asked. */
  readonly at: EpochMs;
  readonly seen: Resource<SessionCounts>;
}

/** TCP sessions that are open now. Those that began a moment ago are left out: their answer may be on its way. */
export interface SessionCounts {
  /** Something came back. */
  readonly answered: number;
  /** Something was sent, and nothing came back. */
  readonly silent: number;
}

/**
 * Whether a command of FortiOS can hold it between quotes as the name of an interface or a zone. FortiOS takes at most
 * 79 characters and forbids `<>()#'"` (CLI reference, `firewall policy`, `srcintf`); here what its command line reads
 * as more than text is left out too (`?`, `\\`, `$`), and the comma, which stands between names.
 */
export function isInterfaceName(text: string): boolean {
  return /^[\p{L}\p{N}_][\p{L}\p{N}_.:/@+ -]{0,78}$/u.test(text) && !text.endsWith(' ');
}

/** As findings tell them, and back; empty when it is no list of names. */
export const INTERFACE_SEPARATOR = ', ';

export function interfacesOf(text: string): readonly string[] {
  const names = text.split(INTERFACE_SEPARATOR);
  return names.every(isInterfaceName) ? names : [];
}
