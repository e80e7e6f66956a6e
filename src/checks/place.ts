export type StopId = 'fortiauthenticator' | 'resolver' | 'firewall' | 'internet' | 'license-server';

/** The stops of the way that an activation takes through the network, in order. */
export const STOPS: readonly StopPlan[] = [
  { id: 'fortiauthenticator', name: 'FortiAuthenticator', hint: 'where it starts', carries: false },
  { id: 'resolver', name: 'Resolver', hint: 'finds the address', carries: true },
  { id: 'firewall', name: 'Firewall', hint: 'must not inspect', carries: true },
  { id: 'internet', name: 'Internet', hint: 'the way out', carries: true },
  { id: 'license-server', name: 'Licence server', hint: 'at Fortinet', carries: true },
];

export interface StopPlan {
  readonly id: StopId;
  readonly name: string;
  readonly hint: string;
  /** Traffic to the licence server goes through it. FortiAuthenticator's own API may fail while its traffic flows. */
  readonly carries: boolean;
}

/** Where a check stands on the route map: at a stop of the way, or as a branch of its own beside it. */
export type Place =
  | { readonly kind: 'stop'; readonly stop: StopId }
  | { readonly kind: 'branch'; readonly name: string; readonly hint: string };
