import ipaddr from 'ipaddr.js';
import type { ApplianceConfig } from '../appliances/section.ts';
import { addressInAny } from '../../core/addresses.ts';

/**
 * Who a sender is. `appliance`: a configured one, or null for a sender that is welcome without being one. `relay`: the
 * administrator named it, or the file, so that the host in each line is believed, a name or an address. `unproven`:
 * anybody; its lines may still be of an appliance that is configured by name. `foreign`: nobody knows it, whatever its
 * lines say.
 */
export type Origin =
  | { readonly kind: 'appliance'; readonly appliance: string | null }
  | { readonly kind: 'relay' }
  | { readonly kind: 'unproven' }
  | { readonly kind: 'foreign' };

/** Finds the appliance that a line belongs to. */
export interface Attribution {
  /** By the address that the operating system names. */
  sender(address: string): Origin;
  /** For a file that the administrator named. */
  file(): Origin;
  /**
   * By a host as it stands in a line that is believed: an address, the whole name, or its first label. Undefined:
   * nobody's.
   */
  host(name: string): string | undefined;
  /** By a host as it stands in anybody's line. Not by an address: that is the sender's own, and not what he writes. */
  hostName(name: string): string | undefined;
  /**
   * The owner of a FortiAuthenticator line in such a file that names no known host: the only appliance, if there is
   * only one.
   */
  readonly only: string | null;
}

/** Senders that are welcome beside the appliances. */
export interface OtherSenders {
  /** Addresses of firewalls that send their log here too: welcome, but no appliance. */
  readonly firewalls: readonly string[];
  /** Addresses and CIDR blocks of relays. With any, nobody else is believed who is not known by address. */
  readonly relays: readonly string[];
}

export const NO_OTHERS: OtherSenders = { firewalls: [], relays: [] };

type Appliances = readonly Pick<ApplianceConfig, 'name' | 'logSources'>[];
type Sources = Readonly<Record<'addresses' | 'names', ReadonlyMap<string, string>>>;

const ANYBODY: Origin = { kind: 'appliance', appliance: null };
const RELAY: Origin = { kind: 'relay' };
const UNPROVEN: Origin = { kind: 'unproven' };
const FOREIGN: Origin = { kind: 'foreign' };

/**
 * With no appliance configured every sender is welcome and nobody has a name. An only appliance without `logSources`
 * owns every line, since there is nothing to tell apart.
 */
export function createAttribution(appliances: Appliances, { firewalls, relays }: OtherSenders): Attribution {
  const sources = sourcesOf(appliances);
  const { addresses, names } = sources;
  const byAddress = new Map<string, Origin>(firewalls.map((address) => [normalAddress(address), ANYBODY]));
  for (const [address, appliance] of addresses) byAddress.set(address, { kind: 'appliance', appliance });
  const only = appliances.length === 1 ? (appliances[0]?.name ?? null) : null;
  const believed = addresses.size + names.size > 0 ? RELAY : originWithoutSources(appliances, only);
  const strangers = relays.length > 0 ? FOREIGN : originOfStrangers(sources, believed);

  function hostName(name: string): string | undefined {
    const normal = name.toLowerCase();
    return names.get(normal) ?? names.get(normal.split('.', 1)[0] ?? '');
  }

  return {
    sender: (address) => {
      const normal = normalAddress(address);
      return byAddress.get(normal) ?? (addressInAny(normal, relays) ? believed : strangers);
    },
    file: () => believed,
    host: (name) =>
      hostName(name) ?? addresses.get(name) ?? (name.includes(':') ? addresses.get(normalAddress(name)) : undefined),
    hostName,
    only,
  };
}

function sourcesOf(appliances: Appliances): Sources {
  const addresses = new Map<string, string>();
  const names = new Map<string, string>();
  for (const { name, logSources } of appliances) {
    for (const source of logSources) {
      const normal = normalAddress(source);
      (ipaddr.isValid(normal) ? addresses : names).set(normal, name);
    }
  }
  return { addresses, names };
}

function originWithoutSources(appliances: Appliances, only: string | null): Origin {
  if (appliances.length === 0) return ANYBODY;
  return only === null ? FOREIGN : { kind: 'appliance', appliance: only };
}

function originOfStrangers({ addresses, names }: Sources, believed: Origin): Origin {
  if (names.size > 0) return UNPROVEN;
  return addresses.size > 0 ? FOREIGN : believed;
}

/** `::ffff:10.0.0.5` and `10.0.0.5` are one sender; host names in lower case. @internal */
export function normalAddress(address: string): string {
  const bare = address.replace(/^\[(.*)\]$/u, '$1').replace(/%.*$/u, '');
  // isValid alone would take "5" for 0.0.0.5.
  return (bare.includes('.') || bare.includes(':')) && ipaddr.isValid(bare)
    ? ipaddr.process(bare).toString()
    : address.toLowerCase();
}
