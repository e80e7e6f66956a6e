import { type CauseWords, fortiauthenticator, shell, type Step } from '../../engine/model.ts';

const REMEDY: readonly Step[] = [
  shell("Check this machine's route to the internet.", 'ip route get 173.243.138.84'),
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
        title: 'nothing has answered since ftm-watch started',
        summary:
          'Neither the licence server nor any control host accepts a connection, and none has since ftm-watch ' +
          'started: the internet is probably unreachable from here, unless a firewall allows only the licence server.',
        remedy: [
          'If a firewall blocks the control hosts on purpose, it or the licence server is at fault: search the ' +
            'firewall log for {source}, and set controlHosts to hosts that it allows.',
          ...REMEDY,
        ],
      },
    },
  },
} satisfies Readonly<Record<string, CauseWords>>;

export type InternetCause = keyof typeof INTERNET_CAUSES;
