import { type KindWords, type CommandStep, fortios, shell } from '../../engine/model.ts';
import { separatePolicy } from '../firewall-policy/separate-policy.ts';

/** @param reading a sentence that explains how to read the comparison */
export function compare(reading: string): CommandStep {
  return shell(
    `Compare from another network. ${reading}`,
    'openssl s_client -connect {server} -servername {host} </dev/null',
  );
}

export const FREE_POLICY = separatePolicy(
  'Create a policy above the filtering policy: {source} to {host}, TCP {port}, no security profile, SSL inspection ' +
    '"no-inspection".',
);

/**
 * `name-filtered`: another server name works at the same address. `answered-nearer`: the answer came faster than the
 * server could send it. `large-answers-lost`: small answers arrive, but certificates do not. `all-tls-cut`: connections
 * to independent hosts are closed in the same way. `page-…`: a block page is received instead of TLS, or over TLS.
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
    title: 'another server name works at the same address',
    summary:
      '{subject} presents a certificate if another server name is used, but none for its own name. A device on ' +
      'the path probably filters by name.',
    remedy: [
      'Search the web filter and application control logs for {host} and {source}. A URL filter, a category or an ' +
        'application signature probably blocks the name in the TLS hello.',
      'Exempt {host} from that filter.',
      FREE_POLICY,
      compare('If TLS fails there too, the server itself refuses the name.'),
    ],
  },
  'answered-nearer': {
    title: 'the answer arrived faster than the server could have sent it',
    summary: 'TLS connections to {subject} are closed by a device on the path, before they reach the server.',
    remedy: [
      'A device between this machine and the server ends the connection, most likely a firewall at this site. Search ' +
        'its application control, intrusion prevention and web filter logs for {source} and {host}.',
      fortios(
        'Use the sniffer on a FortiGate to find out whether the reset comes from outside or from the FortiGate.',
        "diagnose sniffer packet any 'host {serverip} and port {port}' 6 200 l",
      ),
      FREE_POLICY,
    ],
  },
  'large-answers-lost': {
    title: 'small answers arrive, but no host sends a certificate',
    summary:
      'Small answers from {subject} and the control hosts arrive, but no certificates. Large packets are ' +
      'probably lost on the path (path MTU).',
    remedy: [
      shell(
        'Find the largest packet that gets through by running the first command with decreasing sizes until it is ' +
          'answered. The second command shows the hop if the routers report it.',
        'ping -M do -c 3 -s 1472 {serverip}',
        'tracepath -n {serverip}',
      ),
      separatePolicy(
        'Reduce the size of TCP segments. On a FortiGate, do this in a separate policy for {source} to {host}. ' +
          'On other devices, clamp the MSS to the path MTU. The usual reason is a tunnel (PPPoE, IPsec, GRE) or a ' +
          'new uplink.',
        'set tcp-mss-sender 1350',
        'set tcp-mss-receiver 1350',
      ),
      'Allow ICMP "fragmentation needed" (type 3, code 4) and ICMPv6 "packet too big" on every firewall on the ' +
        'path. Without these messages, senders do not learn that a packet is too large (RFC 2923).',
      'If large packets get through, an inspecting device may be holding back certificates. Search the logs of such ' +
        'devices for {source}.',
    ],
  },
  'all-tls-cut': {
    title: 'TLS connections to control hosts fail in the same way',
    summary:
      'Ports open, but TLS connections to {subject} and to every control host fail. A device on the path to all ' +
      'of these hosts blocks TLS.',
    remedy: [
      'Search the application control and intrusion prevention logs for {source}. Possible reasons are a ' +
        'signature for TLS or SSL in general, a wrong default policy, or a captive portal that waits for a login.',
      FREE_POLICY,
      'Test from FortiAuthenticator too, because its traffic may match a different policy.',
    ],
  },
  'page-in-plain-text': {
    title: 'the answer is a block page instead of TLS',
    summary: 'The answer from {subject} is a block page from {product} instead of TLS.',
    remedy: [
      'The page in the evidence often contains the category or rule. Find this rule in {product}, for example by ' +
        'searching its logs for {source} and {host}, and exempt {host}.',
      FREE_POLICY,
      'If the page is from a captive portal, log in to the portal, or exempt FortiAuthenticator from it.',
    ],
  },
  'page-inside-tls': {
    title: 'the answer is a block page inside TLS',
    summary: 'The answer from {subject} is a block page from {product} inside TLS.',
    remedy: [
      'Find the category or rule in {product} by searching its logs for {source} and {host}, and exempt {host}.',
      shell(
        'The device that answers has the private key of the certificate. Check which authorities ftm-watch ' +
          "trusts. If the inspecting device's authority is in trust.caFiles, trust.pins or a learned chain, remove " +
          'it, because it makes intercepted connections look genuine.',
        'ftm-watch trust show{config}',
      ),
      "If only Fortinet's authority is trusted, the page comes from a filter in front of the server. Send the " +
        'page, the time and the public address of this site to Fortinet TAC.',
    ],
  },
};
