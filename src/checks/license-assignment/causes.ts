import type { CauseWords } from '../../engine/words/cause-words.ts';

const TRANSFER =
  'Licences shipped on or after 2025-08-04 cannot be transferred to another unit except after an RMA (Fortinet tip ' +
  '205363): check before you activate anything.';

export const ASSIGNMENT_CAUSES = {
  'license-on-peer': {
    severity: 'critical',
    title: 'the licence is registered to the HA peer',
    headline: 'the licence is on the HA peer',
    summary: 'Licence {license} is registered to {holder}, the HA peer, but {appliance} needs it on {primary}.',
    impact: 'assignment',
    remedy: [
      'If the two are a cluster that failed over: fail back, or bring {holder} up again as the primary: the ' +
        'licence is then on the right unit. Active tokens keep working meanwhile.',
      'If {primary} stays in charge, or runs alone as after a migration: check at support.fortinet.com, Asset ' +
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
      'Tokens follow the serial number: existing users are not affected, new assignments fail until then.',
      TRANSFER,
    ],
  },
  'license-not-registered': {
    severity: 'critical',
    title: 'the licence is not registered',
    // A log line alone is no outage: the summary says what it is about.
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
