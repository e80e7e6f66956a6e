import {
  type CauseWords,
  type KindWords,
  fortiauthenticator,
  fortios,
  shell,
  kindVariants,
} from '../../engine/model.ts';

/** Used if the resolver itself reports the filter in an extended DNS error. */
const FILTERED: KindWords = {
  name: 'a DNS resolver filters [{subject}|a name]',
  summary: '{resolver} reports that it filters {host}.',
  remedy: [
    'Find the rule on {resolver} (response policy zone, DNS firewall, FortiGuard DNS filter, family protection of a ' +
      'public resolver) and exempt {host}. The reason in the evidence often identifies the block list.',
    shell('Check its response again.', 'dig {host} @{resolverip}'),
    'Until {host} is exempted, configure FortiAuthenticator to use a resolver that does not filter.',
  ],
};

const LOCAL_NAME: KindWords = {
  name: 'a local entry overrides DNS[ for {subject}]',
  summary:
    'The hosts file or search list of the ftm-watch machine resolves {host} to {address}, but DNS returns a ' +
    'different answer. FortiAuthenticator may not be affected.',
  remedy: [
    shell(
      'Check {host} in the hosts file of the ftm-watch machine, and "search" and "ndots" in its resolv.conf. The ' +
        'search list is tried before the name itself if "ndots" exceeds the number of dots in the name.',
      'grep -n {host} /etc/hosts',
      'cat /etc/resolv.conf',
      'getent ahosts {host}',
      'getent ahosts {host}.',
    ),
    'Remove the entry, or set "resolvers" to the resolvers that FortiAuthenticator uses. They are queried for the ' +
      'unmodified name.',
    'If FortiAuthenticator uses the same search list (System > Network > DNS), correct it there too.',
  ],
};

const RESOLVER_KINDS = {
  'tcp-blocked': {
    name: 'DNS over TCP is blocked[ for {subject}]',
    summary: '{resolver} truncates its answer for {host}, and does not send the full answer over TCP.',
    remedy: [
      'Allow TCP port 53 as well as UDP port 53 from ftm-watch and from {source} to {resolver} on every ' +
        'firewall on the path, because DNS needs both (RFC 7766 section 5).',
      shell(
        'Query {resolver} over TCP. "Connection refused" may also come from the resolver itself. In that ' +
          'case, make it listen on TCP.',
        'dig +tcp {host} @{resolverip}',
      ),
      'Until the fault is fixed, configure a second, working resolver on FortiAuthenticator.',
    ],
  },
  filtered: FILTERED,
  untrusted: {
    name: 'a DNS resolver[ for {subject}] is not trusted',
    summary: '{resolver} presents a certificate that cannot be verified, so the resolver is not queried.',
    remedy: [
      'Specify the resolver by the name in its certificate. Only public authorities are trusted. If the ' +
        'certificate is from your own authority, configure ftm-watch to query the resolver over UDP or TCP.',
      "If {resolver} is a public resolver, a device on the path is answering in its place. Exempt the resolver's " +
        'traffic from TLS inspection, or list the resolvers that FortiAuthenticator uses.',
    ],
  },
  encrypted: {
    name: 'DNS over TLS[ for {subject}] is not answered',
    summary: '{resolver}, which is queried over TLS, does not accept connections.',
    remedy: [
      'Allow ftm-watch to reach the port of {resolver}, by default TCP 853 for DNS over TLS and TCP 443 for ' +
        'DNS over HTTPS. Many firewalls deliberately block public resolvers over TLS.',
      'In ftm-watch, list the resolvers that FortiAuthenticator uses. Unless configured otherwise, ' +
        'ftm-watch queries them over UDP and TCP port 53.',
    ],
  },
} satisfies Readonly<Record<string, KindWords>>;

const HIJACK_KINDS = {
  filtered: FILTERED,
  'local-name': LOCAL_NAME,
  'shared-address': {
    name: '[{subject} shares its address with other names|other names have the same address]',
    summary: '{resolver} resolves {host} to {address}, and returns the same address for unrelated names.',
    remedy: [
      shell(
        'Compare two unrelated names. If both have the same address, the resolver, or a device in front of it, ' +
          'gives the same answer for every name.',
        'dig +short {host} @{resolverip}',
        'dig +short iana.org @{resolverip}',
      ),
      'Possible causes are a captive portal that waits for a login, a provider that parks domain names, a ' +
        'wildcard zone or a DNS filter. Log in to the portal, or remove the zone or filter on {resolver}.',
      'Do not add this address to licenseServer.expectedAddresses, because it is not the licence server.',
      'Until the fault is fixed, configure a working resolver on FortiAuthenticator.',
    ],
  },
} satisfies Readonly<Record<string, KindWords>>;

export const NAME_CAUSES = {
  'resolver-unreachable': {
    severity: 'critical',
    name: 'a DNS resolver fails[ for {subject}]',
    summary: '{resolver} returns no usable answer for {host}.',
    impact: 'activation',
    sources: ['ta-p/194050', 'ta-p/327581', 'ta-p/260790'],
    remedy: [
      shell(
        'Query {resolver} directly, then without DNSSEC validation, then for another name. If there is no response, ' +
          'the resolver is down, or UDP and TCP port 53 are blocked.',
        'dig {host} @{resolverip}',
        'dig +cd {host} @{resolverip}',
        'dig iana.org @{resolverip}',
      ),
      'If only {host} fails, look for a filter (DNS firewall, response policy zone, FortiGuard DNS filter) or a ' +
        'local zone on {resolver} that covers fortinet.com, and exempt the name. A filter on a FortiGate may respond ' +
        'with SERVFAIL (Fortinet tip 260790).',
      'If only the query without validation succeeds, check the clock and the trust anchor of {resolver}. A ' +
        'forwarder, or a firewall that changes DNS answers, may also remove the signatures.',
      'If every answer is REFUSED, allow recursive queries from {source} and from ftm-watch on {resolver}. In ' +
        'BIND, set allow-query and allow-recursion. In Unbound, set access-control. On a FortiGate, set the mode to ' +
        '"Recursive" under Network > DNS Servers. A server that answers only for its own zones is not a resolver.',
      "If every answer is SERVFAIL, check {resolver}'s path to the internet, such as its uplink, its forwarders, and " +
        'UDP and TCP port 53 to any destination.',
      fortiauthenticator(
        'On FortiAuthenticator, check System > Network > DNS, then test it.',
        'execute nslookup {host}',
        'execute ping {host}',
      ),
      'Until the fault is fixed, configure a second, working resolver on FortiAuthenticator.',
    ],
    variants: kindVariants(RESOLVER_KINDS),
    rank: 2,
    oneFault: 'for-all-hosts',
  },
  'name-not-found': {
    severity: 'critical',
    oneFault: 'per-host',
    name: '[{subject}|a name] is not found in DNS',
    summary: '{resolver} reports that {host} does not exist or has no address.',
    impact: 'activation',
    sources: ['ta-p/194050', 'ta-p/327581'],
    remedy: [
      shell(
        'Query a public resolver. If it returns an address, the answer from {resolver} is wrong.',
        'dig @9.9.9.9 {host}',
      ),
      'Look for a filter (DNS firewall, response policy zone, FortiGuard DNS filter) or a local zone on {resolver} ' +
        'that covers fortinet.com, and exempt the name.',
      'If no resolver finds the name, check the spelling of licenseServer.host in ftm-watch and the server address ' +
        'on FortiAuthenticator under System > Administration > FortiGuard.',
    ],
    variants: kindVariants({ filtered: FILTERED }),
    rank: 1,
  },
  'answer-hijacked': {
    severity: 'critical',
    oneFault: 'per-host',
    name: 'DNS returns a false address[ for {subject}]',
    summary: '{resolver} returns the wrong address {address} for {host}.',
    impact: 'activation',
    sources: ['docs:fortigate/7.2.13/administration-guide'],
    remedy: [
      'On {resolver}, find the DNS filter, sinkhole or local zone that overrides the real answer, and exempt {host} ' +
        'from it.',
      fortios(
        'If a FortiGate answers or forwards DNS, check its DNS database and the DNS filter profile in the policy for ' +
          'DNS.',
        'show system dns-database',
      ),
      shell(
        'After the change, clear the DNS cache of {resolver}, then run the check again.',
        'ftm-watch check{config}',
      ),
      'If {address} is your own relay to the licence server, add the address to licenseServer.expectedAddresses.',
    ],
    variants: kindVariants(HIJACK_KINDS),
    rank: 0,
  },
  'answer-unexpected': {
    severity: 'warning',
    oneFault: 'per-host',
    name: 'DNS returns an unexpected address[ for {subject}]',
    summary: '{resolver} resolves {host} to {address}, which is outside licenseServer.expectedAddresses.',
    impact: 'none',
    sources: ['ta-p/327581'],
    remedy: [
      shell('Query another resolver, because Fortinet may have moved the server.', 'dig @9.9.9.9 {host}'),
      'If firewall policies contain the old address, allow the new address too.',
      'Add the address to licenseServer.expectedAddresses once you trust it.',
    ],
    variants: kindVariants({
      'local-name': LOCAL_NAME,
      relay: {
        name: 'DNS leads to a relay[ for {subject}]',
        summary:
          '{resolver} resolves {host} to the private address {address}. The genuine certificate has been presented ' +
          'there, so a device forwards connections to the licence server.',
        remedy: [
          'If a relay at this site forwards the connections on purpose, add its address to ' +
            'licenseServer.expectedAddresses.',
          'Otherwise, find the DNS zone that contains {host}, and remove it. Activations depend on the device at ' +
            '{address}.',
        ],
      },
    }),
  },
  'resolvers-disagree': {
    severity: 'warning',
    oneFault: 'per-host',
    name: 'DNS resolvers disagree[ about {subject}]',
    summary: 'The configured resolvers return different addresses for {host}, with none in common.',
    impact: 'none',
    sources: ['ta-p/327581', 'docs:fortiauthenticator/6.4.1/administration-guide'],
    remedy: [
      'Compare the answers in the evidence. Common causes are split DNS, a filter, or a stale cache.',
      'Make sure that FortiAuthenticator uses the right resolver (System > Network > DNS).',
    ],
  },
} satisfies Readonly<Record<string, CauseWords>>;

export type NameCause = keyof typeof NAME_CAUSES;

export type NameKind = keyof typeof RESOLVER_KINDS | keyof typeof HIJACK_KINDS;
