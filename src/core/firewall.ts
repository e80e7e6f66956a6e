import type { ApiFailure } from './observation.ts';

export type FirewallObservation = FirewallFacts | (FirewallDenied & Flow) | (ApiFailure & Flow);

/** Connection for which a firewall's policy was looked up. */
export interface Flow {
  /** For example `FortiGate 10.0.0.1` or `FortiGate 10.0.0.1 (VDOM dmz)`. */
  readonly firewall: string;
  /** Host of the firewall's API. Includes the port if it is not 443. */
  readonly firewallHost: string;
  readonly vdom: string;
  /** An empty list means all appliances. */
  readonly appliances: readonly string[];
  /** As seen by the firewall. */
  readonly source: string;
  /** `host:port` */
  readonly destination: string;
}

export interface FirewallFacts extends Flow {
  readonly kind: 'ok';
  readonly serial: string | null;
  readonly match: PolicyMatch;
  /** Address objects for the licence server's name. Also empty if the objects could not be read. */
  readonly fqdnObjects: readonly FqdnObject[];
}

/** Defined by a host name, which the firewall resolves. */
export interface FqdnObject {
  readonly name: string;
  readonly resolves: boolean;
}

interface FirewallDenied {
  readonly kind: 'denied';
  readonly status: number;
}

export type PolicyMatch =
  | {
      readonly kind: 'implicit-deny';
      /** From the configuration or the route lookup. Null if unknown. */
      readonly incoming: string | null;
      readonly outgoing: string | null;
    }
  | { readonly kind: 'policy'; readonly policy: FirewallPolicy; readonly inspection: SslInspection };

export interface FirewallPolicy {
  readonly id: number;
  readonly name: string | null;
  readonly action: 'accept' | 'deny';
  readonly proxyMode: boolean;
  /** For example `av-profile "default"`. Empty if security profiles are switched off. */
  readonly securityProfiles: readonly string[];
  /** Interfaces or zones, or `any`. Empty if they could not be read. */
  readonly incoming: readonly string[];
  readonly outgoing: readonly string[];
  /** If there are no pools, the interface address is used. Null if the firewall does not report the setting. */
  readonly nat: { readonly enabled: boolean; readonly pools: readonly string[] } | null;
  readonly schedule: string | null;
}

/** Firewall policy that causes a fault. */
export interface Culprit {
  readonly firewall: string;
  readonly firewallHost: string;
  /** Also the name of the firewall's certificate authority. */
  readonly serial: string | null;
  readonly action: 'inspects' | 'denies';
  /** Null for the implicit deny. */
  readonly policy: Pick<FirewallPolicy, 'id' | 'name'> | null;
  /** SSL inspection profile. Null if the policy does not inspect traffic. */
  readonly profile: string | null;
  /** Interfaces to which the implicit deny applies. */
  readonly incoming: string | null;
  readonly outgoing: string | null;
}

export type SslInspectionMode = 'none' | 'certificate' | 'deep';

/** Effect of the policy's ssl-ssh-profile on TLS connections to the destination port. */
export type SslInspection =
  | {
      readonly kind: 'known';
      readonly profile: string | null;
      readonly mode: SslInspectionMode;
      /** Exemption that matches the licence server. */
      readonly exemptedBy: string | null;
      /** The exemption matches by name, for which the client must send the server name or the certificate contain it. */
      readonly exemptsByName?: true;
      /** Exemptions that may cover the licence server but could not be evaluated, for example `category 52`. */
      readonly unreadExemptions: readonly string[];
    }
  | { readonly kind: 'unreadable'; readonly profile: string; readonly message: string };

/** A flow that lists the appliance explicitly takes precedence. */
export function askedFor<F extends Pick<Flow, 'appliances'>>(flows: readonly F[], appliance: string): F | null {
  const named = flows.find(({ appliances }) => appliances.includes(appliance));
  return named ?? flows.find(({ appliances }) => appliances.length === 0) ?? null;
}

/** For example `policy 5 "fac-out"`. */
export function policyText({ id, name }: Pick<FirewallPolicy, 'id' | 'name'>): string {
  return name === null ? `policy ${String(id)}` : `policy ${String(id)} "${name}"`;
}

export function firewallName({ url, vdom }: { readonly url: string; readonly vdom: string }): string {
  return `FortiGate ${new URL(url).host}${vdom === 'root' ? '' : ` (VDOM ${vdom})`}`;
}

export function flowName({ firewall, source }: Pick<Flow, 'firewall' | 'source'>): string {
  return `${firewall}, ${source}`;
}

/**
 * Returns whether the text is safe as a quoted interface or zone name in a FortiOS command. FortiOS allows at most 79
 * characters and forbids `<>()#'"` (CLI reference, `firewall policy`, `srcintf`). This function also rejects characters
 * that the command line interprets (`?`, `\\`, `$`) and commas, because commas separate names in findings.
 */
export function isInterfaceName(text: string): boolean {
  return /^[\p{L}\p{N}_][\p{L}\p{N}_.:/@+ -]{0,78}$/u.test(text) && !text.endsWith(' ');
}

export const INTERFACE_SEPARATOR = ', ';
