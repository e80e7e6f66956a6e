import { type CauseWords, kindVariants, type Variant } from '../../engine/model.ts';

const TRANSFER =
  'Licences shipped on or after 2025-08-04 cannot be transferred to another unit except after an RMA (Fortinet tip ' +
  '205363), so check the shipping date before you activate anything. Alternatives are a new licence and ' +
  'FortiIdentity Cloud.';

/** Information that Customer Service needs to transfer a licence (Fortinet tip 193723). */
const TICKET =
  'open a ticket with Fortinet Customer Service at support.fortinet.com, and include both serial numbers ({holder} ' +
  'and {primary}) and the licence number, {license}.';

const MAKE_AGAIN =
  'After the licence has been moved, delete its tokens on {holder}, recreate them on {primary}, and reassign them to ' +
  'their users. Each user must activate again (Fortinet tip 193723).';

const FOLLOWS =
  'Tokens are tied to the serial number. Existing users can still log in, but new assignments fail until the licence ' +
  'is moved.';

function expiresWithin(days: number): CauseWords {
  return {
    severity: 'warning',
    name: `redeem a licence within ${String(days)} days`,
    summary:
      'Nothing shows that licence {license} has been redeemed, and its certificate expires on {date}, within ' +
      `${String(days)} days.`,
    runbook: {
      name: 'license-expires',
      title: 'a licence must be redeemed before its certificate expires',
      summary:
        'Nothing shows that licence {license} has been redeemed, and its certificate expires on {date}. ftm-watch ' +
        'warns 90, 30 and 7 days in advance.',
    },
    impact: 'none',
    sources: ['ta-p/197790', 'KB 99299'],
    remedy: [
      'Redeem it now. On FortiAuthenticator, enter its activation code under Authentication > User Management > ' +
        'FortiTokens > Create New > Mobile FortiToken. This sends one request to the licence server.',
      'If the licence was redeemed on a unit that ftm-watch does not query, remove redeemBy for {license} from the ' +
        'configuration.',
    ],
  };
}

/** Only in the last days is there a risk that the path is not repaired in time. */
const LAST_DAYS: Variant = {
  when: { isPathBroken: true },
  severity: 'critical',
  summary:
    'The certificate of licence {license} can be redeemed only until {date}. This requires the licence server, ' +
    'but the path to it is broken.',
  remedy: [
    'First repair the path to the licence server (reported as a separate cause).',
    'Then redeem the licence immediately. The licence cannot be reactivated after {date}.',
    'If you might not be able to repair the path in time, contact Fortinet Customer Service before {date}, and ' +
      'include the licence number, {license}.',
  ],
};

export const ASSIGNMENT_CAUSES = {
  'license-on-peer': {
    severity: 'critical',
    name: 'the licence is on the HA peer',
    summary: 'Licence {license} is registered to {holder}, the HA peer, but {appliance} needs it on {primary}.',
    impact: 'assignment',
    // In a running cluster, either member can use the licence.
    variants: [{ when: { severity: 'warning' }, impact: 'assignment-at-risk' }],
    sources: ['ta-p/190004', 'ta-p/197403', 'ta-p/193723', 'ta-p/205363'],
    remedy: [
      'If the two units are a cluster that has failed over, fail back or bring {holder} back up as the primary, ' +
        'so that the licence is on the right unit. Active tokens keep working in the meantime.',
      `If {primary} is to remain the primary or is standalone, for example after a migration, ${TICKET}`,
      MAKE_AGAIN,
      TRANSFER,
    ],
  },
  'license-on-other-unit': {
    severity: 'critical',
    name: 'the licence is on another unit',
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
      `After a migration, the licence must be assigned to the new serial number: ${TICKET}`,
      'If a virtual machine was replaced by another with the same serial number, nothing has to be moved. Check ' +
        'whether {appliance} was meant to keep the serial number {holder}.',
      FOLLOWS,
      MAKE_AGAIN,
      TRANSFER,
    ],
    variants: [
      { when: { severity: 'warning' }, name: 'the licence may be on the wrong unit', impact: 'assignment-at-risk' },
      ...kindVariants({
        'role-unknown': {
          name: "the unit's role is unknown",
          impact: 'assignment-at-risk',
          summary:
            'Licence {license} is registered to {holder}, not to {primary}. Either {appliance} is a load balancer ' +
            'or a member of a pair, or it was restored after a migration.',
          remedy: [
            'Check the role on {appliance} (System > Administration > High Availability). ftm-watch can detect the ' +
              'role over SNMP (appliances[].snmp).',
            'If {appliance} is a load balancer or paired with {holder}, the licence is on the right unit. To close ' +
              'this incident, configure snmp, or set peerSerial to the serial number of the other member.',
            `If {appliance} was restored after a migration and has the serial number {primary}, ${TICKET}`,
            FOLLOWS,
            MAKE_AGAIN,
            TRANSFER,
          ],
        },
      }),
    ],
  },
  'license-not-registered': {
    severity: 'critical',
    name: 'the licence is not registered',
    // A log line alone does not prove an outage, so the name mentions only the log.
    variants: [
      { when: { severity: 'warning' }, name: 'the log[ of {subject}] has a warning', impact: 'assignment-at-risk' },
    ],
    summary: 'Licence {license} is not registered to any unit.',
    impact: 'assignment',
    sources: ['ta-p/194050', 'ta-p/205363'],
    remedy: [
      'Register the licence to {primary} at support.fortinet.com or, once the path is clean, import its activation ' +
        'code on FortiAuthenticator (Authentication > User Management > FortiTokens > Create New).',
      TRANSFER,
    ],
  },
  'license-expires-in-90-days': expiresWithin(90),
  'license-expires-in-30-days': expiresWithin(30),
  'license-expires-in-7-days': { ...expiresWithin(7), variants: [LAST_DAYS] },
  'license-expired': {
    severity: 'warning',
    name: 'a licence expired unused',
    summary:
      'The certificate of licence {license} expired on {date}, and nothing shows that the licence has been redeemed.',
    impact: 'none',
    sources: ['ta-p/197790', 'KB 99299'],
    remedy: [
      'Compare {date} with "Certificate Valid Until" on the licence certificate.',
      'If the licence was redeemed on a unit that ftm-watch does not query, or is no longer needed, remove redeemBy ' +
        'for {license} from the configuration.',
      'Otherwise, buy a new licence, and redeem it before it expires. Neither TAC nor Customer Service can ' +
        'reactivate an expired licence.',
    ],
  },
} satisfies Readonly<Record<string, CauseWords>>;
