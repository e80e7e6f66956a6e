import { certificatePem } from '../core/certificate-pem.ts';
import { isInvalid } from '../core/invalid-round.ts';
import type { RoundResult } from '../report/round-result.ts';
import type { RoundRecord } from '../store/history.ts';
import { samplesOf } from '../sources/samples-of.ts';
import type { HourlyValue } from '../store/hourly-values.ts';

/** What of a round is kept in the history. An invalid one says nothing about its targets. */
export function roundRecord(
  { observations, judged, diagnosis: { preconditions } }: RoundResult,
  hourlyValues: readonly HourlyValue[],
): RoundRecord {
  const at = observations.startedAt;
  if (isInvalid(observations)) return { at, samples: [], preconditions, certificates: [], hourlyValues };
  return {
    at,
    samples: samplesOf(observations),
    preconditions,
    hourlyValues,
    certificates: judged.tls.flatMap(({ path, judged: { endpoints } }) =>
      endpoints.flatMap(({ outcome }) => {
        const leaf = outcome.chain?.certificates[0];
        return leaf === undefined
          ? []
          : [{ target: path.subject, fingerprint: leaf.fingerprint, pem: certificatePem(leaf) }];
      }),
    ),
  };
}
