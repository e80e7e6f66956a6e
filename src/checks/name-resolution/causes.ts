import type { CauseWords } from '../../engine/words/cause-words.ts';
import { fortiauthenticator, fortios, shell } from '../../engine/words/step.ts';

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
    },
    rank: 2,
    oneFaultForAllHosts: true,
  },
  'name-not-found': {
    severity: 'critical',
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
    rank: 1,
  },
  'answer-hijacked': {
    severity: 'critical',
    title: 'DNS answers with a false address',
    short: 'a DNS answer is hijacked',
    headline: 'the name {subject} is hijacked',
    summary: '{resolver} resolves {host} to {address}, which cannot be its address.',
    impact: 'activation',
    sources: ['docs:fortigate/7.2.13/administration-guide'],
    remedy: [
      'A DNS filter, a sinkhole or a local zone overrides the real answer: find the rule on {resolver} ' +
        'and exempt {host}.',
      fortios(
        'On a FortiGate look at the DNS filter profile of the policy and at its own DNS database.',
        'show system dns-database',
      ),
      shell('Flush the caches after the change, then look again.', 'ftm-watch check{config}'),
      'If this address is right (your own relay), add it to licenseServer.expectedAddresses.',
    ],
    rank: 0,
  },
  'answer-unexpected': {
    severity: 'warning',
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
  },
  'resolvers-disagree': {
    severity: 'warning',
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
