import type { X509Certificate } from 'node:crypto';
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
  /** By the certificate that it has shown, which was verified; null: it proves nobody. */
  proven(certificate: X509Certificate): Origin | null;
  /** Whether somebody who is welcome has this address: he may be somebody else. */
  expects(address: string): boolean;
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
  /** Which certificates prove which appliance: one that is named here is known by nothing else over the network. */
  readonly certificates?: readonly BoundCertificate[];
}

export interface BoundCertificate {
  /** A name in it, or its fingerprint. */
  readonly name: string;
  readonly appliance: string;
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
export function createAttribution(appliances: Appliances, others: OtherSenders): Attribution {
  const { firewalls, relays, certificates = [] } = others;
  const sources = sourcesOf(appliances);
  const { addresses } = sources;
  const bound = new Set(certificates.map(({ appliance }) => appliance));
  const open = sourcesOf(appliances.filter(({ name }) => !bound.has(name)));
  const byAddress = new Map<string, Origin>(firewalls.map((address) => [normalAddress(address), ANYBODY]));
  for (const [address, appliance] of open.addresses) byAddress.set(address, { kind: 'appliance', appliance });
  const only = appliances.length === 1 ? (appliances[0]?.name ?? null) : null;
  const believed = addresses.size + sources.names.size > 0 ? RELAY : originWithoutSources(appliances, only);
  const strangers = relays.length > 0 ? FOREIGN : originOfStrangers(open, bound.size > 0 ? FOREIGN : believed);

  return {
    sender: (address) => {
      const normal = normalAddress(address);
      return byAddress.get(normal) ?? (addressInAny(normal, relays) ? believed : strangers);
    },
    proven: (certificate) => {
      const found = certificates.find(({ name }) => isOf(certificate, name));
      return found === undefined ? null : { kind: 'appliance', appliance: found.appliance };
    },
    expects: (address) => {
      const normal = normalAddress(address);
      return addresses.has(normal) || byAddress.has(normal) || addressInAny(normal, relays);
    },
    file: () => believed,
    host: (name) =>
      byName(sources, name) ??
      addresses.get(name) ??
      (name.includes(':') ? addresses.get(normalAddress(name)) : undefined),
    hostName: (name) => byName(open, name),
    only,
  };
}

/** RFC 5425 §4.2.2: by the fingerprint; §5.2: by a DNS name, or the common name where there is none. */
function isOf(certificate: X509Certificate, name: string): boolean {
  const [, fingerprint] = /^sha-256:(.+)$/iu.exec(name) ?? [];
  return fingerprint === undefined
    ? certificate.checkHost(name) !== undefined
    : certificate.fingerprint256 === fingerprint.toUpperCase();
}

function byName({ names }: Sources, name: string): string | undefined {
  const normal = name.toLowerCase();
  return names.get(normal) ?? names.get(normal.split('.', 1)[0] ?? '');
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
