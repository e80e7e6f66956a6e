import type { KindWords } from '../../engine/words/cause-words.ts';
import { fortiauthenticator, fortios, shell, type Step } from '../../engine/words/step.ts';
import { separatePolicy } from '../firewall-policy/separate-policy.ts';

const ALLOW =
  'Allow TCP {port} from {source} to {host} ({address}) on every firewall on the way. On a FortiGate a policy of its ' +
  'own does it.';

const LOOK_UP = fortios(
  'On a FortiGate see which policy matches, by its command line or by Policy & Objects > Firewall Policy > Policy ' +
    'Lookup.',
  'diagnose firewall iprope lookup {sourceip} 50000 {serverip} {port} 6 {ingress}',
);

const SNIFF = fortios(
  'Watch the packets to {host} on a FortiGate. A SYN that does not leave is blocked here; one that leaves and gets no ' +
    'answer is blocked further out, or the server is down.',
  "diagnose sniffer packet any 'host {serverip} and port {port}' 6 200 l",
);

const ELSEWHERE = shell(
  'Compare from another site or over another uplink. If it fails there too, the server is down: wait, and ask ' +
    'Fortinet TAC if it lasts.',
  'openssl s_client -connect {server} </dev/null',
);

const HERE = shell(
  'Rule out this machine itself: its route and its packet filter. ftm-watch knows how fast a refusal came, not who ' +
    'sent it.',
  'ip route get {serverip}',
  'nft list ruleset',
);

const FROM_APPLIANCE = fortiauthenticator(
  'Test from FortiAuthenticator itself: it shows the address that it uses.',
  'execute ping {host}',
);

/** After something outside was repaired. */
export const RETRY_WHEN_CLEAN = shell(
  'Retry the activation on FortiAuthenticator as soon as the check is clean.',
  'ftm-watch check{config}',
);

/** Steps that find out whether a firewall or the server keeps the port shut. */
export const SHUT_PORT_REMEDY: readonly Step[] = [
  'Either a firewall on the way or the server is at fault. The log of the firewall shows which: look there for a ' +
    'denied connection from {source} to {host}, TCP {port}, and its policy.',
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

export const SHUT_PORT_KINDS: Readonly<Record<ShutPortKind, KindWords>> = {
  'no-answer': {
    title: 'no answer',
    summary:
      'The internet works, but {subject} does not answer: a firewall on the way drops the connection, or the ' +
      'server is down.',
    remedy: SHUT_PORT_REMEDY,
  },
  'no-answer-from-any': {
    title: 'no answer, and none from a control host',
    summary:
      '{subject} does not answer, and no control host accepts a connection: a firewall on the way drops the ' +
      'connection, or the internet connection or the server is down.',
    remedy: [
      'If a firewall blocks the control hosts on purpose, name hosts in controlHosts that it lets out: with them a ' +
        'dead internet connection is told apart from this.',
      ...SHUT_PORT_REMEDY,
    ],
  },
  refused: {
    title: 'the connection is refused',
    summary:
      'Connections to {subject} are refused, so something answers: a firewall on the way rejects them, or the ' +
      'server does.',
    remedy: SHUT_PORT_REMEDY,
  },
  'refused-nearer': {
    title: 'something nearer than the server refuses the connection',
    summary:
      'Connections to {subject} are refused by something nearer than the server: a firewall on the way rejects them.',
    remedy: [separatePolicy(ALLOW), LOOK_UP, HERE, SNIFF, FROM_APPLIANCE],
  },
  'all-refused': {
    title: 'the control hosts refuse it too',
    summary:
      'Connections to {subject} are refused, and so are those to every control host: something on the way to all of ' +
      'them refuses them, such as a firewall, or a proxy that is down.',
    remedy: [
      'Find what takes TCP port {port} from {source}: a firewall that rejects it, or a transparent proxy or inspecting ' +
        'device to which the gateway redirects it and which is not running. Look in its log, and restart it.',
      LOOK_UP,
      SNIFF,
      separatePolicy(`If a policy rejects it: ${ALLOW}`),
      HERE,
      FROM_APPLIANCE,
    ],
  },
  'denied-by-policy': {
    title: 'the policy of the firewall denies it',
    summary: 'The policy look-up of the firewall denies {source} the way to {subject}, and the port stays shut.',
    remedy: [separatePolicy(ALLOW), LOOK_UP, FROM_APPLIANCE],
  },
};

/** A kind of `license-server-down`. */
export const SILENT_PAST_POLICY: Readonly<Record<'silent-past-policy', KindWords>> = {
  'silent-past-policy': {
    title: 'the port stays shut although the policy of the firewall allows the connection',
    summary:
      'No connection to {subject}, although the policy of the firewall lets {source} through: the server is ' +
      'probably down.',
    remedy: [
      ELSEWHERE,
      'The look-up covers one firewall and the traffic of FortiAuthenticator only. This machine may match another ' +
        'policy, and a firewall further out may drop the connection.',
      SNIFF,
      RETRY_WHEN_CLEAN,
    ],
  },
};
