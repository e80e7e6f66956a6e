import type { CauseCatalogue } from './entry.ts';

const TRANSFER =
  'Licences shipped on or after 2025-08-04 cannot be transferred to another unit except after an RMA (Fortinet tip ' +
  '205363): check before you activate anything.';

/**
 * Causes on FortiAuthenticator itself, in the registration of its licence, and in the firewall policy in front of it.
 */
export const LICENSE_CAUSES: CauseCatalogue<
  | 'appliance-unreachable'
  | 'appliance-unreadable'
  | 'appliance-access-denied'
  | 'license-on-peer'
  | 'license-on-other-unit'
  | 'license-not-registered'
  | 'token-count-mismatch'
  | 'tokens-running-out'
  | 'tokens-exhausted'
  | 'policy-inspects-traffic'
  | 'policy-missing'
> = {
  'appliance-unreachable': {
    severity: 'critical',
    title: 'FortiAuthenticator cannot be reached',
    summary: 'Nothing is seen of {appliance}: its REST API {failing}.',
    impact: 'blind',
    remedy: [
      'Open {interface} in a browser: does the login page come? If the name is not found, correct it in ' +
        'appliances[].api.url, or write the address there.',
      'On FortiAuthenticator, System > Network > Interfaces: HTTPS and the REST API must be allowed on this interface.',
    ],
  },
  'appliance-unreadable': {
    severity: 'warning',
    title: 'ftm-watch cannot read FortiAuthenticator',
    summary: 'ftm-watch cannot read {appliance}: its REST API {failing}, but it is there.',
    impact: 'blind',
    remedy: [
      'Open {interface} in a browser: does the login page come? If the name is not found, correct it in ' +
        'appliances[].api.url, or write the address there.',
      'On FortiAuthenticator, System > Network > Interfaces: HTTPS and the REST API must be allowed on this ' +
        'interface; a firewall on the way must let them through.',
      'If its certificate was renewed, set the new authority in appliances[].api.caFile, or the new pin.',
    ],
  },
  'appliance-access-denied': {
    severity: 'warning',
    title: 'FortiAuthenticator refuses the API key',
    summary: 'ftm-watch cannot read {appliance}: it refuses the user or the web service access key.',
    impact: 'blind',
    remedy: [
      'The password is the web service access key of that administrator, not the login password: Authentication > ' +
        'User Management > Local Users, edit the user, "Web service access".',
      'Write the new key into the file that appliances[].api.keyFile names; no restart is needed.',
    ],
  },
  'license-on-peer': {
    severity: 'critical',
    title: 'the licence is registered to the HA peer',
    summary: 'Licence {license} is registered to {holder}, the HA peer of {primary}, where {appliance} needs it.',
    impact: 'assignment',
    remedy: [
      'If the two are a cluster that has failed over: fail back, or bring {holder} up again as the primary, and ' +
        'the licence is where it belongs. Tokens that are active go on working meanwhile.',
      'If {primary} is to stay in charge, or runs alone, as after a migration: look at support.fortinet.com, Asset ' +
        'Management, which unit holds {license}, and ask Customer Service to move it to {primary}.',
      TRANSFER,
    ],
  },
  'license-on-other-unit': {
    severity: 'critical',
    title: 'the licence is registered to another unit',
    summary: 'Licence {license} is registered to {holder}, not to {primary}.',
    impact: 'assignment',
    remedy: [
      'After a migration the licence must be assigned to the new serial number: sign in at support.fortinet.com, ' +
        'Asset Management, or open a Customer Service ticket with both serial numbers.',
      'Tokens follow the serial number: existing users go on working, new assignments fail until then.',
      TRANSFER,
    ],
  },
  'license-not-registered': {
    severity: 'critical',
    title: 'the licence is not registered',
    summary: 'Licence {license} is not registered to any unit.',
    impact: 'assignment',
    remedy: [
      'Register it at support.fortinet.com to {primary}, or import its activation code on FortiAuthenticator ' +
        '(Authentication > User Management > FortiTokens > Create New), once the path is clean.',
      TRANSFER,
    ],
  },
  'token-count-mismatch': {
    severity: 'warning',
    title: 'token counts differ',
    summary: 'The FortiToken Mobile tokens on {appliance} do not match the count of its licence.',
    impact: 'tokens',
    remedy: [
      'Compare Authentication > User Management > FortiTokens with the licence at support.fortinet.com.',
      'Import the missing licence again, or ask TAC; do not delete tokens that are assigned.',
    ],
  },
  'tokens-running-out': {
    severity: 'warning',
    title: 'tokens are running out',
    summary: 'Few free FortiToken Mobile tokens are left on {appliance}.',
    impact: 'tokens',
    remedy: [
      'Order another FortiToken Mobile licence in time.',
      'Free the tokens of users who have left: Authentication > User Management > FortiTokens.',
    ],
  },
  'tokens-exhausted': {
    severity: 'critical',
    title: 'no token is left',
    summary: 'No free FortiToken Mobile token is left on {appliance}.',
    impact: 'tokens',
    remedy: [
      'Free the tokens of users who have left: Authentication > User Management > FortiTokens.',
      'Add another FortiToken Mobile licence.',
    ],
  },
  'policy-inspects-traffic': {
    severity: 'critical',
    title: 'the firewall policy inspects the traffic of FortiAuthenticator',
    summary:
      'Policy {policy} of the firewall, which matches the traffic from {source} to {host}, inspects it ({profile}).',
    impact: 'activation',
    remedy: [
      'Make a policy of its own above policy {policy}: source {source} only, destination {host}, service HTTPS, no ' +
        'security profile, SSL inspection "no-inspection".',
      'Check it with Policy & Objects > Firewall Policy > Policy Lookup.',
    ],
  },
  'policy-missing': {
    severity: 'critical',
    title: 'no firewall policy allows the traffic of FortiAuthenticator',
    summary: 'No policy of the firewall allows {source} to reach {host} on TCP {port}.',
    impact: 'activation',
    remedy: [
      'Make a policy that allows only {source} to {host} (or the internet) on HTTPS, with no security profile and ' +
        'SSL inspection "no-inspection".',
      'If a policy exists, check its source address, its interfaces and its order with Policy Lookup.',
    ],
  },
};
