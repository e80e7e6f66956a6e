import type { PreconditionId } from '../precondition.ts';
import type { CauseCatalogue } from './entry.ts';

/** What only time shows. The steps for the precondition, or what its judgement asked for, stand before these. */
export const UNKNOWN_CAUSES: CauseCatalogue<'precondition-unknown'> = {
  'precondition-unknown': {
    severity: 'warning',
    title: 'a precondition cannot be judged',
    summary: 'Whether {subject} is in order has not been known for 15 minutes.',
    impact: 'blind',
    remedy: [
      'Run "ftm-watch check": it says for each precondition what it looked at, and why it could not judge.',
      'What cannot be known here and is not needed can be taken out of the configuration: it is "not configured" ' +
        'then, and no longer unknown.',
    ],
  },
};

/** What would settle it, where the judgement itself does not say. */
export const SETTLING: Readonly<Record<PreconditionId, string>> = {
  internet: 'Give this machine a way to at least one of "controlHosts", or name hosts there that it may reach.',
  'name-resolution': 'Name resolvers in "resolvers" that this machine may ask, those that FortiAuthenticator uses.',
  reachability:
    'Give this machine a route to the licence server ("ip route get ADDRESS"), or set "sourceAddress" to an ' +
    'address that has one.',
  'tls-genuine':
    'Make known what the certificate of the licence server is judged by: "trust.caFiles", "trust.pins", or a ' +
    'second look from another network.',
  'license-server':
    'Let the HTTP request of this machine reach the licence server: a proxy or a filter on the way may swallow the ' +
    'answer.',
  mail: 'Let this machine speak to the servers in "mail", from the same network as FortiAuthenticator.',
  appliance: 'Let this machine reach the API of FortiAuthenticator: appliances[].api.url, its user and its key.',
  'license-assignment':
    'See that the serial numbers of the unit and of its licences are known (appliances[].serial, ' +
    'appliances[].licenses) and that "registration" answers.',
  'token-pool': 'Give the user of appliances[].api the right to read tokens and licences.',
  polling: 'Let FortiAuthenticator send its log to this machine: Logging > Log Config > Syslog Servers.',
  'firewall-policy':
    'Let the administrator of "firewall.tokenFile" read the firewall policies, from the address of this machine ' +
    '(trusted hosts).',
  clock: 'Name time servers in "clock.ntp" that this machine may ask: UDP port 123.',
};
