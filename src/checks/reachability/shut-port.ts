import type { KindWords } from '../../engine/words/cause-words.ts';

const ALLOW = 'Allow TCP {port} from {source} to {host} ({address}) on every firewall on the way.';

const LOOK_UP =
  'On a FortiGate see which policy matches: Policy & Objects > Firewall Policy > Policy Lookup, or "diagnose ' +
  'firewall iprope lookup {sourceip} 50000 {serverip} {port} 6 INTERFACE": from FortiAuthenticator to {host}, over ' +
  'the interface that its traffic comes in by.';

const SNIFF =
  'Watch the packets to {host}: "diagnose sniffer packet any \'host {serverip} and port {port}\' 4". A SYN that does not leave is blocked here; one that leaves and gets no answer is blocked further out, or the server is down.';

const ELSEWHERE =
  'Compare from another site or over another uplink: "openssl s_client -connect {host}:{port}". If it fails there ' +
  'too, the server is down: wait, and ask Fortinet TAC if it lasts.';

const HERE =
  'Make sure that it is not this machine itself: "ip route get {serverip}", "nft list ruleset". Node tells the ' +
  'time of a refusal, not its sender.';

const FROM_APPLIANCE = 'Test from FortiAuthenticator itself: "execute ping {host}" shows the address that it uses.';

/** Steps that find out whether a firewall or the server keeps the port shut. */
export const SHUT_PORT_REMEDY: readonly string[] = [
  'Two explanations are left: a firewall on the way, or the server. The log of the firewall settles it: a ' +
    'connection from {source} to {host}, TCP {port}, that was denied stands there with its policy.',
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
    title: 'nobody answers',
    summary:
      'The internet works, but nobody answers at {subject}: a firewall on the way drops the connection, or the ' +
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
    title: 'the policy look-up of the firewall denies it',
    summary:
      'The firewall does not let {source} through to {subject}: its policy look-up says so, and the port stays shut.',
    remedy: [ALLOW, LOOK_UP, FROM_APPLIANCE],
  },
};

/** A kind of `license-server-down`. */
export const SILENT_PAST_POLICY: Readonly<Record<'silent-past-policy', KindWords>> = {
  'silent-past-policy': {
    title: 'the port stays shut although the policy of the firewall lets the connection pass',
    summary:
      'No connection to {subject}, although the policy of the firewall lets {source} through: the server is ' +
      'probably down.',
    remedy: [
      ELSEWHERE,
      'The look-up speaks for one firewall and for FortiAuthenticator alone. This machine may match another ' +
        'policy, and a firewall further out may drop the connection.',
      SNIFF,
      'Retry the activation on FortiAuthenticator after "ftm-watch check" is clean.',
    ],
  },
};
