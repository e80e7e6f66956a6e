import { hostPort } from '../../config/schema/endpoints.ts';
import { list } from '../../config/schema/section.ts';
import type { HostPort } from '../../core/addresses.ts';
import { pathProbes, type PathObservation } from '../../core/round.ts';
import type { PathSettings } from '../path/sections.ts';
import type { RoundSource } from '../source.ts';
import { observeAnyAddress, type PathTools } from '../target/observe-path.ts';
import { controlTarget } from '../target/path-targets.ts';

const HTTPS_PORT = 443;

interface Sections {
  readonly controlHosts: readonly HostPort[];
}

type Settings = Sections & Pick<PathSettings, 'licenseServer' | 'resolvers'>;

/** Unrelated hosts: they tell a dead uplink from a path that is blocked. */
export const controls: RoundSource<'controls', Sections, readonly PathObservation[], PathTools, Settings> = {
  id: 'controls',
  runs: 'round',
  sections: {
    controlHosts: list(hostPort(HTTPS_PORT))
      .prefault(['www.fortinet.com:443', 'www.iana.org:443'])
      .describe(
        'Unrelated hosts that distinguish "the internet is down" from "the licence server is blocked". It is not ' +
          'a fault if a firewall blocks them.',
      ),
  },
  targets: ({ controlHosts }) => controlHosts.flatMap(pathProbes),
  observe: (settings, look) =>
    look.each(settings.controlHosts, (host) => observeAnyAddress(controlTarget(host, settings), look, look.ctx)),
  runsIn: (paths) => ({ paths, samples: [] }),
};
