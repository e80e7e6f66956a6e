import { type CauseWords, fortios } from '../../engine/model.ts';

const TYPE_CODES = 'Until then users type the code that the app shows: only the answer with one touch is lost.';

export const DELIVERY_CAUSES = {
  'push-unreachable': {
    severity: 'critical',
    title: 'push notifications do not leave',
    short: 'push service not reached',
    headline: 'the push service {host} is not reached',
    summary:
      'FortiAuthenticator sends push notifications through {host}, port {port}, and the way there is closed or ' +
      'inspected, as seen from this machine: phones show none. Codes that are typed keep working.',
    impact: 'push',
    sources: ['ta-p/333425', 'ta-p/277343', 'docs:fortigate/7.6.4/administration-guide/927108'],
    remedy: [
      'Let FortiAuthenticator reach {host} on TCP {port} as it reaches the licence server: the same policy, without ' +
        'inspection.',
      TYPE_CODES,
    ],
  },
  'push-certificate-refused': {
    severity: 'warning',
    title: 'phones refuse the certificate that answers push notifications',
    short: 'phones may refuse push replies',
    headline: 'phones may refuse the certificate of {host}',
    summary:
      'Phones answer push notifications at {host}, port {port}, and the certificate that is shown there leads to no ' +
      'authority that phones trust: the app refuses it.',
    impact: 'answers',
    sources: ['ta-p/201261', 'docs:fortiauthenticator/6.5.0/fortiauthenticator-ports'],
    remedy: [
      'Look at it from outside, such as by a phone without Wi-Fi: behind the same firewall another certificate may ' +
        'be shown than there.',
      'Give FortiAuthenticator a certificate for {host} from a public authority, with its intermediates, and use it ' +
        'for the web server (System > Administration > System Access).',
      TYPE_CODES,
    ],
  },
  'sms-gateway-unreachable': {
    severity: 'critical',
    title: 'SMS do not leave',
    short: 'SMS gateway not reached',
    headline: 'the SMS gateway {host} is not reached',
    summary:
      'FortiAuthenticator sends SMS through {host}, port {port}, and the way there is closed or inspected, as seen ' +
      'from this machine: codes do not reach users by SMS.',
    impact: 'sms',
    sources: ['ta-p/117091', 'docs:fortiauthenticator/6.3.0/rest-api-solution-guide/533466'],
    remedy: [
      'Let FortiAuthenticator reach {host} on TCP {port} as it reaches the licence server: the same policy, without ' +
        'inspection.',
      'Until then send activation codes by e-mail.',
    ],
  },
  'fortigate-activation-unreachable': {
    severity: 'critical',
    title: 'a FortiGate with tokens of its own cannot activate them',
    short: 'FortiGate activation not reached',
    headline: 'the activation host of FortiGate, {host}, is not reached',
    summary:
      'A FortiGate that holds FortiToken Mobile tokens itself activates them at {host}, port {port}, and the way ' +
      'there is closed or inspected, as seen from this machine.',
    impact: 'fortigate',
    sources: ['ta-p/194508', 'docs:fortigate/7.0.14/administration-guide/180506'],
    remedy: [
      fortios('On the FortiGate see whether it reaches the host.', 'execute ping {host}'),
      {
        text: 'Then watch what it says while a token is activated.',
        syntax: 'fortios',
        commands: [
          'diagnose fortitoken debug enable',
          'diagnose debug application forticldd 255',
          'diagnose debug enable',
        ],
        undo: ['diagnose debug disable', 'diagnose debug application forticldd 0', 'diagnose fortitoken debug disable'],
      },
      'Its own traffic leaves by no policy of its own: look for a firewall behind it that inspects or closes TCP ' +
        '{port}.',
      'Tokens that are active keep working.',
    ],
  },
  'fortitoken-cloud-unreachable': {
    severity: 'critical',
    title: 'FortiToken Cloud is not reached',
    short: 'FortiToken Cloud not reached',
    headline: 'FortiToken Cloud, {host}, is not reached',
    summary:
      'FortiToken Cloud answers at {host}, port {port}, and the way there is closed or inspected, as seen from this ' +
      'machine: logins with its tokens may fail.',
    impact: 'cloud',
    sources: ['ta-p/275159'],
    remedy: [
      'The vendor tells of its incidents at https://status.fortistatus.com/guest-portal/fortitoken/incident/overview ' +
        '. Look there first.',
      'Let FortiGate and FortiAuthenticator reach {host} on TCP {port}, without inspection.',
    ],
  },
  'sms-running-out': {
    severity: 'warning',
    title: 'SMS are running out',
    short: 'SMS are running out',
    summary: 'Few SMS are left of those that {appliance} has bought from FortiGuard.',
    impact: 'none',
    sources: ['docs:fortiauthenticator/6.3.0/rest-api-solution-guide/533466'],
    remedy: ['Order another SMS licence in time, and send activation codes by e-mail where you can.'],
  },
  'sms-exhausted': {
    severity: 'warning',
    title: 'no SMS is left',
    short: 'no SMS are left',
    headline: 'no SMS are left',
    summary: 'No SMS is left of those that {appliance} has bought from FortiGuard: codes do not reach users by SMS.',
    impact: 'sms',
    sources: ['docs:fortiauthenticator/6.3.0/rest-api-solution-guide/533466'],
    remedy: ['Send activation codes by e-mail for now.', 'Order another SMS licence, or use a gateway of your own.'],
  },
} satisfies Readonly<Record<string, CauseWords>>;

export type DeliveryCause = keyof typeof DELIVERY_CAUSES;
