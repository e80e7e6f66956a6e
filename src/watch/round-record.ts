import { certificatePem } from '../core/certificate-pem.ts';
import type { Diagnosis } from '../core/diagnosis.ts';
import { probeSamples, type RoundObservations } from '../core/round.ts';
import type { JudgedRound } from '../round/assess-round.ts';
import type { RoundRecord } from '../store/history.ts';

/** What of a round is kept in the history. */
export function roundRecord(round: RoundObservations, judged: JudgedRound, { preconditions }: Diagnosis): RoundRecord {
  return {
    at: round.startedAt,
    samples: probeSamples(round),
    preconditions,
    certificates: judged.tls.flatMap(({ path, judged: { endpoints } }) =>
      endpoints.flatMap(({ outcome }) => {
        const leaf = outcome.chain?.certificates[0];
        return leaf === undefined ? [] : [{ target: path.subject, fingerprint: leaf.fingerprint, pem: certificatePem(leaf) }];
      }),
    ),
  };
}
