import type { Failure } from '../observation.ts';

/** Result of asking a firewall how it handles FortiAuthenticator's connection to the licence server. */
export type FirewallObservation = FirewallFacts | (FirewallDenied & Flow) | (Failure & Flow);

/** Connection for which a firewall's policy was looked up. */
export interface Flow {
  /** Name of the queried firewall, for example `FortiGate 10.0.0.1` or `FortiGate 10.0.0.1 (VDOM dmz)`. */
  readonly firewall: string;
  /** Host of the firewall's API, for example `10.0.0.1`. Includes the port if the port is not 443. */
  readonly firewallHost: string;
  /** Virtual domain that was queried. */
  readonly vdom: string;
  /** Names of the appliances whose traffic was looked up. An empty list means all appliances. */
  readonly appliances: readonly string[];
  /** Source address of the appliance's traffic, as seen by the firewall. */
  readonly source: string;
  /** Destination of the connection, as `host:port`. */
  readonly destination: string;
}

export interface FirewallFacts extends Flow {
  readonly kind: 'ok';
  /** Serial number of the firewall. Null if the firewall does not report it. */
  readonly serial: string | null;
  readonly match: PolicyMatch;
  /** Address objects for the licence server's name. Also empty if the objects could not be read. */
  readonly fqdnObjects: readonly FqdnObject[];
}

/** A firewall address object that is defined by a host name. The firewall resolves the name to addresses. */
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
      /**
       * Interfaces for which no policy matches, from the configuration or the route lookup. Null if they are unknown.
       */
      readonly incoming: string | null;
      readonly outgoing: string | null;
    }
  | { readonly kind: 'policy'; readonly policy: FirewallPolicy; readonly inspection: SslInspection };

export interface FirewallPolicy {
  readonly id: number;
  readonly name: string | null;
  readonly action: 'accept' | 'deny';
  readonly proxyMode: boolean;
  /**
   * Security profiles that the policy applies, for example `av-profile "default"`. Empty if security profiles are
   * switched off.
   */
  readonly securityProfiles: readonly string[];
  /** Incoming and outgoing interfaces or zones of the traffic, or `any`. Empty if the interfaces could not be read. */
  readonly incoming: readonly string[];
  readonly outgoing: readonly string[];
  /**
   * Source NAT setting and its address pools. If there are no pools, the interface address is used. Null if the
   * firewall does not report the setting.
   */
  readonly nat: { readonly enabled: boolean; readonly pools: readonly string[] } | null;
  /** Name of the policy's schedule. Null if the firewall does not report it. */
  readonly schedule: string | null;
}

/** Firewall policy that causes a fault. */
export interface Culprit {
  /** Name of the firewall, in the format described in `Flow`. */
  readonly firewall: string;
  readonly firewallHost: string;
  /** Serial number of the firewall. The firewall's certificate authority has the same name. Null if it is unknown. */
  readonly serial: string | null;
  readonly action: 'inspects' | 'denies';
  /** ID and name of the policy. Null if no policy matches, so that the implicit deny applies. */
  readonly policy: Pick<FirewallPolicy, 'id' | 'name'> | null;
  /** Name of the SSL inspection profile. Null if the policy does not inspect traffic. */
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
      /** Name of the ssl-ssh-profile. Null if the policy has none. */
      readonly profile: string | null;
      readonly mode: SslInspectionMode;
      /** Exemption that matches the licence server, or null. */
      readonly exemptedBy: string | null;
      /** Exemptions that may cover the licence server but could not be evaluated, for example `category 52`. */
      readonly unreadExemptions: readonly string[];
    }
  | { readonly kind: 'unreadable'; readonly profile: string; readonly message: string };

/**
 * Returns the flow for an appliance's traffic. A flow that lists the appliance explicitly takes precedence. Returns
 * null if there is none.
 */
export function askedFor<F extends Pick<Flow, 'appliances'>>(flows: readonly F[], appliance: string): F | null {
  const named = flows.find(({ appliances }) => appliances.includes(appliance));
  return named ?? flows.find(({ appliances }) => appliances.length === 0) ?? null;
}

/** Returns a text such as `policy 5 "fac-out"`. */
export function policyText({ id, name }: Pick<FirewallPolicy, 'id' | 'name'>): string {
  return name === null ? `policy ${String(id)}` : `policy ${String(id)} "${name}"`;
}

/**
 * Reports whether the policy leaves TLS connections to the licence server uninspected, based on the firewall's
 * response.
 */
export function leavesTlsAlone(match: PolicyMatch): boolean {
  if (match.kind !== 'policy' || match.policy.action === 'deny' || match.inspection.kind !== 'known') return false;
  const { mode, exemptedBy } = match.inspection;
  return mode === 'none' || (mode === 'deep' && exemptedBy !== null);
}

/** Returns a firewall's name for use in messages. */
export function firewallName({ url, vdom }: { readonly url: string; readonly vdom: string }): string {
  return `FortiGate ${new URL(url).host}${vdom === 'root' ? '' : ` (VDOM ${vdom})`}`;
}

/** Returns a key for a configured firewall query. The key consists of the firewall and the traffic's source. */
export function firewallUnit({ firewall, source }: Pick<Flow, 'firewall' | 'source'>): string {
  return `${firewall}, ${source}`;
}

/**
 * Reports whether the text is safe as a quoted interface or zone name in a FortiOS command. FortiOS allows at most 79
 * characters and forbids `<>()#'"` (CLI reference, `firewall policy`, `srcintf`). This function also rejects characters
 * that the command line interprets (`?`, `\\`, `$`), and the comma, which separates names in findings.
 */
export function isInterfaceName(text: string): boolean {
  return /^[\p{L}\p{N}_][\p{L}\p{N}_.:/@+ -]{0,78}$/u.test(text) && !text.endsWith(' ');
}

/** Separator between interface names in findings. */
export const INTERFACE_SEPARATOR = ', ';

export function interfacesOf(text: string): readonly string[] {
  const names = text.split(INTERFACE_SEPARATOR);
  return names.every(isInterfaceName) ? names : [];
}
