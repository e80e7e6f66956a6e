import { type CauseWords, fortios } from '../../engine/model.ts';
import { VENDOR_STATUS } from '../../engine/words.ts';

const TYPE_CODES = 'Until then, users can type the code that the app shows. Only one-tap approval is unavailable.';

const CHECK_STATUS = `If access is allowed, check ${VENDOR_STATUS} for incidents.`;

export const DELIVERY_CAUSES = {
  'push-unreachable': {
    severity: 'critical',
    name: 'the push service[ {subject}] is unreachable',
    summary:
      'FortiAuthenticator sends push notifications through {host}, port {port}. From ftm-watch, the path to ' +
      'this host is blocked or inspected, so phones show no notifications. Codes that users type still work.',
    impact: 'push',
    sources: ['ta-p/333425', 'ta-p/277343', 'docs:fortigate/7.6.4/administration-guide/927108'],
    remedy: [
      'Allow FortiAuthenticator to reach {host} on TCP {port}, without inspection, as for the licence server.',
      CHECK_STATUS,
      TYPE_CODES,
    ],
  },
  'push-certificate-refused': {
    severity: 'warning',
    name: 'phones may reject the certificate[ of {subject}]',
    summary:
      'Phones send their replies to push notifications to {host}, port {port}. The certificate presented there is ' +
      'not from an authority that phones trust, so the app rejects it.',
    impact: 'answers',
    sources: ['ta-p/201261', 'ta-p/190810', 'docs:fortiauthenticator/6.5.0/fortiauthenticator-ports'],
    remedy: [
      'Check the certificate from outside, such as from a phone with Wi-Fi off. Inside your network, the ' +
        'certificate may be different.',
      'If {host} is not the name that phones must use, correct Public IP/FQDN for FortiToken Mobile on ' +
        'FortiAuthenticator. It is the public address to which phones reply, not an address of FortiAuthenticator.',
      'On FortiAuthenticator, allow FortiToken Mobile API on the interface that receives the replies (System > ' +
        'Network > Interfaces).',
      'On FortiAuthenticator, install a certificate for {host} from a public authority, with its intermediates, and ' +
        'use it for the web server (System > Administration > System Access).',
      TYPE_CODES,
    ],
  },
  'sms-gateway-unreachable': {
    severity: 'critical',
    name: 'the SMS gateway[ {subject}] is unreachable',
    summary:
      'FortiAuthenticator sends SMS through {host}, port {port}. From ftm-watch, the path to this host is ' +
      'blocked or inspected, so codes do not reach users by SMS.',
    impact: 'sms',
    sources: ['ta-p/117091', 'docs:fortiauthenticator/6.3.0/rest-api-solution-guide/533466'],
    remedy: [
      'Allow FortiAuthenticator to reach {host} on TCP {port}, without inspection, as for the licence server.',
      CHECK_STATUS,
      'Until then, send activation codes by email.',
    ],
  },
  'fortigate-activation-unreachable': {
    severity: 'critical',
    name: 'a FortiGate cannot activate tokens[ at {subject}]',
    summary:
      'A FortiGate with its own FortiToken Mobile tokens activates them at {host}, port {port}. From ftm-watch, ' +
      'the path to this host is blocked or inspected.',
    impact: 'fortigate',
    sources: ['ta-p/194508', 'docs:fortigate/7.0.14/administration-guide/180506'],
    remedy: [
      fortios('Check that the FortiGate can reach the host.', 'execute ping {host}'),
      {
        text: 'Then watch the debug output while a token is activated.',
        syntax: 'fortios',
        commands: [
          'diagnose fortitoken debug enable',
          'diagnose debug application forticldd 255',
          'diagnose debug enable',
        ],
        undo: ['diagnose debug disable', 'diagnose debug application forticldd 0', 'diagnose fortitoken debug disable'],
      },
      'No firewall policy applies to traffic from the FortiGate itself. Look for a firewall behind the FortiGate ' +
        'that inspects or blocks TCP {port}.',
      'Active tokens keep working.',
    ],
  },
  'fortitoken-cloud-unreachable': {
    severity: 'critical',
    name: 'FortiIdentity Cloud[ at {subject}] is unreachable',
    summary:
      'FortiIdentity Cloud (formerly FortiToken Cloud) is at {host}, port {port}. From ftm-watch, the path to this ' +
      'host is blocked or inspected, so logins with its tokens may fail.',
    impact: 'cloud',
    sources: ['ta-p/275159', 'docs:fortiidentity-cloud/latest/admin-guide/766608'],
    remedy: [
      CHECK_STATUS,
      fortios('Check that {host} is the name of your region.', 'execute fortiidentity-cloud region-info'),
      'Allow the FortiGate and FortiAuthenticator to reach {host} on TCP {port}, without inspection.',
    ],
  },
  'sms-running-out': {
    severity: 'warning',
    runbook: { name: 'sms-running-out' },
    name: 'SMS messages are running out',
    summary: '{appliance} is running low on FortiGuard SMS messages.',
    impact: 'none',
    sources: ['docs:fortiauthenticator/6.3.0/rest-api-solution-guide/533466'],
    remedy: [
      'Order another SMS licence before the last SMS is sent, and send activation codes by email where possible.',
    ],
  },
  'sms-exhausted': {
    severity: 'warning',
    runbook: { name: 'sms-running-out' },
    name: 'no SMS messages are left',
    summary: '{appliance} has no FortiGuard SMS messages left, so codes do not reach users by SMS.',
    impact: 'sms',
    sources: ['docs:fortiauthenticator/6.3.0/rest-api-solution-guide/533466'],
    remedy: ['Send activation codes by email.', 'Order another SMS licence, or use your own gateway.'],
  },
} satisfies Readonly<Record<string, CauseWords>>;
