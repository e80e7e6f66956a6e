import type { Failure } from '../observation.ts';

/** How the firewall treats the appliance's connection to the licence server. */
export type FirewallObservation = FirewallFacts | (FirewallDenied & Flow) | (Failure & Flow);

/** The connection that was asked about. */
export interface Flow {
  /** Address that the firewall sees the appliance's traffic come from. */
  readonly source: string;
  /** `host:port`. */
  readonly destination: string;
}

export interface FirewallFacts extends Flow {
  readonly kind: 'ok';
  readonly match: PolicyMatch;
}

export interface FirewallDenied {
  readonly kind: 'denied';
  readonly status: number;
}

export type PolicyMatch =
  | { readonly kind: 'implicit-deny' }
  | { readonly kind: 'policy'; readonly policy: FirewallPolicy; readonly inspection: SslInspection };

export interface FirewallPolicy {
  readonly id: number;
  readonly name: string | null;
  readonly action: 'accept' | 'deny';
  readonly proxyMode: boolean;
  /** Security profiles that apply, `av-profile "default"`; empty when they are switched off. */
  readonly securityProfiles: readonly string[];
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
