import type { KindWords } from '../../engine/words/cause-words.ts';

const ALLOW = 'Allow TCP {port} from {source} to {host} ({address}) on every firewall on the way.';

const LOOK_UP =
  'On a FortiGate see which policy matches: Policy & Objects > Firewall Policy > Policy Lookup, or "diagnose ' +
  'firewall iprope lookup {sourceip} 50000 {serverip} {port} 6 INTERFACE", where INTERFACE is the one at which ' +
  'the traffic of FortiAuthenticator comes in.';

const SNIFF =
  'Watch the packets to {host}: "diagnose sniffer packet any \'host {serverip} and port {port}\' 4". A SYN that ' +
  'does not leave is blocked here; one that leaves and gets no answer is blocked further out, or the server is ' +
  'down.';

const ELSEWHERE =
  'Compare from another site or over another uplink: "openssl s_client -connect {host}:{port}". If it fails there ' +
  'too, the server is down: wait, and ask Fortinet TAC if it lasts.';

const HERE =
  'Rule out this machine itself: "ip route get {serverip}", "nft list ruleset". ftm-watch knows how fast a ' +
  'refusal came, not who sent it.';

const FROM_APPLIANCE = 'Test from FortiAuthenticator itself: "execute ping {host}" shows the address that it uses.';

/** Steps that find out whether a firewall or the server keeps the port shut. */
export const SHUT_PORT_REMEDY: readonly string[] = [
  'Either a firewall on the way or the server is at fault. The log of the firewall shows which: look there for a ' +
    'denied connection from {source} to {host}, TCP {port}, and its policy.',
  LOOK_UP,
  ELSEWHERE,
  SNIFF,
  `If a firewall blocks it: ${ALLOW}`,
  FROM_APPLIANCE,
];

/** Kinds of `egress-blocked`: how the port stays shut. */
export type ShutPortKind = 'no-answer' | 'refused' | 'refused-nearer' | 'denied-by-policy';

export const SHUT_PORT_KINDS: Readonly<Record<ShutPortKind, KindWords>> = {
  'no-answer': {
    title: 'no answer',
    summary:
      'The internet works, but {subject} does not answer: a firewall on the way drops the connection, or the ' +
      'server is down.',
    remedy: SHUT_PORT_REMEDY,
  },
  refused: {
    title: 'the connection is refused',
    summary:
      'The internet works, but connections to {subject} are refused: a firewall on the way rejects them, or the ' +
      'server does.',
    remedy: SHUT_PORT_REMEDY,
  },
  'refused-nearer': {
    title: 'something nearer than the server refuses the connection',
    summary:
      'Connections to {subject} are refused by something nearer than the server: a firewall on the way rejects them.',
    remedy: [ALLOW, LOOK_UP, HERE, SNIFF, FROM_APPLIANCE],
  },
  'denied-by-policy': {
    title: 'the policy of the firewall denies it',
    summary: 'The policy look-up of the firewall denies {source} the way to {subject}, and the port stays shut.',
    remedy: [ALLOW, LOOK_UP, FROM_APPLIANCE],
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
      'Retry the activation on FortiAuthenticator after "ftm-watch check" is clean.',
    ],
  },
};
