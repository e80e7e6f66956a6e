import { type CauseWords, fortiauthenticator, shell, kindVariants, type KindWords } from '../../engine/model.ts';

const OPEN =
  'Open {interface} in a browser. The login page should appear. If the name does not resolve, correct it in ' +
  'appliances[].api.url, or use the address.';

const ALLOW = 'On FortiAuthenticator, allow HTTPS and the REST API on this interface (System > Network > Interfaces).';

const LOCKED_OUT = [
  'Correct the user or the key in appliances[].api first. Otherwise, the address is locked out again.',
  'Wait until the lockout has ended. With 6.6.3 and later, the address of ftm-watch can be exempted from lockouts ' +
    '(Authentication > User Account Policies > Lockouts).',
  'From another machine, open {interface} in a browser. If the login page does not appear, {appliance} itself may be ' +
    'down.',
];

const CERTIFICATE = 'ftm-watch cannot read {appliance}, because its REST API {failing}.';

/** FortiAuthenticator counts failed logins by source address. */
const ASKED_RARELY = shell(
  'After a refusal, ftm-watch waits for up to 60 min, to avoid a lockout. To query immediately, reload.',
  'ftm-watch reload{config}',
);

const UNREACHABLE_KINDS = {
  'locked-out': {
    name: 'ftm-watch may be locked out[ of {subject}]',
    summary:
      'ftm-watch cannot reach {appliance}, because its REST API {failing}. The API refused the key before, so the ' +
      'address of ftm-watch may be locked out.',
    remedy: LOCKED_OUT,
  },
  'peer-answers': {
    name: '[{subject} does not answer, but {peer} does|one unit of a pair does not answer]',
    summary: 'ftm-watch cannot reach {appliance}, because its REST API {failing}. {peer} of the same HA pair answers.',
    impact: 'redundancy',
    remedy: [
      'If {appliance} is restarting, for example after a firmware upgrade, wait until it answers again.',
      'If {appliance} is the standby unit, {peer} serves the users. Under System > Administration > High ' +
        'Availability on {peer}, check the state of the pair.',
      OPEN,
      ALLOW,
    ],
  },
  active: {
    name: 'the active unit[, {subject},] does not answer',
    summary:
      'ftm-watch cannot reach {appliance}, because its REST API {failing}. According to SNMP, its HA peer {peer} ' +
      'is only the standby unit.',
    remedy: [
      'Under System > Administration > High Availability on {peer}, check whether {peer} has become the active ' +
        'unit. A failover can take a few minutes.',
      'If {appliance} is restarting, for example after a firmware upgrade, wait until it answers again.',
      OPEN,
      ALLOW,
    ],
  },
} satisfies Readonly<Record<string, KindWords>>;

export type UnreachableKind = keyof typeof UNREACHABLE_KINDS;

const UNREADABLE_KINDS = {
  'untrusted-certificate': {
    name: 'the API certificate[ of {subject}] is not trusted',
    summary: CERTIFICATE,
    remedy: [
      shell(
        'Set appliances[].api.caFile to the certificate of the authority that issued the certificate of ' +
          '{appliance}, in PEM format. For a self-signed certificate, use the certificate itself, which this ' +
          'command shows.',
        'openssl s_client -connect {api} -showcerts </dev/null',
      ),
      'Or set appliances[].api.pin to the hash of its public key. The documentation about connectors shows how ' +
        'to calculate the hash.',
      'Compare the fingerprint with that of the certificate on {appliance}. If they differ, another device ' +
        'answers at this address.',
    ],
  },
  'invalid-certificate': {
    name: 'the API certificate[ of {subject}] is not valid',
    summary: CERTIFICATE,
    remedy: [
      'On {appliance}, install a certificate that is valid now and contains the host in appliances[].api.url, or ' +
        'correct the URL.',
      'For a certificate that does not contain the host, you can set appliances[].api.caFile to the certificate ' +
        'itself. Its name is then not checked.',
      'For an expired certificate, you can set appliances[].api.pin instead of caFile. Only its key is then ' +
        'checked.',
    ],
  },
  slow: {
    name: 'the API[ of {subject}] is too slow',
    summary:
      'ftm-watch cannot read {appliance}, because its REST API does not answer in time. The unit itself is ' +
      'running, but may be overloaded.',
    remedy: [
      'On {appliance}, check the CPU, memory and disk usage on the dashboard. Other clients of the API, backups ' +
        'and remote user synchronization can cause the load.',
      'Check the release notes of its firmware for known issues.',
    ],
  },
  'host-refused': {
    name: 'the API[ of {subject}] refuses the host name',
    summary:
      'ftm-watch cannot read {appliance}, because its REST API {failing}. It accepts the addresses of its ' +
      'interfaces, its device FQDN and its allowed hosts.',
    remedy: [
      'Use the address of one of its interfaces in appliances[].api.url.',
      'Or set {requested} as Dashboard > Status > Device FQDN on {appliance}. This restarts its web server.',
      'Or add {requested} to the allowed hosts of {appliance}: System > Administration > System Access, or ' +
        'allowed-hosts in the section "system global" on its command line.',
    ],
  },
  'locked-out': {
    name: 'ftm-watch may be locked out[ of {subject}]',
    summary:
      'ftm-watch cannot read {appliance}, because its REST API {failing}. The API refused the key before, so the ' +
      'address of ftm-watch may be locked out. The unit itself is running.',
    remedy: LOCKED_OUT,
  },
  snmp: {
    name: 'SNMP[ of {subject}] does not answer',
    summary: 'ftm-watch cannot read {appliance}, because SNMP {failing}.',
    impact: 'blind',
    remedy: [
      'Compare the community, or the user, passwords and protocols, in appliances[].snmp with System > ' +
        'Administration > SNMP on {appliance}.',
      'Allow SNMP on the interface of {appliance}, and queries from ftm-watch. Any firewall on the path must ' +
        'allow UDP port 161.',
      'Check that {appliance} is running.',
    ],
  },
} satisfies Readonly<Record<string, KindWords>>;

export type UnreadableKind = keyof typeof UNREADABLE_KINDS;

export const APPLIANCE_CAUSES = {
  'appliance-unreachable': {
    severity: 'critical',
    runbook: { name: 'appliance-unreachable' },
    name: '[{subject}|FortiAuthenticator] is unreachable',
    summary: 'ftm-watch cannot reach {appliance}, because its REST API {failing}.',
    impact: 'blind',
    sources: [
      'docs:fortiauthenticator/6.4.1/administration-guide',
      'docs:fortiauthenticator/6.6.0/administration-guide/706937',
    ],
    remedy: [OPEN, ALLOW],
    variants: kindVariants(UNREACHABLE_KINDS),
  },
  'appliance-unreadable': {
    severity: 'warning',
    runbook: { name: 'appliance-unreachable' },
    name: '[{subject}|FortiAuthenticator] is not readable',
    summary: 'ftm-watch cannot read {appliance}, because its REST API {failing}. The unit itself is running.',
    impact: 'unread',
    sources: [
      'docs:fortiauthenticator/6.4.1/administration-guide',
      'docs:fortiauthenticator/6.6.0/administration-guide/706937',
      'ta-p/390182',
      'ta-p/189674',
    ],
    remedy: [
      OPEN,
      `${ALLOW} Any firewall on the path must allow them too.`,
      "If FortiAuthenticator's certificate was renewed, update appliances[].api.caFile or the pin.",
    ],
    variants: kindVariants(UNREADABLE_KINDS),
  },
  'appliance-access-denied': {
    severity: 'warning',
    name: 'the API[ of {subject}] refuses access',
    summary: 'ftm-watch cannot read {appliance}, because the user or the web service access key is refused.',
    impact: 'unread',
    sources: ['docs:fortiauthenticator/6.4.7/rest-api-solution-guide/671411'],
    remedy: [
      "Use the administrator's web service access key, not the login password: Authentication > User Management > " +
        'Local Users, edit the user, "Web service access".',
      'Write the new key to the file in appliances[].api.keyFile. No restart is needed.',
      ASKED_RARELY,
    ],
    variants: kindVariants({
      'not-permitted': {
        name: 'an API permission[ on {subject}] is missing',
        summary:
          'ftm-watch cannot read all of {appliance}, because its account lacks a permission. The key is accepted.',
        remedy: [
          'On {appliance}, give the administrator profile of the user in appliances[].api read access to the ' +
            'resources in the evidence (System > Administration > Admin Profiles). No restart is needed.',
          ASKED_RARELY,
        ],
      },
    }),
  },
  'appliance-serial-differs': {
    severity: 'warning',
    name: 'the serial number[ of {subject}] is unexpected',
    summary: '{appliance} has the serial number {found}, but {configured} is configured.',
    impact: 'none',
    sources: [
      'docs:fortiauthenticator/6.4.7/rest-api-solution-guide/671411',
      'FORTINET-FORTIAUTHENTICATOR-MIB',
      'ta-p/193723',
    ],
    remedy: [
      'If the unit was replaced or migrated, set appliances[].serial to {found}, and check that its licences are ' +
        'registered to {found} before you activate anything.',
      'If the HA pair has changed, correct serial and peerSerial. Both members are then treated as one unit.',
      'Otherwise, correct the address in appliances[].api.url or snmp.host, because it belongs to a different unit.',
    ],
    variants: kindVariants({
      peer: {
        name: "[the serial number of {subject}'s peer|the peer's serial number] is unexpected",
        summary: 'The HA peer of {appliance} has the serial number {found}, but {configured} is configured.',
        remedy: [
          'If the peer was replaced, set appliances[].peerSerial to {found}. A licence registered to {configured} is ' +
            'not moved automatically.',
          'If {configured} should be the peer, check System > Administration > High Availability on both units.',
        ],
      },
    }),
  },
  'provisioning-server-differs': {
    severity: 'warning',
    name: 'another licence server is in use[ on {subject}]',
    summary:
      '{appliance} provisions tokens through {found}, but ftm-watch checks {configured}, which may behave differently.',
    impact: 'none',
    sources: ['docs:fortiauthenticator/6.0.4/rest-api-solution-guide/578312', 'ta-p/194050'],
    remedy: [
      'If {found} is correct, set licenseServer.host and licenseServer.port accordingly, so that this path is checked.',
      'If not, set the FortiToken Mobile provisioning server on {appliance} back to {configured}. The REST resource ' +
        'fortitokenmobileprovisioning shows the current setting.',
    ],
  },
  'appliance-clock-skewed': {
    severity: 'warning',
    name: "[the {subject}|FortiAuthenticator's clock] is wrong",
    summary:
      'The clock of {appliance} is {found}. If the difference is 60 s or more, {appliance} rejects all time-based ' +
      'codes.',
    impact: 'clock',
    sources: ['ta-p/190925', 'ta-p/383334', 'docs:fortiauthenticator/6.5.5/rest-api-solution-guide/875895'],
    remedy: [
      fortiauthenticator('On {appliance}, check that an NTP server can be reached.', 'diagnose system ntp status'),
      'Allow {appliance} to reach its NTP server (UDP port 123), or configure an NTP server that responds.',
      'Correct the clock before you adjust the drift of individual tokens. An adjustment made while the clock is ' +
        'wrong becomes incorrect once the clock is corrected.',
    ],
    variants: kindVariants({
      'codes-rejected': {
        name: '[the {subject} is wrong, so codes are rejected|time-based codes are rejected]',
        summary:
          'The clock of {appliance} is {found}, so time-based codes are rejected, even those from active tokens. ' +
          'HOTP tokens are not affected.',
        remedy: [
          fortiauthenticator('On {appliance}, check that an NTP server can be reached.', 'diagnose system ntp status'),
          'Allow {appliance} to reach its NTP server (UDP port 123), or configure an NTP server that responds. ' +
            'Then check that the clock is correct.',
          'Until then, do not adjust the drift of individual tokens, because the adjustment would be wrong once ' +
            'the clock is correct.',
        ],
      },
    }),
  },
  'appliance-memory-low': {
    severity: 'warning',
    name: '[the {subject} is too small|FortiAuthenticator lacks memory]',
    summary:
      '{appliance} has {found} of memory, but its firmware needs at least 4 GB. When FortiAuthenticator uses ' +
      'swap, token provisioning and push notifications fail.',
    impact: 'appliance',
    sources: ['ta-p/385019'],
    remedy: [
      fortiauthenticator('Compare SwapFree and SwapTotal. If they differ, {appliance} uses swap.', 'get hard mem'),
      'Assign at least 4 GB of memory to the virtual machine for up to 500 users. For more users, see the sizing ' +
        'guide.',
    ],
  },
} satisfies Readonly<Record<string, CauseWords>>;
