import { type CauseWords, type KindWords, fortiauthenticator, fortios, shell } from '../../engine/model.ts';

/** The resolver itself reports the filter in an extended DNS error. */
const FILTERED: KindWords = {
  title: 'the resolver says that it filters the name',
  summary: '{resolver} says itself that it filters {host}.',
  remedy: [
    'Find the rule on {resolver} (response policy zone, DNS firewall, FortiGuard DNS filter, family protection of a ' +
      'public resolver) and exempt {host}. The reason in the evidence often names the list.',
    shell('Look again at what it says.', 'dig {host} @{resolverip}'),
    'Until it is exempted, give FortiAuthenticator a resolver that does not filter.',
  ],
};

const LOCAL_NAME: KindWords = {
  title: 'the address comes from this machine itself',
  summary:
    'The hosts file or the search list of this machine gives {host} the address {address}; DNS gives another answer. ' +
    'FortiAuthenticator may not be affected.',
  remedy: [
    shell(
      'Look for {host} in the hosts file of this machine, and at "search" and "ndots" in its resolv.conf: a search ' +
        'list is tried before the name itself where "ndots" is larger than the number of its dots.',
      'grep -n {host} /etc/hosts',
      'cat /etc/resolv.conf',
      'getent ahosts {host}',
      'getent ahosts {host}.',
    ),
    'Remove the entry, or name the resolvers that FortiAuthenticator uses in "resolvers": they are asked for the ' +
      'name as it is.',
    'If FortiAuthenticator uses the same search list (System > Network > DNS), correct it there too.',
  ],
};

export const NAME_CAUSES = {
  'resolver-unreachable': {
    severity: 'critical',
    title: 'the DNS resolver does not answer',
    short: 'a DNS resolver does not answer',
    headline: 'a resolver does not answer for {subject}',
    summary: 'No usable answer from {resolver} for {host}.',
    impact: 'activation',
    sources: ['ta-p/194050', 'ta-p/327581', 'ta-p/260790'],
    remedy: [
      shell(
        'Ask the resolver {resolver} directly. No answer at all means that it is down, or that UDP and TCP port 53 ' +
          'to it are blocked.',
        'dig {host} @{resolverip}',
      ),
      'SERVFAIL means that the resolver runs but cannot reach the internet, fails DNSSEC, or that a DNS filter ' +
        'blocks the name (a FortiGate may answer like this, Fortinet tip 260790): check its log and its forwarders.',
      fortiauthenticator(
        'On FortiAuthenticator check System > Network > DNS, then test it.',
        'execute nslookup {host}',
        'execute ping {host}',
      ),
      'Until it is fixed, give FortiAuthenticator a second resolver that works.',
    ],
    kinds: {
      'tcp-blocked': {
        title: 'the answer is truncated, and TCP is blocked',
        summary:
          '{resolver} truncates its answer for {host}, and does not answer over TCP, where the rest has to come from.',
        remedy: [
          'Allow TCP port 53 as well as UDP port 53, from this machine and from {source} to {resolver}, on every ' +
            'firewall on the way: DNS needs both (RFC 7766 section 5).',
          shell(
            'Ask {resolver} over TCP. "Connection refused" may also come from the resolver itself: then make it ' +
              'listen on TCP.',
            'dig +tcp {host} @{resolverip}',
          ),
          'Until then, give FortiAuthenticator a second resolver that works.',
        ],
      },
      refused: {
        title: 'the resolver refuses to answer',
        summary: '{resolver} runs, but refuses to answer for {host}: it probably does not serve this machine.',
        remedy: [
          'Allow recursive queries from {source} and from this machine on {resolver}: in BIND allow-query and ' +
            'allow-recursion, in Unbound access-control, on a FortiGate Network > DNS Servers, mode "Recursive".',
          shell(
            'Ask it for the name of somebody else. REFUSED again means its access list.',
            'dig iana.org @{resolverip}',
          ),
          'A server that knows only its own zones is no resolver: then name another one here and on ' +
            'FortiAuthenticator.',
        ],
      },
      filtered: FILTERED,
      dnssec: {
        title: 'DNSSEC does not verify',
        summary: '{resolver} cannot verify {host} by DNSSEC, and gives no answer.',
        remedy: [
          'Check the clock of {resolver}, and that its trust anchor is current: a wrong date makes every signature ' +
            'invalid.',
          'A forwarder, or a firewall that changes DNS answers, takes the signatures away: let {resolver} ask one ' +
            'that passes them on, and exempt it from DNS inspection.',
          shell(
            'See whether it is DNSSEC: the second question leaves it out.',
            'dig {host} @{resolverip}',
            'dig +cd {host} @{resolverip}',
          ),
        ],
      },
      'no-authority': {
        title: 'the resolver does not reach the internet',
        summary: '{resolver} runs, but reaches no server that knows {host}.',
        remedy: [
          'Check the way of {resolver} itself to the internet: its uplink, its forwarders, and UDP and TCP port 53 ' +
            'from it to everywhere.',
          shell('Follow the question from the root.', 'dig +trace {host}'),
          'Until it is fixed, give FortiAuthenticator a second resolver that works.',
        ],
      },
      'this-name-alone': {
        title: 'the resolver fails for this name alone',
        summary: '{resolver} fails for {host}, and answers for other names: a filter, or DNSSEC for this name.',
        remedy: [
          'Look for a filter (DNS firewall, response policy zone, FortiGuard DNS filter) or a local zone on ' +
            '{resolver} that covers fortinet.com, and exempt the name.',
          shell(
            'See whether it is DNSSEC: the second question leaves it out.',
            'dig {host} @{resolverip}',
            'dig +cd {host} @{resolverip}',
          ),
          'Until it is fixed, give FortiAuthenticator a second resolver that works.',
        ],
      },
      untrusted: {
        title: 'the certificate of the resolver is not trusted',
        summary: '{resolver} shows a certificate that does not verify, so it is not asked.',
        remedy: [
          'Name the resolver by the name that its certificate is for. Public authorities alone are trusted: a ' +
            'resolver with a certificate of your own authority has to be asked over UDP or TCP here.',
          'If it is a public resolver, something on the way answers in its place: exempt it from TLS inspection, or ' +
            'name the resolvers here that FortiAuthenticator uses.',
        ],
      },
      encrypted: {
        title: 'the resolver does not answer over TLS',
        summary: 'No connection to {resolver}, which is asked over TLS.',
        remedy: [
          'Allow the port of {resolver} from this machine, TCP 853 for DNS over TLS and TCP 443 for DNS over HTTPS ' +
            'where no other one is configured: firewalls often block public resolvers over TLS on purpose.',
          'Name here the resolvers that FortiAuthenticator uses: it asks them over UDP and TCP port 53 unless it is ' +
            'configured otherwise.',
        ],
      },
    },
    rank: 2,
    oneFault: 'for-all-hosts',
  },
  'name-not-found': {
    severity: 'critical',
    oneFault: 'per-host',
    title: 'the name of the licence server does not resolve',
    short: 'a DNS name is not found',
    headline: 'the name {subject} is not found',
    summary: '{resolver} says that {host} does not exist or has no address.',
    impact: 'activation',
    sources: ['ta-p/194050', 'ta-p/327581'],
    remedy: [
      shell(
        'Compare with a public resolver. If that one gives an address, the answer of {resolver} is wrong.',
        'dig @9.9.9.9 {host}',
      ),
      'Look for a filter (DNS firewall, response policy zone, FortiGuard DNS filter) or a local zone on {resolver} ' +
        'that covers fortinet.com, and exempt the name.',
      'If no resolver knows the name, check the spelling of licenseServer.host here and the server address on ' +
        'FortiAuthenticator under System > Administration > FortiGuard.',
    ],
    kinds: { filtered: FILTERED },
    rank: 1,
  },
  'answer-hijacked': {
    severity: 'critical',
    oneFault: 'per-host',
    title: 'DNS answers with a false address',
    short: 'false DNS answer',
    headline: 'the name {subject} is hijacked',
    summary: 'DNS is wrong for {host}: {resolver} answers with {address}, which is not an expected address.',
    impact: 'activation',
    sources: ['docs:fortigate/7.2.13/administration-guide'],
    remedy: [
      'On {resolver}, find the DNS filter, sinkhole or local zone that overrides the real answer, and exempt {host} ' +
        'from it.',
      fortios(
        'If a FortiGate answers or forwards DNS, check its DNS database and the DNS filter profile of the policy for ' +
          'DNS.',
        'show system dns-database',
      ),
      shell(
        'After the change, clear the DNS cache of {resolver}, then run the check again.',
        'ftm-watch check{config}',
      ),
      'If {address} is your own relay to the licence server, add the address to licenseServer.expectedAddresses.',
    ],
    kinds: {
      filtered: FILTERED,
      'local-name': LOCAL_NAME,
      'shared-address': {
        title: 'unrelated names have the same address',
        summary: '{resolver} resolves {host} to {address}, and gives unrelated names the same address.',
        remedy: [
          shell(
            'Compare two names that have nothing in common. The same address for both means that the resolver, or ' +
              'something before it, answers for every name.',
            'dig +short {host} @{resolverip}',
            'dig +short iana.org @{resolverip}',
          ),
          'A captive portal that waits for a login, a provider that parks names, a wildcard zone or a DNS filter ' +
            'does this: log in, or remove it on {resolver}.',
          'Do not add this address to licenseServer.expectedAddresses: it is not the licence server.',
          'Until it is fixed, give FortiAuthenticator a resolver that works.',
        ],
      },
    },
    rank: 0,
  },
  'answer-unexpected': {
    severity: 'warning',
    oneFault: 'per-host',
    title: 'DNS gives an address outside the expected list',
    short: 'unexpected address in DNS',
    headline: '{subject} has an unexpected address',
    summary: '{resolver} resolves {host} to {address}, which is outside licenseServer.expectedAddresses.',
    impact: 'none',
    sources: ['ta-p/327581'],
    remedy: [
      shell('Fortinet may have moved the server: compare with another resolver.', 'dig @9.9.9.9 {host}'),
      'If firewall policies name the old address, allow the new one too.',
      'Add the address to licenseServer.expectedAddresses once you trust it.',
    ],
    kinds: { 'local-name': LOCAL_NAME },
  },
  'resolvers-disagree': {
    severity: 'warning',
    oneFault: 'per-host',
    title: 'resolvers give different addresses',
    short: 'DNS resolvers disagree',
    headline: 'the resolvers disagree about {subject}',
    summary: 'The configured resolvers return different addresses for {host}, with none in common.',
    impact: 'none',
    sources: ['ta-p/327581', 'docs:fortiauthenticator/6.4.1/administration-guide'],
    remedy: [
      'Compare the answers in the evidence: split DNS, a filter, or a stale cache is the usual reason.',
      'Make sure that FortiAuthenticator uses the right resolver (System > Network > DNS).',
    ],
  },
} satisfies Readonly<Record<string, CauseWords>>;

export type NameCause = keyof typeof NAME_CAUSES;

/** Kinds of all causes in this file. */
export type NameKind =
  | 'tcp-blocked'
  | 'refused'
  | 'filtered'
  | 'dnssec'
  | 'no-authority'
  | 'this-name-alone'
  | 'untrusted'
  | 'encrypted'
  | 'local-name'
  | 'shared-address';
