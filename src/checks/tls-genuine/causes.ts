import {
  type Advice,
  type CauseWords,
  type CommandStep,
  fortios,
  kindVariants,
  type KindWords,
  shell,
  type Step,
  type Variant,
} from '../../engine/model.ts';
import { ENTER_POLICY, MOVE_UP, preparePolicy, separatePolicy } from '../firewall-policy/separate-policy.ts';
import { CAPTURE_STEPS } from '../capture-steps.ts';

const ONLY_FORTINETS_OWN =
  "FortiAuthenticator accepts only certificates from Fortinet's own authority, so trusting a different authority " +
  'does not help.';

export const REPEAT = shell(
  'Check again from the same network, then retry the activation on FortiAuthenticator.',
  'ftm-watch check{config}',
);

/** The old baseline file is copied, so that the change can be undone. */
function learn(text: string): CommandStep {
  return {
    text,
    syntax: 'shell',
    commands: ['cp -p {learnedfile} {learnedfile}.before', 'ftm-watch trust learn{config}'],
    undo: ['mv {learnedfile}.before {learnedfile}'],
  };
}

const FORTIGATE = [
  'Find the policy that inspects this traffic. On the FortiGate, use Policy & Objects > Firewall Policy > Policy ' +
    'Lookup with source {source}, destination {host}, TCP {port}, or search the log under Log ' +
    '& Report > Security Events > SSL.',
  preparePolicy(
    'Prepare a policy for FortiAuthenticator on that FortiGate: source {source} only, destination {host}, TCP ' +
      `{port}, no security profile, SSL inspection "no-inspection". ${ONLY_FORTINETS_OWN}`,
  ),
  separatePolicy(ENTER_POLICY),
  MOVE_UP,
  'An exemption in the inspecting profile (SSL/SSH Inspection > Exempt from SSL Inspection) is less effective. A ' +
    "block page is still served with the FortiGate's certificate.",
  REPEAT,
];

/** The configured firewall does not inspect the traffic, so changing its configuration would have no effect. */
const BEHIND_FIREWALL: KindWords = {
  name: 'another FortiGate intercepts TLS',
  summary: '{judgement}. The FortiGate {issuer} is not {firewall}.',
  remedy: [
    'Do not change {firewall}, because {policy} matches {source} and does not inspect traffic. The certificate ' +
      'comes from a different FortiGate, {issuer}.',
    fortios(
      "Look for {issuer} behind {firewall}. It may be a second firewall, the provider's firewall, or a cloud " +
        'service. First check the next hop of {firewall} towards the server.',
      'get router info routing-table details {serverip}',
    ),
    'If {issuer} is another member of the same cluster, both members use the same certificate authority. ' +
      'ftm-watch and {source} then match different policies. Compare the policies using Policy Lookup.',
    'On {issuer}, create a policy without inspection for this traffic (destination {host}, TCP {port}). ' +
      ONLY_FORTINETS_OWN,
    REPEAT,
  ],
};

const INSPECTED = '[{policy} inspects TLS|a policy inspects TLS]';

const OTHER_PRODUCT = [
  'In {product}, exempt {host} (TCP {port}) from TLS inspection for the source {source}. Exempt the server by ' +
    `name and address, not by category. ${ONLY_FORTINETS_OWN}`,
  REPEAT,
];

const PALO_ALTO = [
  'On the Palo Alto Networks firewall, add a decryption policy rule with the action "no-decrypt" for the source ' +
    '{source} and destination {host}, above the rule that decrypts. Alternatively, add {host} under Device > ' +
    'Certificate Management > SSL Decryption Exclusion, which requires the name in the TLS hello or certificate. ' +
    ONLY_FORTINETS_OWN,
  REPEAT,
];

const UMBRELLA = [
  'In Cisco Umbrella, add {host} to a Selective Decryption List, and use the list in the policy that applies to ' +
    `{source}. ${ONLY_FORTINETS_OWN}`,
  REPEAT,
];

const UNKNOWN_PRODUCT = [
  shell(
    'Find the device that re-signs certificates[ as "{issuer}"|, using the name of the issuer in the evidence]. Send ' +
      'this name, the address and the time to the firewall or proxy team, for example in a report.',
    'ftm-watch report{config}',
  ),
  'Exempt the traffic from {source} to {host}, TCP {port}, from TLS inspection. ' + `${ONLY_FORTINETS_OWN}`,
  REPEAT,
];

const THROUGH_PROXY = shell(
  'Check which certificate is presented through the proxy.',
  'openssl s_client -proxy {proxy} -connect {server} -servername {host} </dev/null',
);

const INTERCEPTION = {
  severity: 'critical',
  runbook: { name: 'tls-intercepted' },
  impact: 'activation',
  sources: ['ta-p/194050', 'ta-p/338841', 'ta-p/218813', 'docs:fortigate/7.2.13/administration-guide'],
} as const;

/** @param proof steps that show which certificate FortiAuthenticator receives */
function exemption(proof: readonly Step[]): Pick<CauseWords, 'remedy'> & { readonly variants: readonly Variant[] } {
  return {
    remedy: [...proof, ...UNKNOWN_PRODUCT],
    variants: [
      { when: { product: '*' }, remedy: [...proof, ...OTHER_PRODUCT] },
      { when: { product: 'Fortinet FortiGate' }, remedy: [...proof, ...FORTIGATE] },
      { when: { product: 'Palo Alto Networks' }, remedy: [...proof, ...PALO_ALTO] },
      { when: { product: 'Cisco Umbrella' }, remedy: [...proof, ...UMBRELLA] },
      ...kindVariants({ 'behind-firewall': BEHIND_FIREWALL }),
      {
        when: { isProxied: true },
        remedy: [
          'The proxy {proxy} may inspect TLS itself (SSL bump, HTTPS decryption). Exempt {host}, TCP {port}, there. ' +
            ONLY_FORTINETS_OWN,
          THROUGH_PROXY,
          ...proof,
          'If the proxy does not inspect TLS, a device behind it does. The firewall behind the proxy sees the ' +
            'address of the proxy. On that firewall, exempt connections from the proxy to {host} from inspection.',
          REPEAT,
        ],
      },
      {
        when: { culprit: 'inspects' },
        name: INSPECTED,
        summary: 'TLS to {subject} is inspected by {culprit}.',
      },
    ],
  };
}

const RIGHT_SERVER =
  'Make sure that {host} resolves to the right address, and that its serverName, if set, is correct.';

const SAME_ELSEWHERE = compare(
  'Check the certificate from another network. If it is the same there, the fault is in the server. Otherwise, ' +
    'a device on the path answers instead of the server. Look for a device that inspects TLS.',
);

const TICKET = shell(
  'Report the fault to {operator}, with the certificate from the report.',
  'ftm-watch report{config}',
);

/** For a certificate from a genuine authority, which inspecting devices cannot use. */
export const ANOTHER_SERVER: Advice = {
  remedy: [RIGHT_SERVER, SAME_ELSEWHERE, ...CAPTURE_STEPS, TICKET],
};

/** For a chain that ends with the name of a public authority, whose certificate was not sent. */
export const INCOMPLETE_PUBLIC_CHAIN: Advice = {
  remedy: [
    'A server must send the intermediate certificates with its certificate. Check the chain from another ' +
      'network. If it is incomplete there too, the server is at fault.',
    'If the chain is complete there, a device on the path from this network answers instead of the server. Look ' +
      'for a device that inspects TLS.',
  ],
};

const BROKEN_KINDS = {
  weak: {
    name: 'the certificate[ of {subject}] is not acceptable',
    remedy: [SAME_ELSEWHERE, TICKET],
  },
  misnamed: {
    name: 'the certificate[ of {subject}] is for another name',
    remedy: [
      RIGHT_SERVER,
      SAME_ELSEWHERE,
      learn(
        'If FortiAuthenticator works anyway, it does not check the name. Learn the chain on a path that you know to ' +
          'be clean.',
      ),
      TICKET,
    ],
  },
  incomplete: {
    name: 'part of the chain[ of {subject}] is missing',
    remedy: [SAME_ELSEWHERE, TICKET],
  },
  flawed: {
    name: 'TLS clients reject the chain[ of {subject}]',
    remedy: [
      'Check the FortiAuthenticator log. If FortiAuthenticator connects anyway, this fault is not urgent.',
      SAME_ELSEWHERE,
      TICKET,
    ],
  },
} satisfies Readonly<Record<string, KindWords>>;

const CHANGED_KINDS = {
  'public-authority': {
    name: 'the authority[ of {subject}] is public',
    impact: 'blind',
    remedy: [
      'Inspecting devices do not use public authorities, so Fortinet has probably changed the certificate. Check the ' +
        'certificate from another network.',
      "FortiAuthenticator may accept only Fortinet's own authority. Test an activation, and check its log for TLS " +
        'errors. If it reports errors, ask TAC whether newer firmware accepts the certificate.',
      learn(
        'If FortiAuthenticator works, and the certificate is the same in the other network, set trust.profile to ' +
          '"public" or learn the new chain.',
      ),
    ],
  },
  everywhere: {
    name: 'the authority[ of {subject}] changed everywhere',
    impact: 'blind',
    remedy: [
      'Other networks receive the same certificate, so no device at this site inspects the connection. There is ' +
        'nothing to exempt on a firewall.',
      'Test an activation, and check the log of FortiAuthenticator for TLS errors. If it reports errors, it does not ' +
        'accept the certificate: ask Fortinet TAC whether newer firmware does.',
      learn('If FortiAuthenticator works, learn the new chain.'),
    ],
  },
  'unknown-authority': {
    name: 'the authority[ of {subject}] is not known',
    impact: 'blind',
    remedy: [
      'Either Fortinet has a new authority, or an inspecting device uses its name. Check the issuer' +
        '[ "{issuer}"|] from another network. If it is the same there, Fortinet has a new authority.',
      fortios(
        'Compare the issuer with the authorities on a FortiGate with current firmware. If the issuer is there, ' +
          "add the FortiGate's copy to trust.caFiles. Never use the copy from the connection itself.",
        'get vpn certificate ca details Fortinet_CA',
      ),
      'If FortiAuthenticator logs errors at the same time, it does not accept the certificate. Treat this as ' +
        'inspection until the comparison is complete, and ask TAC whether newer firmware contains the authority.',
    ],
  },
} satisfies Readonly<Record<string, KindWords>>;

export type CertificateKind = keyof typeof BROKEN_KINDS | keyof typeof CHANGED_KINDS;

/** @param how sentences that explain how to compare, and how to read the result */
function compare(how: string): CommandStep {
  return shell(how, 'openssl s_client -connect {server} -servername {host} </dev/null');
}

const FREE_POLICY: readonly Step[] = [
  separatePolicy(
    'Create a policy above the filtering policy: {source} to {host}, TCP {port}, no security profile, SSL inspection ' +
      '"no-inspection".',
  ),
  MOVE_UP,
];

/**
 * `name-filtered`: a different server name works at the same address. `answered-nearer`: the answer arrived faster than
 * the server could have sent it. `large-answers-lost`: small answers arrive, but certificates do not. `all-tls-cut`:
 * connections to independent hosts are closed in the same way. `page-…`: a block page is received instead of TLS, or
 * over TLS.
 */
const BLOCKED_TLS_KINDS = {
  'name-filtered': {
    name: 'TLS[ to {subject}] is filtered by server name',
    summary:
      '{subject} presents a certificate if a different server name is used, but none for its own name. A device ' +
      'on the path probably filters by name.',
    remedy: [
      'Search the web filter and application control logs for {host} and {source}. A URL filter, a category or an ' +
        'application signature probably blocks the name in the TLS hello.',
      'Exempt {host} from that filter.',
      ...FREE_POLICY,
      compare('Connect from another network. If TLS fails there too, the server itself refuses the name.'),
    ],
  },
  'answered-nearer': {
    name: 'a device closes TLS connections[ to {subject}]',
    summary: 'TLS connections to {subject} are closed by a device on the path, before they reach the server.',
    remedy: [
      'A device between ftm-watch and the server closes the connection, most likely a firewall at this site. ' +
        'Search its application control, intrusion prevention and web filter logs for {source} and {host}.',
      fortios(
        'Use the sniffer on a FortiGate to find out whether the reset comes from outside or from the FortiGate.',
        "diagnose sniffer packet any 'host {serverip} and port {port}' 6 200 l",
      ),
      ...FREE_POLICY,
    ],
  },
  'large-answers-lost': {
    name: 'large packets[ from {subject}] are lost',
    summary:
      'Small answers from {subject} and the unrelated hosts arrive, but certificates do not. Large packets are ' +
      'probably lost on the path (path MTU).',
    remedy: [
      shell(
        'To find the largest packet that gets through, run the first command with decreasing sizes until a ' +
          'reply arrives. The second command shows where the MTU drops, if the routers report it.',
        'ping -M do -c 3 -s 1472 {serverip}',
        'tracepath -n {serverip}',
      ),
      separatePolicy(
        'Reduce the size of TCP segments. On a FortiGate, do this in a separate policy for {source} to {host}. ' +
          'On other devices, clamp the MSS to the path MTU. The usual cause is a tunnel (PPPoE, IPsec, GRE) or a ' +
          'new uplink.',
        'set tcp-mss-sender 1350',
        'set tcp-mss-receiver 1350',
      ),
      MOVE_UP,
      'Allow ICMP "fragmentation needed" (type 3, code 4) and ICMPv6 "packet too big" on every firewall on the ' +
        'path. Without these messages, senders do not learn that a packet is too large (RFC 2923).',
      'If large packets get through, an inspecting device may be holding back certificates. Search the logs of such ' +
        'devices for {source}.',
    ],
  },
  'all-tls-cut': {
    name: 'TLS to all hosts is blocked',
    summary:
      'TCP works, but TLS connections to {subject} and to every unrelated host that was tried fail. A device on the ' +
      'path to all of these hosts blocks TLS.',
    remedy: [
      'Search the application control and intrusion prevention logs for {source}. Possible causes are a ' +
        'signature for TLS or SSL in general, a wrong default policy, or a captive portal that waits for a login.',
      ...FREE_POLICY,
      'Test from FortiAuthenticator too, because its traffic may match a different policy.',
    ],
  },
  'page-in-plain-text': {
    name: 'a block page[ from {product}] replaces TLS',
    summary: 'Connections to {subject} return a block page from {product} instead of TLS.',
    remedy: [
      'The block page in the evidence often contains the category or rule. Find this rule in {product}, for example ' +
        'by searching its logs for {source} and {host}, and exempt {host}.',
      ...FREE_POLICY,
      'If the page is from a captive portal, log in to the portal, or exempt FortiAuthenticator from it.',
    ],
  },
  'page-inside-tls': {
    name: 'a block page[ from {product}] is sent over TLS',
    summary: 'Connections to {subject} return a block page from {product} over TLS.',
    remedy: [
      'Find the category or rule in {product} by searching its logs for {source} and {host}, and exempt {host}.',
      shell(
        'The device that answers has the private key of the certificate. Check which authorities ftm-watch ' +
          "trusts. If the inspecting device's authority is in trust.caFiles, trust.pins or a learned chain, remove " +
          'it, because it makes intercepted connections look genuine.',
        'ftm-watch trust show{config}',
      ),
      'If only the right authority is trusted, the page comes from a filter in front of the server. Send the ' +
        'page, the time and the public address of this site to {operator}.',
    ],
  },
} satisfies Readonly<Record<string, KindWords>>;

export type BlockedTlsKind = keyof typeof BLOCKED_TLS_KINDS;

export const TLS_CAUSES = {
  'tls-intercepted': {
    ...INTERCEPTION,
    ...exemption([]),
    name: 'TLS is intercepted[ by {product}]',
    summary: 'TLS to {subject} is intercepted by {product}.',
    rank: 0,
  },
  'tls-interception-suspected': {
    ...INTERCEPTION,
    // Only a capture shows with certainty which certificate FortiAuthenticator receives.
    ...exemption(CAPTURE_STEPS),
    name: 'TLS is probably intercepted[ by {product}]',
    summary: 'TLS to {subject} is probably intercepted by {product}.',
    rank: 1,
  },
  'tls-blocked': {
    severity: 'critical',
    name: 'TLS to [{subject}|the server] is blocked',
    summary:
      '{subject} accepts connections, but TLS fails. Either a device on the path blocks TLS, or the server has a ' +
      'fault.',
    impact: 'activation',
    sources: ['ta-p/194050', 'docs:fortigate/7.2.13/administration-guide'],
    remedy: [
      'The usual cause is a web filter, application control or intrusion prevention profile. Search the web filter ' +
        'and application control logs of the firewall for {source} and {host}.',
      ...FREE_POLICY,
      'A block page in the evidence identifies the product and often the blocking rule.',
      ...CAPTURE_STEPS,
      compare('Connect from another network. If TLS fails there too, the server is down.'),
    ],
    variants: [
      ...kindVariants(BLOCKED_TLS_KINDS),
      {
        when: { isProxied: true },
        remedy: [
          'The proxy {proxy} opened the tunnel, but TLS inside it failed. Search its log for {host} and {source}. ' +
            'The usual cause is a server name filter or a TLS rule. A block page in the evidence often shows the ' +
            'rule.',
          THROUGH_PROXY,
          'If the proxy forwards TLS, a device behind it blocks the connection. The firewall behind the proxy sees ' +
            'the address of the proxy, not the address of FortiAuthenticator.',
          compare('Connect from another network. If TLS fails there too, the server is down.'),
        ],
      },
      {
        when: { culprit: 'inspects' },
        name: INSPECTED,
        summary: 'TLS to {subject} fails although its port is open. The connection is inspected by {culprit}.',
      },
    ],
    rank: 2,
  },
  'certificate-broken': {
    severity: 'critical',
    name: 'the certificate[ of {subject}] is not valid',
    summary: 'The certificate of {subject} is not valid.',
    impact: 'activation',
    sources: ['ta-p/194050'],
    remedy: [
      'First check the clocks of FortiAuthenticator and the ftm-watch machine. A wrong date makes every ' +
        'certificate invalid.',
      shell(
        'If the clocks are correct, and the certificate is the same from another network, the fault is in the ' +
          'server. Report it to {operator}, with the certificate from the report.',
        'ftm-watch report{config}',
      ),
    ],
    variants: kindVariants(BROKEN_KINDS),
    rank: 3,
  },
  'vendor-ca-changed': {
    severity: 'warning',
    name: 'the certificate authority[ of {subject}] changed',
    summary: '{subject} has a certificate from another authority.',
    impact: 'none',
    sources: ['ta-p/194050', 'docs:fortigate/7.4.3/administration-guide/403143'],
    remedy: [
      'Check the certificate from another network. If it is the same there, the server has a new one.',
      learn('If the certificate is the same there, learn the new chain.'),
      'If FortiAuthenticator logs TLS errors at the same time, ask {operator} about the new authority.',
    ],
    variants: kindVariants(CHANGED_KINDS),
  },
  'certificate-rotated': {
    severity: 'info',
    name: 'the certificate[ of {subject}] was renewed',
    summary: '{subject} has a new certificate from the same authority.',
    impact: 'none',
    remedy: [learn('No action is required. To make the new certificate the baseline, record it with these commands.')],
  },
} satisfies Readonly<Record<string, CauseWords>>;

export type TlsCause = keyof typeof TLS_CAUSES;
