import { type CauseWords, shell, type KindWords, fortiauthenticator, fortios, type Step } from '../../engine/model.ts';
import { separatePolicy } from '../firewall-policy/separate-policy.ts';

/**
 * Kinds of `egress-blocked` behind a proxy. `through-proxy`: the proxy does not answer. The others depend on its
 * answer: it requires a login, rejects the configured login, offers no supported login scheme, is not a proxy, refuses
 * the target, or cannot reach the target itself.
 */
export type ProxyKind =
  | 'through-proxy'
  | 'proxy-login'
  | 'proxy-login-rejected'
  | 'proxy-login-scheme'
  | 'proxy-is-server'
  | 'proxy-refuses'
  | 'proxy-cannot-connect';

const ASK = shell('Check the proxy itself.', 'curl -v -x http://{proxy} https://{server}/');

const EXEMPT =
  'Or exempt the addresses of FortiAuthenticator and of this machine from the login, for {host} at least: most ' +
  'proxies can do that by source address.';

const DOES_NOT_CONNECT = 'The proxy {proxy} does not connect to {subject}.';

const PROXY_KINDS: Readonly<Record<ProxyKind, KindWords>> = {
  'through-proxy': {
    title: 'the proxy does not respond',
    summary: DOES_NOT_CONNECT,
    remedy: [
      shell(
        'Make sure that licenseServer.proxy here and the proxy on FortiAuthenticator are correct, then check the ' +
          'proxy.',
        'curl -v -x http://{proxy} https://{server}/',
      ),
      'If there is no response, or "refused", the proxy is down or a firewall between {source} and {proxy} blocks ' +
        'the connection.',
      'If nothing follows after the connection, the proxy itself cannot reach the internet or resolve {host}. Check ' +
        'its log and its resolver.',
    ],
  },
  'proxy-login': {
    title: 'the proxy requires a login',
    summary: 'The proxy {proxy} requires a login before it connects to {subject}.',
    remedy: [
      'Set licenseServer.proxy.user and passwordFile here, and the same login on FortiAuthenticator.',
      EXEMPT,
      ASK,
    ],
  },
  'proxy-login-rejected': {
    title: 'the proxy rejects the login',
    summary: 'The proxy {proxy} rejects the configured user name and password, and does not connect to {subject}.',
    remedy: [
      'Check on the proxy whether the account is locked or expired, and whether it may use CONNECT.',
      'Correct the password in the file set in licenseServer.proxy.passwordFile, and on FortiAuthenticator.',
      EXEMPT,
    ],
  },
  'proxy-login-scheme': {
    title: 'the proxy offers no login with user name and password',
    summary: 'The proxy {proxy} requires a login by {found} before it connects to {subject}.',
    remedy: [
      'A user and a password are sent as Basic, which the proxy does not offer: setting them does not help.',
      'Exempt the addresses of FortiAuthenticator and of this machine from the login, for {host} at least: most ' +
        'proxies can do that by source address.',
      'Or let the proxy offer Basic to these two addresses, and set licenseServer.proxy.user and passwordFile.',
    ],
  },
  'proxy-is-server': {
    title: 'it answers like a web server',
    summary: '{proxy} answers CONNECT with status 401, as a web server does and a proxy does not.',
    remedy: [
      'Check that {proxy} is the address and port of the proxy: a proxy that requires a login returns 407. Its ' +
        'administration or a web server may listen there.',
      ASK,
      'If it is the proxy, read its response in the evidence: it requires a login, but does not return 407 as a ' +
        'proxy should.',
    ],
  },
  'proxy-refuses': {
    title: 'the proxy refuses the connection',
    summary: DOES_NOT_CONNECT,
    remedy: [
      'On the proxy, allow CONNECT to {host}, TCP {port}, from {source}, without inspection. Its page in the ' +
        'evidence often shows the rule or the category.',
      ASK,
    ],
  },
  'proxy-cannot-connect': {
    title: 'the proxy cannot reach the server',
    summary: 'The proxy {proxy} answers, but cannot reach {subject} itself.',
    remedy: [
      "Check the proxy's log, its resolver, and the firewall between it and the internet.",
      "On that firewall, allow TCP {port} from the proxy's address to {host}.",
      ASK,
    ],
  },
};

const ALLOW =
  'Allow TCP {port} from {source} to {host} ({address}) on every firewall on the path. On a FortiGate, create a ' +
  'separate policy.';

const LOOK_UP = fortios(
  'On a FortiGate, check which policy matches, on the command line or with Policy & Objects > Firewall Policy > ' +
    'Policy Lookup.',
  'diagnose firewall iprope lookup {sourceip} 50000 {serverip} {port} 6 {ingress}',
);

const SNIFF = fortios(
  'Watch the packets to {host} on a FortiGate. A SYN that does not leave is blocked there. If it leaves and gets no ' +
    'answer, it is blocked further out, or the server is down.',
  "diagnose sniffer packet any 'host {serverip} and port {port}' 6 200 l",
);

const ELSEWHERE = shell(
  'Compare from another site or uplink. If it fails there too, the server is down: wait, and ask Fortinet TAC if it ' +
    'persists.',
  'openssl s_client -connect {server} </dev/null',
);

const HERE = shell(
  'Rule out this machine itself: check its route and packet filter. ftm-watch measures how quickly a refusal ' +
    'arrives, but cannot detect its sender.',
  'ip route get {serverip}',
  'nft list ruleset',
);

const FROM_APPLIANCE = fortiauthenticator(
  'Test from FortiAuthenticator itself: the output shows the address that it uses.',
  'execute ping {host}',
);

/** Used after a repair outside FortiAuthenticator. */
export const RETRY_WHEN_CLEAN = shell(
  'Retry the activation on FortiAuthenticator as soon as the check is clean.',
  'ftm-watch check{config}',
);

/** Steps that determine whether a firewall or the server keeps the port shut. */
const SHUT_PORT_REMEDY: readonly Step[] = [
  'Either a firewall on the path or the server is at fault. To find out which, search the firewall log for a denied ' +
    'connection from {source} to {host}, TCP {port}, and its policy.',
  LOOK_UP,
  ELSEWHERE,
  SNIFF,
  separatePolicy(`If a firewall blocks it: ${ALLOW}`),
  FROM_APPLIANCE,
];

/** Kinds of `egress-blocked`: how the port stays shut. */
export type ShutPortKind =
  | 'no-answer'
  | 'no-answer-from-any'
  | 'refused'
  | 'refused-nearer'
  | 'all-refused'
  | 'denied-by-policy';

const SHUT_PORT_KINDS: Readonly<Record<ShutPortKind, KindWords>> = {
  'no-answer': {
    title: 'no answer',
    summary:
      'The internet works, but {subject} does not answer: a firewall on the path drops the connection, or the server ' +
      'is down.',
    remedy: SHUT_PORT_REMEDY,
  },
  'no-answer-from-any': {
    title: 'no answer, and none from a control host',
    summary:
      '{subject} does not answer, and no control host accepts a connection: a firewall on the path drops the ' +
      'connection, or the internet connection or the server is down.',
    remedy: [
      'If a firewall blocks the control hosts on purpose, set controlHosts to hosts that it allows: they help to ' +
        'distinguish this from a dead internet connection.',
      ...SHUT_PORT_REMEDY,
    ],
  },
  refused: {
    title: 'the connection is refused',
    summary:
      'Connections to {subject} are refused, so something answers: a firewall on the path or the server itself ' +
      'rejects them.',
    remedy: SHUT_PORT_REMEDY,
  },
  'refused-nearer': {
    title: 'something nearer than the server refuses the connection',
    summary:
      'Connections to {subject} are refused by something nearer than the server: a firewall on the path rejects them.',
    remedy: [separatePolicy(ALLOW), LOOK_UP, HERE, SNIFF, FROM_APPLIANCE],
  },
  'all-refused': {
    title: 'the control hosts refuse it too',
    summary:
      'Connections to {subject} are refused, and so are those to every control host: something on the path to all of ' +
      'them refuses them, such as a firewall, or a proxy that is down.',
    remedy: [
      'Find what handles TCP port {port} from {source}: a firewall that rejects it, or a stopped transparent proxy ' +
        'or inspecting device that the gateway redirects it to. Check its log and restart it.',
      LOOK_UP,
      SNIFF,
      separatePolicy(`If a policy rejects it: ${ALLOW}`),
      HERE,
      FROM_APPLIANCE,
    ],
  },
  'denied-by-policy': {
    title: 'the firewall policy denies it',
    summary: 'The policy lookup of the firewall denies {source} access to {subject}, and the port stays closed.',
    remedy: [separatePolicy(ALLOW), LOOK_UP, FROM_APPLIANCE],
  },
};

/** A kind of `license-server-down`. */
export const SILENT_PAST_POLICY: Readonly<Record<'silent-past-policy', KindWords>> = {
  'silent-past-policy': {
    title: 'the port stays closed although the firewall policy allows the connection',
    summary:
      '{subject} accepts no connection, although the firewall policy allows {source}: the server is probably down.',
    remedy: [
      ELSEWHERE,
      'The lookup covers only one firewall and the traffic of FortiAuthenticator. This machine may match another ' +
        'policy, and a firewall further out may drop the connection.',
      SNIFF,
      RETRY_WHEN_CLEAN,
    ],
  },
};

export const REACHABILITY_CAUSES = {
  'egress-blocked': {
    severity: 'critical',
    title: 'the licence server accepts no connection',
    short: 'server accepts no connection',
    headline: '{subject} accepts no connection',
    byFirewall: {
      action: 'denies',
      headline: 'the connection is blocked by {culprit}',
      summary: "FortiAuthenticator's connection from {source} to {subject} is blocked by {culprit}.",
    },
    summary:
      'The internet works, but {subject} accepts no connection: a firewall on the path blocks it, or the server is ' +
      'down.',
    impact: 'activation',
    sources: ['ta-p/194050', 'docs:fortigate/7.2.13/administration-guide'],
    remedy: SHUT_PORT_REMEDY,
    kinds: {
      ...SHUT_PORT_KINDS,
      ...PROXY_KINDS,
    },
  },
  'proxy-slow': {
    severity: 'warning',
    title: 'the proxy is slow to connect',
    short: 'proxy is slow to connect',
    headline: 'the proxy is slow to connect to {subject}',
    summary: 'The proxy {proxy} took {waited} to connect to {subject}: FortiAuthenticator may time out earlier.',
    impact: 'none',
    remedy: [
      "Check the proxy's log for the reason: a resolver that does not answer, a slow login check, or its own load.",
      shell(
        'Measure the time again, without FortiAuthenticator.',
        "curl -s -o /dev/null -w '%{time_appconnect} s\\n' -x http://{proxy} https://{server}/",
      ),
      'If FortiAuthenticator logs "connection timeout" at the same time, it does time out: on the proxy, exempt ' +
        '{host} from whatever causes the delay.',
    ],
  },
  'egress-partly-blocked': {
    severity: 'warning',
    partOf: 'egress-blocked',
    title: 'some addresses of the licence server accept no connection',
    short: 'some server addresses blocked',
    headline: 'some addresses of {subject} accept no connection',
    summary: 'Only some addresses of {subject} accept a connection; {address} does not.',
    impact: 'none',
    sources: ['ta-p/327581'],
    remedy: [
      'Allow TCP {port} to every address of {host}: policies with a single address are the usual reason. Prefer a ' +
        'policy by FQDN.',
      'If the policy allows all of them, the server behind {address} may be down: wait, and ask Fortinet if it ' +
        'persists.',
    ],
  },
} satisfies Readonly<Record<string, CauseWords>>;

export type ReachabilityCause = keyof typeof REACHABILITY_CAUSES;
