import { authority } from '../../core/authority.ts';
import type { ClockObservation } from '../../core/observation.ts';
import { sampleOf, type ProbeSample } from '../../core/round.ts';
import type { SystemLookup } from '../../network/system-lookup.ts';
import type { RoundSource } from '../source.ts';
import { clock, type ClockConfig } from './section.ts';
import { observeNtp } from './observe-ntp.ts';

/** The time of NTP servers. */
export const ntp: RoundSource<'ntp', { clock: ClockConfig }, readonly ClockObservation[], { system: SystemLookup }> = {
  id: 'ntp',
  runs: 'round',
  sections: {
    clock: clock.prefault({}).describe("How this machine's clock is compared with the outside world."),
  },
  targets: (settings) => settings.clock.ntp.map((server) => ({ probe: 'ntp', target: authority(server) })),
  observe: (settings, look) => look.each(settings.clock.ntp, (server) => observeNtp(server, look.system, look.ctx)),
  runsIn: (told) => ({ paths: [], samples: told.map(sample) }),
};

function sample({ source, outcome }: ClockObservation): ProbeSample {
  return outcome.kind === 'failed'
    ? sampleOf('ntp', source, outcome)
    : { probe: 'ntp', target: source, durationMs: 2 * outcome.precisionMs, failure: null };
}
