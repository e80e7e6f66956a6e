import type { Config } from '../../config/config.ts';
import { authority } from '../../core/authority.ts';
import type { ClockObservation } from '../../core/observation.ts';
import { sampleOf, type ProbeSample } from '../../core/round.ts';
import type { SystemLookup } from '../../network/system-lookup.ts';
import type { RoundSource } from '../source.ts';
import { observeNtp } from './observe-ntp.ts';

interface Tools {
  readonly system: SystemLookup;
}

/** The time of NTP servers. */
export const ntp: RoundSource<'ntp', Pick<Config, 'clock'>, readonly ClockObservation[], Tools> = {
  id: 'ntp',
  runs: 'round',
  targets: ({ clock }) => clock.ntp.map((server) => ({ probe: 'ntp', target: authority(server) })),
  observe: ({ clock }, look) => look.each(clock.ntp, (server) => observeNtp(server, look.system, look.ctx)),
  runsIn: (told) => ({ paths: [], samples: told.map(sample) }),
};

function sample({ source, outcome }: ClockObservation): ProbeSample {
  return outcome.kind === 'failed'
    ? sampleOf('ntp', source, outcome)
    : { probe: 'ntp', target: source, durationMs: 2 * outcome.precisionMs, failure: null };
}
