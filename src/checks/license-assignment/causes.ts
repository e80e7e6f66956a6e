import type { CauseWords } from '../../engine/words/cause-words.ts';

const TRANSFER =
  'Licences shipped on or after 2025-08-04 cannot be transferred to another unit except after an RMA (Fortinet tip ' +
  '205363): check before you activate anything.';

export const ASSIGNMENT_CAUSES = {
  'license-on-peer': {
    severity: 'critical',
    title: 'the licence is registered to the HA peer',
    headline: 'the licence is on the HA peer',
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
    headline: 'the licence is on another unit',
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
    // From a line of the log, which is no outage: what it is about, the summary says.
    warningHeadline: 'the log of {subject} has a warning',
    summary: 'Licence {license} is not registered to any unit.',
    impact: 'assignment',
    remedy: [
      'Register it at support.fortinet.com to {primary}, or import its activation code on FortiAuthenticator ' +
        '(Authentication > User Management > FortiTokens > Create New), once the path is clean.',
      TRANSFER,
    ],
  },
} satisfies Readonly<Record<string, CauseWords>>;

export type AssignmentCause = keyof typeof ASSIGNMENT_CAUSES;
