import type { KindWords } from '../../engine/words/cause-words.ts';

export const COMPARE = 'Compare from another network: "openssl s_client -connect {host}:{port} -servername {host}".';

export const FREE_POLICY =
  'Put a policy without any security profile, with SSL inspection "no-inspection", for {source} to {host}, TCP ' +
  '{port}, above the one that filters.';

/**
 * Kinds of `tls-blocked`.
 *
 * - `name-filtered`: the same address answers to another server name
 * - `answered-nearer`: the answer came faster than the server's could have come
 * - `large-answers-lost`: small answers arrive and certificates do not, from anywhere
 * - `all-tls-cut`: independent hosts are cut just as the licence server is
 * - `page-in-plain-text`, `page-inside-tls`: a block page, in the place of TLS or within it
 */
export type BlockedTlsKind =
  | 'name-filtered'
  | 'answered-nearer'
  | 'large-answers-lost'
  | 'all-tls-cut'
  | 'page-in-plain-text'
  | 'page-inside-tls';

export const BLOCKED_TLS_KINDS: Readonly<Record<BlockedTlsKind, KindWords>> = {
  'name-filtered': {
    title: 'another server name passes at the same address',
    summary:
      '{subject} shows a certificate to another server name and none to its own: something on the way probably ' +
      'filters by name.',
    remedy: [
      'Look for {host} and {source} in the logs of the web filter and of application control: a URL filter, a ' +
        'category or an application signature stops the name in the TLS hello.',
      'Exempt {host} in that filter.',
      FREE_POLICY,
      `${COMPARE} If it fails there too, the server itself refuses its own name.`,
    ],
  },
  'answered-nearer': {
    title: 'the answer came faster than the server could have sent it',
    summary: 'TLS to {subject} is cut by something nearer than the server.',
    remedy: [
      'A device between this machine and the server ends the connection, most likely a firewall of this site. Look ' +
        'for {source} and {host} in its logs of application control, intrusion prevention and web filter.',
      'Find the device: "diagnose sniffer packet any \'host {serverip} and port {port}\' 4" on a FortiGate shows ' +
        'whether the reset comes in from outside or leaves without having come in.',
      FREE_POLICY,
    ],
  },
  'large-answers-lost': {
    title: 'small answers arrive, certificates do not, from anywhere',
    summary:
      '{subject} and the control hosts answer what is small and never send a certificate: large packets are ' +
      'probably lost on the way (path MTU).',
    remedy: [
      'Find the largest packet that passes: "ping -M do -s 1472 {serverip}", then with less until it is answered; ' +
        '"tracepath -n {serverip}" names the hop, where routers tell.',
      'Let TCP segments be smaller: on a FortiGate "set tcp-mss-sender 1350" and "set tcp-mss-receiver 1350" in ' +
        'the policy, elsewhere clamp the MSS to the path MTU. A tunnel (PPPoE, IPsec, GRE) or a new uplink is the ' +
        'usual reason.',
      'Allow ICMP "fragmentation needed" (type 3, code 4) and ICMPv6 "packet too big" on every firewall on the ' +
        'way: without them no sender learns what is too large (RFC 2923).',
      'If large packets pass, a device that holds certificates back to inspect them looks the same: look for ' +
        '{source} in its logs.',
    ],
  },
  'all-tls-cut': {
    title: 'TLS to control hosts ends in the same way',
    summary:
      'Ports open, but neither {subject} nor any control host gets TLS through: something on the way that they ' +
      'share blocks it.',
    remedy: [
      'Look for {source} in the logs of application control and intrusion prevention: a signature for TLS or SSL ' +
        'as such, a wrong default policy, or a captive portal that waits for a login.',
      FREE_POLICY,
      'Test from FortiAuthenticator too: its traffic may match another policy than that of this machine.',
    ],
  },
  'page-in-plain-text': {
    title: 'a block page in the place of TLS',
    summary: 'In the place of TLS, {subject} answers with a block page of {product}.',
    remedy: [
      'The page in the evidence often names the category or the rule. Find it in {product}, with {source} and ' +
        '{host} in its logs, and exempt {host}.',
      FREE_POLICY,
      'A captive portal that waits for a login answers in this way too: log in, or exempt FortiAuthenticator from it.',
    ],
  },
  'page-inside-tls': {
    title: 'a block page within TLS',
    summary: 'Within TLS, {subject} answers with a block page of {product}.',
    remedy: [
      'Find the category or the rule in {product}, with {source} and {host} in its logs, and exempt {host}.',
      'The device that answers has the key of the certificate. Run "ftm-watch trust show": an authority of an inspecting ' +
        'device in trust.caFiles, in trust.pins or in what was learned makes an intercepted connection look genuine. ' +
        'Take it out.',
      "If what is trusted is Fortinet's own alone, the page comes from a filter in front of the server: give TAC " +
        'the page, the time and the public address of this site.',
    ],
  },
};
