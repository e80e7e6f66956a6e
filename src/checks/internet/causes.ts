import { type CauseWords, fortiauthenticator, shell, type Step, kindVariants } from '../../engine/model.ts';

const REMEDY: readonly Step[] = [
  shell("Check the ftm-watch machine's route to the internet.", 'ip route get 173.243.138.84'),
  fortiauthenticator(
    'Check that the default gateway of FortiAuthenticator answers (System > Network > Static Routing).',
    'execute ping {gateway}',
  ),
  'Check the uplink and the firewall. Find out whether other traffic leaves the site, and whether any policy allows ' +
    'traffic from {source} to the internet.',
  'If the internet can only be reached through a proxy, set licenseServer.proxy in ftm-watch and the proxy on ' +
    'FortiAuthenticator.',
];

export const INTERNET_CAUSES = {
  'internet-unreachable': {
    severity: 'critical',
    name: 'the internet is unreachable',
    summary:
      'Neither the licence server nor any unrelated host accepts a connection, so the internet is unreachable ' +
      'from here.',
    impact: 'activation',
    sources: ['ta-p/194050', 'docs:fortiauthenticator/6.4.1/administration-guide'],
    remedy: REMEDY,
    variants: kindVariants({
      'never-answered': {
        name: 'no host has answered yet',
        summary:
          'Neither the licence server nor any unrelated host has accepted a connection since ftm-watch was ' +
          'started. The internet is probably unreachable from here, unless a firewall allows only the licence ' +
          'server.',
        remedy: [
          'If a firewall is meant to block the unrelated hosts, either the firewall or the licence server is at ' +
            'fault. Search the firewall log for {source}, and set controlHosts to hosts that the firewall allows.',
          ...REMEDY,
        ],
      },
    }),
  },
} satisfies Readonly<Record<string, CauseWords>>;

export type InternetCause = keyof typeof INTERNET_CAUSES;
