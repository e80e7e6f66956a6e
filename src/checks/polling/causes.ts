import { type CauseWords, fortiauthenticator, shell, kindVariants, type KindWords } from '../../engine/model.ts';
import { CAPTURE_STEPS } from '../capture-steps.ts';

const ON_THE_UNIT = [
  fortiauthenticator(
    'On {appliance}, check that the name {host} resolves and that the host answers. DNS is set under System > ' +
      'Network > DNS.',
    'execute ping {host}',
  ),
  'Check that the licence is assigned to the serial number of {appliance}, not to that of its HA peer.',
] as const;

const ITS_OWN_VIEW = [
  ...ON_THE_UNIT,
  'To check the path from {appliance} itself, configure "firewall" for it, or run ftm-watch in its network ' +
    '(sourceAddress).',
  ...CAPTURE_STEPS,
] as const;

const UNEXPLAINED = '{appliance}: {meaning}. No fault on the path from ftm-watch explains this';
const ON_ITS_OWN_PATH =
  '{appliance}: {meaning}. The cause is unknown, because no fault was found on the path from the ftm-watch machine.';
const UNCLEAR = '{appliance}: {meaning}. The path from ftm-watch may also have a fault: {unclear}.';
const CLEAR_UP = 'These may be the same fault. First check the following, which ftm-watch could not verify: {unclear}.';

const POLICY_READ = [
  'On {firewall}, check {policy}, which matches {appliance} ({source}). "Firewall policy" in the checklist shows ' +
    'what the policy does.',
  'If that policy neither inspects nor denies traffic, look behind {firewall} for a device that treats {source} ' +
    'differently from ftm-watch, such as another firewall, a proxy, address translation or a separate uplink.',
  ...ON_THE_UNIT,
  ...CAPTURE_STEPS,
] as const;

const POLICY_UNREAD = [
  '{firewall} did not report which policy matches {appliance} ({source}). "Firewall policy" in the checklist shows ' +
    'why.',
  'Until the policy is known, compare the policies for {source} and for ftm-watch manually (Policy Lookup on ' +
    '{firewall}), because policies match source addresses.',
  ...ON_THE_UNIT,
  ...CAPTURE_STEPS,
] as const;

/** A log line alone does not prove an outage, so the name mentions only the log. */
const LOGS = '{subject} logs {said}|logs {said}';

const POLICY_KINDS = {
  'policy-read': {
    name: `[${LOGS}|the policy for this unit is known]`,
    summary: `${UNEXPLAINED}. On {firewall}, {policy} matches {source}.`,
    remedy: POLICY_READ,
  },
  'policy-unread': {
    name: `[${LOGS}|the policy for this unit is not known]`,
    remedy: POLICY_UNREAD,
  },
} satisfies Readonly<Record<string, KindWords>>;

export type PolicyKind = keyof typeof POLICY_KINDS;

export const POLLING_CAUSES = {
  'polling-failing': {
    severity: 'critical',
    name: `[${LOGS}|{subject} logs errors|FortiAuthenticator logs errors]`,
    summary: ON_ITS_OWN_PATH,
    impact: 'activation',
    sources: ['ta-p/194050', 'docs:fortigate/7.2.13/administration-guide'],
    remedy: [
      'On the firewall of {appliance}, look up the policy for {source}, destination {host}, TCP 443, ' +
        'and check whether the policy inspects or blocks TLS (on a FortiGate: Policy Lookup).',
      ...ITS_OWN_VIEW,
    ],
    variants: [
      ...kindVariants(POLICY_KINDS),
      {
        when: { isPathUnclear: true },
        summary: UNCLEAR,
        remedy: [
          CLEAR_UP,
          'If you find no fault, compare the firewall policies for {source} and for ftm-watch (Policy Lookup on ' +
            'the FortiGate), because policies match source addresses.',
          ...ITS_OWN_VIEW,
        ],
      },
      { when: { isPathUnclear: true, kind: 'policy-read' }, remedy: [CLEAR_UP, ...POLICY_READ] },
      { when: { isPathUnclear: true, kind: 'policy-unread' }, remedy: [CLEAR_UP, ...POLICY_UNREAD] },
    ],
  },
  'users-disabled': {
    severity: 'critical',
    name: '[{subject}|users] were disabled',
    summary:
      '{appliance} disabled users because the activation of their FortiToken Mobile token has expired. They cannot ' +
      'log in.',
    impact: 'disabled',
    sources: ['ta-p/361713'],
    remedy: [
      'Do not restart FortiAuthenticator. First repair its connection to the licence server.',
      'Do not simply re-enable the users. A re-enabled user can log in without a token, so the second factor ' +
        'is bypassed.',
      'Assign and activate a token for each user first, and check that the login requires its code.',
      'Upgrade FortiAuthenticator to 6.4.10, 6.5.5, 6.6.1 or later, which fix bug 988000.',
    ],
  },
  'appliance-fault-logged': {
    severity: 'warning',
    name: `[${LOGS}|{subject} logs a fault|FortiAuthenticator logs a fault]`,
    summary: 'The log of {appliance} reports a fault in the unit itself, such as in its cluster, memory or clock.',
    impact: 'appliance',
    sources: ['ta-p/417719', 'ta-p/383334', 'ta-p/385019'],
    remedy: [
      'Read the log line in the evidence to find out whether the HA cluster, memory or NTP is affected.',
      'If the HA cluster is affected, check System > Administration > High Availability on both members.',
      fortiauthenticator(
        'If the memory is affected, compare SwapFree and SwapTotal. If they differ, FortiAuthenticator uses swap and ' +
          'needs more memory.',
        'get hard mem',
      ),
      fortiauthenticator(
        'If the clock is affected, make sure that FortiAuthenticator can reach an NTP server (UDP port 123).',
        'diagnose system ntp status',
      ),
    ],
  },
  'appliance-silent': {
    severity: 'warning',
    name: 'no log lines arrive[ from {subject}]',
    summary:
      'No log line has arrived from {appliance} for longer than logs.silentAfter, so ftm-watch would miss its errors.',
    impact: 'blind',
    sources: [
      'docs:fortiauthenticator/6.4.1/rest-api-solution-guide/883296',
      'docs:fortiauthenticator/6.4.1/administration-guide',
    ],
    remedy: [
      "On FortiAuthenticator, check the ftm-watch machine's address and port under Logging > Log Config > Syslog " +
        'Servers.',
      shell(
        'Check whether packets from FortiAuthenticator reach ftm-watch. As root, capture traffic to the ' +
          'logs.syslog port.',
        'tcpdump -n -i any port {syslogport}',
      ),
    ],
  },
} satisfies Readonly<Record<string, CauseWords>>;

export type PollingCause = keyof typeof POLLING_CAUSES;
