/** An address where a DNS filter sends the names that it blocks. */
export interface Sinkhole {
  readonly owner: string;
  /** Addresses and CIDR blocks. */
  readonly addresses: readonly string[];
}

/**
 * Published by the vendors. Only single addresses that serve nothing else: 208.91.112.0/22 as a whole is no sinkhole,
 * FortiGuard and DDNS live there too. The place to add one, with its source.
 */
export const SINKHOLES: readonly Sinkhole[] = [
  {
    // FortiGate's DNS filter, action "redirect to block portal" (the default), IPv4 and IPv6:
    // https://community.fortinet.com/t5/FortiGate/Technical-Tip-Various-Block-option-under-DNS-filter/ta-p/260790 and
    // ta-p/421739.
    owner: 'FortiGuard DNS filter',
    addresses: ['208.91.112.55', '2001:cdba::3257:9652'],
  },
  {
    // 146.112.61.104 to .110, as IPv6 in the mapped form:
    // https://support.umbrella.com/hc/en-us/articles/227986927-What-are-the-Cisco-Umbrella-Block-Page-IP-Addresses
    owner: 'Cisco Umbrella (OpenDNS)',
    addresses: ['146.112.61.104/30', '146.112.61.108/31', '146.112.61.110'],
  },
  {
    // sinkhole.paloaltonetworks.com, the default of PAN-OS' anti-spyware profile, older and newer, and its IPv6
    // counterpart as the vendor's configuration template has it: https://github.com/PaloAltoNetworks/iron-skillet
    // (SINKHOLE_IPV4, SINKHOLE_IPV6).
    owner: 'Palo Alto Networks DNS sinkhole',
    addresses: ['72.5.65.111', '198.135.184.22', '2600:5200::1'],
  },
];
