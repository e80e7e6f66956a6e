import type { CauseWords } from '../../engine/words/cause-words.ts';
import { shell } from '../../engine/words/step.ts';
import { SHUT_PORT_KINDS, SHUT_PORT_REMEDY } from './shut-port.ts';

export const REACHABILITY_CAUSES = {
  'egress-blocked': {
    severity: 'critical',
    title: 'the licence server accepts no connection',
    short: 'server accepts no connection',
    headline: '{subject} accepts no connection',
    byFirewall: {
      action: 'denies',
      headline: 'the connection is blocked by {culprit}',
      summary: 'The connection from {source} to {subject} is blocked by {culprit}.',
    },
    summary:
      'The internet works, but {subject} accepts no connection: a firewall on the way blocks it, or the server is ' +
      'down.',
    impact: 'activation',
    sources: ['ta-p/194050', 'docs:fortigate/7.2.13/administration-guide'],
    remedy: SHUT_PORT_REMEDY,
    kinds: {
      ...SHUT_PORT_KINDS,
      'through-proxy': {
        title: 'the way leads through a proxy',
        summary: 'The proxy {proxy} does not connect to {subject}.',
        remedy: [
          shell(
            'Make sure that licenseServer.proxy here and the proxy on FortiAuthenticator are right, then ask the proxy ' +
              'itself.',
            'curl -v -x http://{proxy} https://{server}/',
          ),
          'No answer or "refused" from it: the proxy is down, or a firewall between {source} and {proxy} blocks the way.',
          'Status 403: on the proxy, allow CONNECT to {host}, TCP {port}, from {source}, without inspection.',
          'Status 407: the proxy requires a login: set licenseServer.proxy.user and passwordFile here, and the same on ' +
            'FortiAuthenticator.',
          'Status 502, 503 or 504, or silence after the connection: the proxy itself cannot reach the internet. ' +
            'Check its log and its resolver.',
        ],
      },
    },
  },
  'egress-partly-blocked': {
    severity: 'warning',
    partOf: 'egress-blocked',
    title: 'some addresses of the licence server accept no connection',
    short: 'some server addresses blocked',
    headline: 'some addresses of {subject} accept no connection',
    summary: 'Only some addresses of {subject} accept a connection; {address} does not.',
    impact: 'none',
    sources: ['ta-p/327581'],
    remedy: [
      'Allow TCP {port} to every address of {host}: policies that name a single address are the usual reason. ' +
        'Prefer a policy by FQDN.',
      'If the policy allows all of them, the server behind {address} may be down: wait, and ask Fortinet if it lasts.',
    ],
  },
} satisfies Readonly<Record<string, CauseWords>>;

export type ReachabilityCause = keyof typeof REACHABILITY_CAUSES;
