import { type CauseWords, fortiauthenticator, shell, type Step } from '../../engine/model.ts';

const REMEDY: readonly Step[] = [
  shell('Check which way this machine sends packets to the internet.', 'ip route get 173.243.138.84'),
  fortiauthenticator(
    'Check the default gateway of FortiAuthenticator (System > Network > Static Routing): it must answer.',
    'execute ping {gateway}',
  ),
  'Check the uplink and the firewall: does other traffic leave the site? Is there a policy from {source} to ' +
    'the internet at all?',
  'If the internet can only be reached through a proxy, set licenseServer.proxy here and the proxy on ' +
    'FortiAuthenticator.',
];

export const INTERNET_CAUSES = {
  'internet-unreachable': {
    severity: 'critical',
    title: 'the internet is unreachable',
    short: 'the internet is unreachable',
    summary:
      'Neither the licence server nor any control host accepts a connection: the internet is unreachable from here.',
    impact: 'activation',
    sources: ['ta-p/194050', 'docs:fortiauthenticator/6.4.1/administration-guide'],
    remedy: REMEDY,
    kinds: {
      'never-answered': {
        title: 'nothing has answered since the start',
        summary:
          'Neither the licence server nor any control host accepts a connection, and none has since ftm-watch was ' +
          'started: the internet is probably unreachable from here, unless a firewall lets out the licence server ' +
          'alone.',
        remedy: [
          'If a firewall blocks the control hosts on purpose, then it or the licence server itself is at fault: look ' +
            'in its log for {source}, and name hosts in controlHosts that it lets out.',
          ...REMEDY,
        ],
      },
    },
  },
} satisfies Readonly<Record<string, CauseWords>>;

export type InternetCause = keyof typeof INTERNET_CAUSES;
