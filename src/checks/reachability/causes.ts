import {
  type CauseWords,
  type Finding,
  shell,
  type KindWords,
  fortiauthenticator,
  fortios,
  type Step,
  kindVariants,
} from '../../engine/model.ts';
import { MOVE_UP_IF_MATCHED, separatePolicy } from '../firewall-policy/separate-policy.ts';

const ASK = shell('Check the proxy itself.', 'curl -v -x http://{proxy} https://{server}/');

const EXEMPT =
  'Alternatively, exempt the addresses of FortiAuthenticator and of ftm-watch from authentication, at least for ' +
  '{host}. Most proxies can exempt clients by source address.';

const DOES_NOT_CONNECT = 'The proxy {proxy} does not connect to {subject}.';

/** `through-proxy`: the proxy does not respond. The other kinds depend on its response. */
const PROXY_KINDS = {
  'through-proxy': {
    name: 'the proxy does not respond',
    summary: DOES_NOT_CONNECT,
    remedy: [
      shell(
        'Make sure that licenseServer.proxy in ftm-watch and the proxy on FortiAuthenticator are correct, then check ' +
          'the proxy.',
        'curl -v -x http://{proxy} https://{server}/',
      ),
      'If there is no response, or "refused", the proxy is down or a firewall between {source} and {proxy} blocks ' +
        'the connection.',
      'If the connection opens but nothing follows, the proxy cannot reach the internet or resolve {host}. Check ' +
        "the proxy's log and resolver.",
    ],
  },
  'proxy-login': {
    name: 'the proxy requires a login',
    summary: 'The proxy {proxy} requires a login before it connects to {subject}.',
    remedy: [
      'Set licenseServer.proxy.user and passwordFile in ftm-watch, and the same login on FortiAuthenticator.',
      EXEMPT,
      ASK,
    ],
  },
  'proxy-login-rejected': {
    name: 'the proxy rejects the login',
    summary: 'The proxy {proxy} rejects the configured user name and password, and does not connect to {subject}.',
    remedy: [
      'On the proxy, check whether the account is locked or expired, and whether it is permitted to use CONNECT.',
      'Correct the password in the file named in licenseServer.proxy.passwordFile, and on FortiAuthenticator.',
      EXEMPT,
    ],
  },
  'proxy-login-scheme': {
    name: 'the proxy offers no Basic login',
    summary: 'The proxy {proxy} requires a login with {found} before it connects to {subject}.',
    remedy: [
      'ftm-watch supports only Basic authentication, which the proxy does not offer.',
      'Exempt the addresses of FortiAuthenticator and of ftm-watch from authentication, at least for {host}. Most ' +
        'proxies can exempt clients by source address.',
      'Alternatively, configure the proxy to offer Basic authentication to these two addresses, and set ' +
        'licenseServer.proxy.user and passwordFile.',
    ],
  },
  'proxy-refuses': {
    name: 'the proxy refuses the connection[ to {subject}]',
    summary: DOES_NOT_CONNECT,
    remedy: [
      'On the proxy, allow CONNECT to {host}, TCP {port}, from {source}, without inspection. The block ' +
        'page in the evidence often shows the rule or category.',
      'If the response is not from a proxy, check that {proxy} is the address and port of the proxy. A web server, ' +
        "or the proxy's administration interface, may be listening there.",
      ASK,
    ],
  },
  'proxy-cannot-connect': {
    name: 'the proxy cannot reach [{subject}|the server]',
    summary: 'The proxy {proxy} answers, but cannot reach {subject}.',
    remedy: [
      "Check the proxy's log, its resolver, and the firewall between it and the internet.",
      "On that firewall, allow TCP {port} from the proxy's address to {host}.",
      ASK,
    ],
  },
} satisfies Readonly<Record<string, KindWords>>;

export type ProxyKind = keyof typeof PROXY_KINDS;

const ACCESS =
  'TCP {port} from {source} to {host} ({address}) on every firewall on the path. On a FortiGate, create a separate ' +
  'policy.';

const LOOK_UP = fortios(
  'On a FortiGate, check which policy matches, on the command line or with Policy & Objects > Firewall Policy > ' +
    'Policy Lookup.',
  'diagnose firewall iprope lookup {sourceip} 50000 {serverip} {port} 6 {ingress}',
);

const SNIFF = fortios(
  'Capture the packets to {host} on a FortiGate. A SYN that does not leave the FortiGate is blocked there. If a SYN ' +
    'leaves but is not answered, it is blocked further along the path, or the server is down.',
  "diagnose sniffer packet any 'host {serverip} and port {port}' 6 200 l",
);

const ELSEWHERE = shell(
  'Connect from another site or uplink. If the connection fails there too, the server is down. Wait, ' +
    'and if the fault persists, ask {operator}.',
  'openssl s_client -connect {server} </dev/null',
);

const HERE = shell(
  "Check the ftm-watch machine's route and packet filter, because that machine may itself be blocking the " +
    'connection. ftm-watch measures how quickly a refusal arrives, but cannot identify the sender.',
  'ip route get {serverip}',
  'nft list ruleset',
);

const FROM_APPLIANCE = fortiauthenticator(
  'Test from FortiAuthenticator itself. The output shows the address that FortiAuthenticator uses.',
  'execute ping {host}',
);

export const RETRY_WHEN_CLEAN = shell(
  'Retry the activation on FortiAuthenticator as soon as the check finds no fault.',
  'ftm-watch check{config}',
);

const SHUT_PORT_REMEDY: readonly Step[] = [
  'Either a firewall on the path or the server is at fault. To find out which, search the firewall log for a denied ' +
    'connection from {source} to {host}, TCP {port}, and its policy.',
  LOOK_UP,
  ELSEWHERE,
  SNIFF,
  separatePolicy(`If a firewall blocks the connection, allow ${ACCESS}`),
  MOVE_UP_IF_MATCHED,
  FROM_APPLIANCE,
];

const SHUT_PORT_KINDS = {
  'no-answer-from-any': {
    name: 'no host answers[, including {subject}]',
    summary:
      '{subject} does not answer, and no unrelated host accepts a connection. A firewall on the path drops the ' +
      'connection, the internet connection is down, or the server is down.',
    remedy: [
      'If a firewall is meant to block the unrelated hosts, set controlHosts to hosts that it allows. ftm-watch can ' +
        'then distinguish a blocked server from a dead internet connection.',
      ...SHUT_PORT_REMEDY,
    ],
  },
  'refused-nearer': {
    name: 'a device refuses connections[ to {subject}]',
    summary:
      'Connections to {subject} are refused by a device on the path, probably a firewall, before they reach the ' +
      'server.',
    remedy: [separatePolicy(`Allow ${ACCESS}`), MOVE_UP_IF_MATCHED, LOOK_UP, HERE, SNIFF, FROM_APPLIANCE],
  },
  'all-refused': {
    name: 'connections to all hosts are refused',
    summary:
      'Connections to {subject} and to every unrelated host that was tried are refused. A device on the path to all ' +
      'of them, such as a firewall or a stopped transparent proxy, refuses the connections.',
    remedy: [
      'Find the device that handles TCP port {port} traffic from {source}, such as a firewall that rejects it, or a ' +
        'stopped transparent proxy or inspecting device to which the gateway redirects it. Check its log and ' +
        'restart it.',
      LOOK_UP,
      SNIFF,
      separatePolicy(`If a policy rejects the connection, allow ${ACCESS}`),
      MOVE_UP_IF_MATCHED,
      HERE,
      FROM_APPLIANCE,
    ],
  },
  'reached-elsewhere': {
    name: 'only this site cannot connect[ to {subject}]',
    summary:
      'Other networks connect to {subject}, but this site cannot. A firewall or a provider on the path blocks the ' +
      "connection, or the server refuses this site's address.",
    remedy: [
      'Search the firewall log for a denied connection from {source} to {host}, TCP {port}, and its policy.',
      LOOK_UP,
      SNIFF,
      separatePolicy(`If a firewall blocks the connection, allow ${ACCESS}`),
      MOVE_UP_IF_MATCHED,
      "If the connection leaves the site's last firewall and nothing answers, send the evidence to the internet " +
        'provider.',
      FROM_APPLIANCE,
    ],
  },
  'denied-by-policy': {
    name: 'a policy denies access[ to {subject}]',
    summary:
      "According to the firewall's policy lookup, {source} is denied access to {subject}, and the port is closed.",
    remedy: [separatePolicy(`Allow ${ACCESS}`), MOVE_UP_IF_MATCHED, LOOK_UP, FROM_APPLIANCE],
  },
} satisfies Readonly<Record<string, KindWords>>;

export type ShutPortKind = keyof typeof SHUT_PORT_KINDS;

const ALSO_UNRELATED: readonly (string | undefined)[] = ['all-refused', 'no-answer-from-any'] satisfies ShutPortKind[];

/** Returns whether unrelated hosts have the same fault, in which case the licence server is not the cause. */
export function affectsUnrelatedHosts({ kind }: Pick<Finding, 'kind'>): boolean {
  return ALSO_UNRELATED.includes(kind);
}

/** Kind of `license-server-down` for a closed port if the firewall policy accepts the connection. */
export const SILENT_PAST_POLICY: Readonly<Record<'silent-past-policy', KindWords>> = {
  'silent-past-policy': {
    name: '[{subject}|the server] is down or blocked',
    summary:
      '{subject} does not accept connections, although the firewall policy allows {source}. Either another firewall ' +
      'on the path blocks them, or the server is down.',
    remedy: [
      ELSEWHERE,
      "The lookup covers only one firewall, and only FortiAuthenticator's traffic. The ftm-watch machine's traffic " +
        'may match a different policy, and a later firewall may drop the connection.',
      SNIFF,
      RETRY_WHEN_CLEAN,
    ],
  },
};

export const REACHABILITY_CAUSES = {
  'egress-blocked': {
    severity: 'critical',
    name: 'connections to [{subject}|the server] fail',
    summary: '{subject} does not accept connections. Either a firewall on the path blocks them, or the server is down.',
    impact: 'activation',
    sources: ['ta-p/194050', 'docs:fortigate/7.2.13/administration-guide'],
    remedy: SHUT_PORT_REMEDY,
    variants: [
      ...kindVariants({ ...SHUT_PORT_KINDS, ...PROXY_KINDS }),
      {
        when: { culprit: 'denies' },
        name: '[{policy} blocks the path|a policy blocks the path]',
        summary: "FortiAuthenticator's connection from {source} to {subject} is blocked by {culprit}.",
      },
    ],
  },
  'proxy-slow': {
    severity: 'warning',
    name: 'the proxy is slow to connect[ to {subject}]',
    summary: 'The proxy {proxy} took {waited} to connect to {subject}, and FortiAuthenticator may time out earlier.',
    impact: 'none',
    remedy: [
      "Check the proxy's log for the reason, such as a resolver that does not answer, a slow login check, or " +
        'high load.',
      shell(
        'Measure the delay from the ftm-watch machine.',
        "curl -s -o /dev/null -w '%{time_total} s\\n' -x http://{proxy} https://{server}/",
      ),
      'If FortiAuthenticator logs "connection timeout" at the same time, it does time out. On the proxy, exempt ' +
        '{host} from the feature that causes the delay.',
    ],
  },
  'egress-partly-blocked': {
    severity: 'warning',
    name: 'some addresses[ of {subject}] are unreachable',
    summary: 'Some addresses of {subject} accept connections, but {address} does not.',
    impact: 'none',
    sources: ['ta-p/327581'],
    remedy: [
      'Allow TCP {port} to every address of {host}. The usual cause is a policy that allows only one address. ' +
        'Prefer a policy with an FQDN.',
      'If the policy allows all of them, the server behind {address} may be down. Wait, and if the fault ' +
        'persists, ask {operator}.',
    ],
  },
} satisfies Readonly<Record<string, CauseWords>>;

export type ReachabilityCause = keyof typeof REACHABILITY_CAUSES;
