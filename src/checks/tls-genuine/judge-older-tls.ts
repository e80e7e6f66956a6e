import { isSameLeaf } from '../../core/certificate.ts';
import { type Finding, known } from '../../engine/finding.ts';
import { REPEAT } from './causes.ts';
import { OLDER_TLS_RULE } from './expectations.ts';
import type { ReferenceChain } from './tls-evidence.ts';
import { isInterception, judgeTls } from './verdict.ts';
import type { PathObservation } from '../../core/round.ts';
import { type JudgedTlsPath, type TlsKnowledge, tlsEvidence, type TlsSurroundings } from './judge-tls-path.ts';

/**
 * That TLS 1.2 is inspected where TLS 1.3 is not. Verdicts are compared, never certificates: a server may have one for
 * each version. Whether FortiAuthenticator speaks TLS 1.2 is not known, so that its log decides how grave it is.
 */
export function judgeOlderTls(
  path: PathObservation,
  { worst }: JudgedTlsPath,
  knowledge: TlsKnowledge,
  surroundings: TlsSurroundings,
): readonly Finding[] {
  const older = path.references.find(({ kind }) => kind === 'tls-1.2');
  const endpoint = path.endpoints.find(({ address }) => address === older?.label) ?? path.endpoints[0];
  if (older === undefined || endpoint === undefined || worst === null || isInterception(worst.verdict)) return [];
  const alone = { ...path, endpoints: [{ ...endpoint, tls: older.outcome }], references: [] };
  const newer: readonly ReferenceChain[] =
    older.beside === undefined
      ? []
      : [{ kind: 'tls-version', label: `TLS 1.3 at ${older.label}`, chain: older.beside }];
  return tlsEvidence(alone, knowledge, surroundings).flatMap(({ evidence }): readonly Finding[] => {
    if (isSameLeaf(endpoint.tls?.chain, evidence.outcome.chain)) return [];
    const { verdict, confidence, product, summary } = judgeTls({ ...evidence, references: newer }, knowledge.checks);
    if (!isInterception(verdict)) return [];
    return [
      {
        rule: OLDER_TLS_RULE,
        subject: path.subject,
        claim: `TLS 1.2 is inspected${product === null ? '' : ` by ${product}`}, while TLS 1.3 is not.`,
        expected: `TLS 1.2 as clean as TLS 1.3 at ${older.label}`,
        actual: `In TLS 1.2 alone: ${summary}`,
        level: 'warning',
        suggests: verdict === 'intercepted' ? 'tls-intercepted' : 'tls-interception-suspected',
        confidence,
        facts: known({ judgement: summary, product }),
        advice: adviceOf(path.subject, summary),
      },
    ];
  });
}

function adviceOf(subject: string, summary: string): Finding['advice'] & object {
  return {
    summary: `In TLS 1.2 alone: ${summary}. TLS 1.3 passes.`,
    remedy: [
      'Find the device that inspects TLS 1.2 and lets TLS 1.3 pass: the issuer in the evidence is its certificate ' +
        'authority.',
      `Exempt the traffic of FortiAuthenticator to ${subject} from TLS inspection there, for every version of TLS.`,
      'Which version FortiAuthenticator uses is not documented: a capture of its traffic shows it, in the Server ' +
        'Hello.',
      REPEAT,
    ],
  };
}
