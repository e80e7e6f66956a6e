import type { CauseWords } from '../../engine/words/cause-words.ts';
import { shell } from '../../engine/words/step.ts';
import { PROXY_KINDS } from './proxy-kinds.ts';
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
      summary: 'The connection of FortiAuthenticator from {source} to {subject} is blocked by {culprit}.',
    },
    summary:
      'The internet works, but {subject} accepts no connection: a firewall on the way blocks it, or the server is ' +
      'down.',
    impact: 'activation',
    sources: ['ta-p/194050', 'docs:fortigate/7.2.13/administration-guide'],
    remedy: SHUT_PORT_REMEDY,
    kinds: {
      ...SHUT_PORT_KINDS,
      ...PROXY_KINDS,
    },
  },
  'proxy-slow': {
    severity: 'warning',
    title: 'the proxy is slow to connect',
    short: 'proxy is slow to connect',
    headline: 'the proxy is slow to connect to {subject}',
    summary: 'The proxy {proxy} took {waited} to connect to {subject}: FortiAuthenticator may give up earlier.',
    impact: 'none',
    remedy: [
      'Look in the log of the proxy for what it waits for: a resolver that does not answer, a check of the login, or its ' +
        'own load.',
      shell(
        'Measure it again, without FortiAuthenticator.',
        "curl -s -o /dev/null -w '%{time_appconnect} s\\n' -x http://{proxy} https://{server}/",
      ),
      'If FortiAuthenticator logs "connection timeout" at the same time, it does give up: exempt {host} from what ' +
        'delays it on the proxy.',
    ],
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
