import { withSampling } from '../../../src/checks/intermittent/finding.ts';
import {
  type Connection,
  type ConnectionFault,
  NO_SAMPLES,
  type Sampling,
  samplingAfter,
} from '../../../src/checks/intermittent/sampling.ts';
import type { Finding } from '../../../src/engine/model.ts';
import { endpoint, path } from './observed.ts';

export const RESET: ConnectionFault = {
  stage: 'tls-genuine',
  cause: 'tls-blocked',
  confidence: 'suspected',
  product: null,
  claim: 'A reset.',
};

const AT = Date.UTC(2026, 10, 24, 13);

/** Connections by address, one letter each: `x` failed, `.` worked. */
export type Letters = Readonly<Record<string, string>>;

function connections(letters: Letters, fault: ConnectionFault = RESET): readonly Connection[] {
  return Object.entries(letters).flatMap(([address, each]) =>
    Array.from(each, (letter) => ({ address, fault: letter === 'x' ? fault : null })),
  );
}

/** One round after `before`, with a connection to each address and a burst, or without a burst. */
export function sampled(own: Letters, burst: Letters | null, before = NO_SAMPLES, fault = RESET): Sampling {
  const answers = Object.keys(own);
  return samplingAfter(before, {
    at: before === NO_SAMPLES ? AT : before.at + 30_000,
    answers,
    deciding: answers,
    own: connections(own, fault),
    burst: burst === null ? null : connections(burst, fault),
  });
}

/** Returns the finding about connections of which some fail. */
export function intermittentFinding(burst: Letters, fault: ConnectionFault = RESET): Finding {
  const own = Object.fromEntries(Object.keys(burst).map((address) => [address, '.']));
  const sampling = sampled(own, burst, NO_SAMPLES, fault);
  const seen = path({ endpoints: Object.keys(burst).map((address) => endpoint(address)) });
  const [found] = withSampling(fault.stage, [], { sampling, path: seen }) ?? [];
  if (found === undefined) throw new Error('The fault is not intermittent');
  return found;
}
