import { type CauseWords, fortiauthenticator } from '../../engine/model.ts';

const OPEN =
  'Open {interface} in a browser: the login page must appear. If the name is not found, correct it in ' +
  'appliances[].api.url, or write the address there.';

const ALLOW =
  'On FortiAuthenticator, System > Network > Interfaces: HTTPS and the REST API must be allowed on this interface.';

export const APPLIANCE_CAUSES = {
  'appliance-unreachable': {
    severity: 'critical',
    title: 'FortiAuthenticator cannot be reached',
    short: 'FortiAuthenticator unreachable',
    headline: '{subject} is unreachable',
    summary: 'ftm-watch gets nothing from {appliance}: its REST API {failing}.',
    impact: 'blind',
    sources: ['docs:fortiauthenticator/6.4.1/administration-guide'],
    remedy: [OPEN, ALLOW],
  },
  'appliance-unreadable': {
    severity: 'warning',
    title: 'ftm-watch cannot read FortiAuthenticator',
    short: 'FortiAuthenticator not readable',
    headline: 'ftm-watch cannot read {subject}',
    summary: 'ftm-watch cannot read {appliance}: its REST API {failing}, although the unit itself is up.',
    impact: 'blind',
    sources: ['docs:fortiauthenticator/6.4.1/administration-guide'],
    remedy: [
      OPEN,
      `${ALLOW} A firewall on the way must let them through.`,
      'If its certificate was renewed, set the new authority in appliances[].api.caFile, or the new pin.',
    ],
  },
  'appliance-access-denied': {
    severity: 'warning',
    title: 'FortiAuthenticator refuses the API key',
    short: 'API key refused',
    headline: 'ftm-watch cannot read {subject}: the key is refused',
    summary: 'ftm-watch cannot read {appliance}: it refuses the user or the web service access key.',
    impact: 'blind',
    sources: ['docs:fortiauthenticator/6.4.7/rest-api-solution-guide/671411'],
    remedy: [
      'The password is the web service access key of that administrator, not the login password: Authentication > ' +
        'User Management > Local Users, edit the user, "Web service access".',
      'Write the new key into the file that appliances[].api.keyFile names; no restart is needed.',
    ],
  },
  'appliance-serial-differs': {
    severity: 'warning',
    title: 'another serial number than the configured one',
    short: 'another serial than configured',
    headline: '{subject} has another serial number than configured',
    summary: '{appliance} has the serial number {found}; the configuration says {configured}.',
    impact: 'none',
    sources: [
      'docs:fortiauthenticator/6.4.7/rest-api-solution-guide/671411',
      'FORTINET-FORTIAUTHENTICATOR-MIB',
      'ta-p/193723',
    ],
    remedy: [
      'If the unit was replaced or migrated: set appliances[].serial to {found}, and see that its licences are ' +
        'registered to {found} too, before anything is activated.',
      'If its pair was changed: correct serial and peerSerial; both members are taken as the unit.',
      'If neither: the address in appliances[].api.url or snmp.host leads to another unit. Correct it.',
    ],
    kinds: {
      peer: {
        title: 'the peer has another serial number',
        summary: 'The HA peer of {appliance} has the serial number {found}; the configuration says {configured}.',
        remedy: [
          'If the peer was replaced: set appliances[].peerSerial to {found}. A licence that was registered to ' +
            '{configured} does not follow by itself.',
          'If {configured} is to be the peer: see System > Administration > High Availability on both units.',
        ],
      },
    },
  },
  'provisioning-server-differs': {
    severity: 'warning',
    title: 'FortiAuthenticator uses another licence server than the one that is probed',
    short: 'another licence server is in use',
    headline: '{subject} uses another licence server',
    summary: '{appliance} provisions tokens through {found}; ftm-watch probes {configured}, which may fare otherwise.',
    impact: 'none',
    sources: ['docs:fortiauthenticator/6.0.4/rest-api-solution-guide/578312', 'ta-p/194050'],
    remedy: [
      'If {found} is meant: set licenseServer.host and licenseServer.port to it, so that the way there is probed.',
      'If not: set the FortiToken Mobile provisioning server of {appliance} back to {configured}. The REST resource ' +
        'fortitokenmobileprovisioning shows what it uses.',
    ],
  },
  'appliance-clock-skewed': {
    severity: 'warning',
    title: 'the clock of FortiAuthenticator is wrong',
    short: 'FortiAuthenticator clock wrong',
    headline: 'the {subject} is wrong',
    summary:
      'The clock of {appliance} is {found}. Once it is off by 60 s, {appliance} rejects the time-based codes of all ' +
      'users.',
    impact: 'clock',
    sources: ['ta-p/190925', 'ta-p/383334', 'docs:fortiauthenticator/6.5.5/rest-api-solution-guide/875895'],
    remedy: [
      fortiauthenticator('On {appliance}, see whether an NTP server is reached.', 'diagnose system ntp status'),
      'Let {appliance} reach its NTP server (UDP port 123), or configure another one that answers.',
      'Correct the clock before the drift of single tokens is adjusted: an adjustment made while the clock is wrong ' +
        'is wrong afterwards.',
    ],
    kinds: {
      'codes-rejected': {
        title: 'it is off by 60 s or more',
        summary:
          'The clock of {appliance} is {found}: it rejects time-based codes, also those of tokens that are active. ' +
          'HOTP tokens are exempt.',
        remedy: [
          fortiauthenticator('On {appliance}, see whether an NTP server is reached.', 'diagnose system ntp status'),
          'Let {appliance} reach its NTP server (UDP port 123), or configure another one that answers, and check ' +
            'that the clock is right afterwards.',
          'Do not adjust the drift of single tokens meanwhile: it would be wrong as soon as the clock is right.',
        ],
      },
    },
  },
  'appliance-memory-low': {
    severity: 'warning',
    title: 'FortiAuthenticator has too little memory for its firmware',
    short: 'FortiAuthenticator lacks memory',
    headline: 'the {subject} is too small',
    summary:
      '{appliance} has {found} of memory, and its firmware needs at least 4 GB. Once it uses swap, tokens fail to ' +
      'provision and push notifications fail.',
    impact: 'appliance',
    sources: ['ta-p/385019'],
    remedy: [
      fortiauthenticator(
        'On {appliance}, see whether it uses swap: SwapFree and SwapTotal differ then.',
        'get hard mem',
      ),
      'Give the virtual machine at least 4 GB of memory (up to 500 users), or as much as the sizing guide says for ' +
        'more users.',
    ],
  },
} satisfies Readonly<Record<string, CauseWords>>;

export type ApplianceCause = keyof typeof APPLIANCE_CAUSES;
