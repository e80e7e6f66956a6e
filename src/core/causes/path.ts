import type { CauseCatalogue } from './entry.ts';
import { SHUT_PORT_KINDS, SHUT_PORT_REMEDY } from './shut-port.ts';

/** Causes between FortiAuthenticator and an open TCP port of the licence server. */
export const PATH_CAUSES: CauseCatalogue<
  | 'internet-unreachable'
  | 'resolver-unreachable'
  | 'name-not-found'
  | 'answer-hijacked'
  | 'answer-unexpected'
  | 'resolvers-disagree'
  | 'egress-blocked'
  | 'egress-partly-blocked'
  | 'clock-skewed'
> = {
  'internet-unreachable': {
    severity: 'critical',
    title: 'the internet is unreachable',
    summary:
      'Neither the licence server nor any control host accepts a connection: the internet is unreachable from here.',
    impact: 'activation',
    remedy: [
      'Check the default gateway of this network: on this machine "ip route get 173.243.138.84", on ' +
        'FortiAuthenticator "show router static" and "execute ping GATEWAY" with the address of that gateway.',
      'Check the uplink and the firewall: does other traffic leave the site? Is there a policy from {source} to ' +
        'the internet at all?',
      'If the internet is meant to be reached through a proxy only, set licenseServer.proxy here and the proxy on ' +
        'FortiAuthenticator.',
    ],
  },
  'resolver-unreachable': {
    severity: 'critical',
    title: 'the DNS resolver does not answer',
    summary: 'No usable answer from {resolver} for {host}.',
    impact: 'activation',
    remedy: [
      'Ask the resolver directly with "dig {host} @ADDRESS", where ADDRESS is that of {resolver}. No answer at all ' +
        'means that it is down, or that UDP and TCP port 53 to it are blocked.',
      'SERVFAIL means that the resolver runs but cannot reach the internet, fails DNSSEC, or that a DNS filter ' +
        'blocks the name (a FortiGate may answer so, Fortinet tip 260790): look at its own log and forwarders.',
      'On FortiAuthenticator check System > Network > DNS, then test with "execute ping {host}" in its CLI.',
      'Until it is fixed, give FortiAuthenticator a second resolver that works.',
    ],
    kinds: {
      'tcp-blocked': {
        title: 'the answer is cut short, and TCP is blocked',
        summary:
          '{resolver} cuts its answer for {host} short, and over TCP, where the rest has to be fetched, it does ' +
          'not answer.',
        remedy: [
          'Allow TCP port 53 beside UDP port 53, from this machine and from {source} to {resolver}, on every ' +
            'firewall on the way: DNS needs both (RFC 7766 section 5).',
          'Ask over TCP: "dig +tcp {host} @ADDRESS", where ADDRESS is that of {resolver}. "Connection refused" may ' +
            'also come from the resolver itself: then let it listen on TCP.',
          'Until then, give FortiAuthenticator a second resolver that works.',
        ],
      },
    },
  },
  'name-not-found': {
    severity: 'critical',
    title: 'the name of the licence server does not resolve',
    summary: '{resolver} says that {host} does not exist or has no address.',
    impact: 'activation',
    remedy: [
      'Compare with a public resolver: "dig @9.9.9.9 {host}". If that one gives an address, the answer of ' +
        '{resolver} is wrong.',
      'Look for a filter (DNS firewall, response policy zone, FortiGuard DNS filter) or a local zone on {resolver} ' +
        'that covers fortinet.com, and exempt the name.',
      'If no resolver knows the name, check the spelling of licenseServer.host here and the server address on ' +
        'FortiAuthenticator under System > Administration > FortiGuard.',
    ],
  },
  'answer-hijacked': {
    severity: 'critical',
    title: 'DNS answers with a false address',
    summary: '{resolver} answers {host} with {address}, which cannot be its address.',
    impact: 'activation',
    remedy: [
      'A DNS filter, a sinkhole or a local zone answers in the place of the real name: find the rule on {resolver} ' +
        'and exempt {host}.',
      'On a FortiGate look at the DNS filter profile of the policy and at "show system dns-database".',
      'Flush the caches after the change, then repeat "ftm-watch check".',
      'If this address is right (a relay of your own), add it to licenseServer.expectedAddresses.',
    ],
  },
  'answer-unexpected': {
    severity: 'warning',
    title: 'DNS gives an address outside the expected list',
    summary: '{resolver} answers {host} with {address}, which is outside licenseServer.expectedAddresses.',
    impact: 'none',
    remedy: [
      'Fortinet may have moved the server: compare with another resolver, "dig @9.9.9.9 {host}".',
      'If firewall policies name the old address, allow the new one too.',
      'Add the address to licenseServer.expectedAddresses once you trust it.',
    ],
  },
  'resolvers-disagree': {
    severity: 'warning',
    title: 'resolvers give different addresses',
    summary: 'The configured resolvers give {host} addresses that have nothing in common.',
    impact: 'none',
    remedy: [
      'Compare the answers in the evidence: split DNS, a filter, or a stale cache is the usual reason.',
      'Make sure that FortiAuthenticator asks the resolver that is right (System > Network > DNS).',
    ],
  },
  'egress-blocked': {
    severity: 'critical',
    title: 'the licence server accepts no connection',
    summary:
      'The internet works, but {subject} accepts no connection: a firewall on the way blocks it, or the server is ' +
      'down.',
    impact: 'activation',
    remedy: SHUT_PORT_REMEDY,
    kinds: SHUT_PORT_KINDS,
    throughProxy: {
      summary: 'The proxy {proxy} opens no connection to {subject}.',
      remedy: [
        'Make sure that licenseServer.proxy here and the proxy on FortiAuthenticator are right, then ask the proxy ' +
          'itself: "curl -v -x http://{proxy} https://{host}:{port}/".',
        'No answer or "refused" from it: the proxy is down, or a firewall between {source} and {proxy} blocks the way.',
        'Status 403: on the proxy, allow CONNECT to {host}, TCP {port}, from {source}, and inspect nothing there.',
        'Status 407: the proxy wants a login: licenseServer.proxy.user and passwordFile here, and the same on ' +
          'FortiAuthenticator.',
        'Status 502, 503 or 504, or silence after the connection: the proxy does not reach the internet itself. ' +
          'Look at its log and its own resolver.',
      ],
    },
  },
  'egress-partly-blocked': {
    severity: 'warning',
    title: 'some addresses of the licence server accept no connection',
    summary: 'Only some addresses of {subject} accept a connection; {address} does not.',
    impact: 'none',
    remedy: [
      'Allow TCP {port} to every address of {host}: policies that name a single address are the usual reason. ' +
        'Prefer a policy by FQDN.',
      'If the policy allows all of them, the server behind {address} may be down: wait, and ask Fortinet if it lasts.',
    ],
  },
  'clock-skewed': {
    severity: 'warning',
    title: 'the clock of this machine is wrong',
    summary: 'The clock of this machine disagrees with the outside world: {subject}.',
    impact: 'none',
    remedy: [
      'Check time synchronisation here: "timedatectl status", "chronyc tracking".',
      'Check the clock of FortiAuthenticator too (System > Dashboard > Status, "show system ntp"): a wrong clock ' +
        'breaks certificates and one-time passwords.',
    ],
  },
};
