import { type KindWords, type CommandStep, fortios, shell } from '../../engine/model.ts';
import { separatePolicy } from '../firewall-policy/separate-policy.ts';

/** @param reading what a failure there would mean */
export function compare(reading: string): CommandStep {
  return shell(
    `Compare from another network. ${reading}`,
    'openssl s_client -connect {server} -servername {host} </dev/null',
  );
}

export const FREE_POLICY = separatePolicy(
  'Create a policy above the one that filters: {source} to {host}, TCP {port}, no security profile, SSL inspection ' +
    '"no-inspection".',
);

/**
 * Kinds of `tls-blocked`.
 *
 * - `name-filtered`: the same address answers to another server name
 * - `answered-nearer`: the answer arrived faster than the server could have sent it
 * - `large-answers-lost`: small answers arrive and certificates do not, from any host
 * - `all-tls-cut`: independent hosts are cut off in the same way as the licence server
 * - `page-in-plain-text`, `page-inside-tls`: a block page, instead of TLS or inside it
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
      '{subject} shows a certificate for another server name, but none for its own: something on the way probably ' +
      'filters by name.',
    remedy: [
      'Look for {host} and {source} in the logs of the web filter and of application control: a URL filter, a ' +
        'category or an application signature blocks the name in the TLS hello.',
      'Exempt {host} in that filter.',
      FREE_POLICY,
      compare('If it fails there too, the server itself refuses its own name.'),
    ],
  },
  'answered-nearer': {
    title: 'the answer came faster than the server could have sent it',
    summary: 'TLS to {subject} is cut by something nearer than the server.',
    remedy: [
      'A device between this machine and the server ends the connection, most likely a firewall of this site. Look ' +
        'for {source} and {host} in its logs of application control, intrusion prevention and web filter.',
      fortios(
        'Find the device: a FortiGate shows whether the reset comes in from outside or starts at itself.',
        "diagnose sniffer packet any 'host {serverip} and port {port}' 6 200 l",
      ),
      FREE_POLICY,
    ],
  },
  'large-answers-lost': {
    title: 'small answers arrive, but no certificate from any host',
    summary:
      'Small answers of {subject} and of the control hosts arrive, but never a certificate: large packets are ' +
      'probably lost on the way (path MTU).',
    remedy: [
      shell(
        'Find the largest packet that passes: the first command with smaller sizes until it is answered. The second ' +
          'names the hop if the routers report it.',
        'ping -M do -c 3 -s 1472 {serverip}',
        'tracepath -n {serverip}',
      ),
      separatePolicy(
        'Reduce the size of TCP segments: on a FortiGate in a policy of its own for {source} to {host}, elsewhere ' +
          'clamp the MSS to the path MTU. A tunnel (PPPoE, IPsec, GRE) or a new uplink is the usual reason.',
        'set tcp-mss-sender 1350',
        'set tcp-mss-receiver 1350',
      ),
      'Allow ICMP "fragmentation needed" (type 3, code 4) and ICMPv6 "packet too big" on every firewall on the ' +
        'way: without them no sender learns that a packet is too large (RFC 2923).',
      'If large packets pass, a device that holds certificates back to inspect them looks the same: look for ' +
        '{source} in its logs.',
    ],
  },
  'all-tls-cut': {
    title: 'TLS to control hosts ends in the same way',
    summary:
      'Ports open, but TLS fails to {subject} and to every control host: something on the way to all of them ' +
      'blocks it.',
    remedy: [
      'Look for {source} in the logs of application control and intrusion prevention: a signature for TLS or SSL ' +
        'in general, a wrong default policy, or a captive portal that waits for a login.',
      FREE_POLICY,
      'Test from FortiAuthenticator too: its traffic may match a different policy than that of this machine.',
    ],
  },
  'page-in-plain-text': {
    title: 'a block page instead of TLS',
    summary: '{subject} answers with a block page of {product} instead of TLS.',
    remedy: [
      'The page in the evidence often names the category or the rule. Find it in {product}, with {source} and ' +
        '{host} in its logs, and exempt {host}.',
      FREE_POLICY,
      'A captive portal that waits for a login answers like this too: log in, or exempt FortiAuthenticator from it.',
    ],
  },
  'page-inside-tls': {
    title: 'a block page inside TLS',
    summary: '{subject} answers with a block page of {product} inside TLS.',
    remedy: [
      'Find the category or the rule in {product}, with {source} and {host} in its logs, and exempt {host}.',
      shell(
        'The device that answers has the key of the certificate. See what is trusted here: an authority of an ' +
          'inspecting device in trust.caFiles, in trust.pins or among the learned chains makes an intercepted ' +
          'connection look genuine. Remove it.',
        'ftm-watch trust show{config}',
      ),
      "If only Fortinet's own authority is trusted, the page comes from a filter in front of the server: give TAC " +
        'the page, the time and the public address of this site.',
    ],
  },
};
