import type { CauseWords } from '../../engine/model.ts';

const TRANSFER =
  'Licences shipped on or after 2025-08-04 cannot be transferred to another unit except after an RMA (Fortinet tip ' +
  '205363): check before you activate anything. What is left is a new licence, or FortiIdentity Cloud.';

/** Information that Customer Service needs (Fortinet tip 193723). */
const TICKET =
  'open a ticket with Fortinet Customer Service at support.fortinet.com, and name both serial numbers ({holder} and ' +
  '{primary}) and the number of the licence, {license}.';

const MAKE_AGAIN =
  'When it is moved: delete its tokens on {holder}, make them again on {primary}, and assign them to their users ' +
  'again; each user activates anew (Fortinet tip 193723).';

const FOLLOWS = 'Tokens follow the serial number: existing users keep working, new assignments fail until then.';

const EXPIRES = {
  severity: 'warning',
  runbook: {
    name: 'license-expires',
    title: 'a licence must be redeemed before its certificate expires',
    summary:
      'Licence {license} has not been redeemed, and its certificate expires on {date}. ftm-watch warns 90, 30 and 7 ' +
      'days before.',
  },
  impact: 'none',
  sources: ['ta-p/197790', 'KB 99299'],
  remedy: [
    'Redeem it now: on FortiAuthenticator, enter its activation code under Authentication > User Management > ' +
      'FortiTokens > Create New > Mobile FortiToken. That needs the licence server once.',
    'Redeemed on a unit that ftm-watch does not ask: remove redeemBy of {license} from the configuration.',
  ],
  brokenPath: {
    summary:
      'The certificate of licence {license} can be redeemed until {date} alone, and the way to the licence server, ' +
      'which that needs, is broken now.',
    remedy: [
      'Clear the way to the licence server first: its own cause says how.',
      'Then redeem the licence at once, before {date}; after that date nobody can revive it.',
      'If the way cannot be cleared in time, ask Fortinet Customer Service before the date, with the number {license}.',
    ],
  },
} as const satisfies Partial<CauseWords>;

export const ASSIGNMENT_CAUSES = {
  'license-on-peer': {
    severity: 'critical',
    title: 'the licence is registered to the HA peer',
    short: 'licence is on the HA peer',
    headline: 'the licence is on the HA peer',
    summary: 'Licence {license} is registered to {holder}, the HA peer, but {appliance} needs it on {primary}.',
    impact: 'assignment',
    sources: ['ta-p/190004', 'ta-p/197403', 'ta-p/193723', 'ta-p/205363'],
    remedy: [
      'If the two are a cluster that has failed over: fail back, or bring {holder} up again as the primary, and ' +
        'the licence is where it belongs. Tokens that are active keep working meanwhile.',
      `If {primary} is to stay in charge, or runs alone, as after a migration: ${TICKET}`,
      MAKE_AGAIN,
      TRANSFER,
    ],
  },
  'license-on-other-unit': {
    severity: 'critical',
    title: 'the licence is registered to another unit',
    short: 'licence is on another unit',
    warningShort: 'licence may be on the wrong unit',
    headline: 'the licence is on another unit',
    warningHeadline: 'the licence may be on the wrong unit',
    summary: 'Licence {license} is registered to {holder}, not to {primary}.',
    impact: 'assignment',
    sources: [
      'ta-p/193723',
      'ta-p/410099',
      'ta-p/205363',
      'docs:fortiauthenticator/6.4.1/administration-guide/122076',
      'FORTINET-FORTIAUTHENTICATOR-MIB',
    ],
    remedy: [
      `After a migration the licence must be assigned to the new serial number: ${TICKET}`,
      'From one virtual machine to another with the same serial number nothing has to be moved: see whether ' +
        '{primary} was meant to keep the serial number {holder}.',
      FOLLOWS,
      MAKE_AGAIN,
      TRANSFER,
    ],
    kinds: {
      'role-unknown': {
        title: 'nobody tells the role of the unit',
        summary:
          'Licence {license} is registered to {holder}, not to {primary}: {appliance} is a load balancer or a member ' +
          'of a pair, or it was restored after a migration.',
        remedy: [
          'See which it is: System > Administration > High Availability on {appliance}. Over SNMP ftm-watch sees it ' +
            'by itself (appliances[].snmp).',
          'A load balancer, or a member of a pair with {holder}: the licence is where it belongs. Configure snmp, or ' +
            'name the other member as peerSerial, and this ends.',
          `Restored after a migration, with the serial number {primary}: ${TICKET}`,
          FOLLOWS,
          MAKE_AGAIN,
          TRANSFER,
        ],
      },
    },
  },
  'license-not-registered': {
    severity: 'critical',
    title: 'the licence is not registered',
    short: 'licence is not registered',
    warningShort: 'warning in the log of a unit',
    // A log line alone is not an outage, so the summary describes it.
    warningHeadline: 'the log of {subject} has a warning',
    summary: 'Licence {license} is not registered to any unit.',
    impact: 'assignment',
    sources: ['ta-p/194050', 'ta-p/205363'],
    remedy: [
      'Register it at support.fortinet.com to {primary}, or import its activation code on FortiAuthenticator ' +
        '(Authentication > User Management > FortiTokens > Create New), once the path is clean.',
      TRANSFER,
    ],
  },
  'license-expires-in-90-days': {
    ...EXPIRES,
    title: 'a licence must be redeemed within 90 days',
    short: 'redeem a licence within 90 days',
    summary: 'Licence {license} is not redeemed, and its certificate expires on {date}, within 90 days.',
    partOf: 'license-expires-in-30-days',
  },
  'license-expires-in-30-days': {
    ...EXPIRES,
    title: 'a licence must be redeemed within 30 days',
    short: 'redeem a licence within 30 days',
    summary: 'Licence {license} is not redeemed, and its certificate expires on {date}, within 30 days.',
    partOf: 'license-expires-in-7-days',
  },
  'license-expires-in-7-days': {
    ...EXPIRES,
    title: 'a licence must be redeemed within 7 days',
    short: 'redeem a licence within 7 days',
    summary: 'Licence {license} is not redeemed, and its certificate expires on {date}, within 7 days.',
    partOf: 'license-expired',
  },
  'license-expired': {
    severity: 'warning',
    title: 'the certificate of a licence expired unused',
    short: 'a licence expired unused',
    summary: 'The certificate of licence {license} expired on {date}, and the licence is not redeemed.',
    impact: 'none',
    sources: ['ta-p/197790', 'KB 99299'],
    remedy: [
      'Compare {date} with "Certificate Valid Until" on the licence certificate.',
      'Nobody can revive it, neither TAC nor Customer Service: buy a new licence, and redeem it before its date.',
      'Redeemed on a unit that ftm-watch does not ask, or given up: remove redeemBy of {license} from the ' +
        'configuration.',
    ],
  },
} satisfies Readonly<Record<string, CauseWords>>;

export type AssignmentCause = keyof typeof ASSIGNMENT_CAUSES;
