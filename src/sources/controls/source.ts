import type { Config } from '../../config/config.ts';
import { pathProbes, type PathObservation } from '../../core/round.ts';
import type { RoundSource } from '../source.ts';
import { observeAnyAddress, type PathTools } from '../target/observe-path.ts';
import { controlTarget } from '../target/path-targets.ts';

type Settings = Pick<Config, 'controlHosts' | 'licenseServer' | 'resolvers'>;

/** Unrelated hosts: they tell a dead uplink from a path that is blocked. */
export const controls: RoundSource<'controls', Settings, readonly PathObservation[], PathTools> = {
  id: 'controls',
  runs: 'round',
  targets: ({ controlHosts }) => controlHosts.flatMap(pathProbes),
  observe: (settings, look) =>
    look.each(settings.controlHosts, (host) => observeAnyAddress(controlTarget(host, settings), look, look.ctx)),
  runsIn: (paths) => ({ paths, samples: [] }),
};
