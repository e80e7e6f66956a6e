import { isSameLeaf } from '../../core/certificate.ts';
import { type Finding, known } from '../../engine/finding.ts';
import { shell } from '../../engine/words/step.ts';
import { REPEAT, type TlsCause } from './causes.ts';
import { OLDER_TLS_RULE } from './expectations.ts';
import type { ReferenceChain, Verdict } from './tls-evidence.ts';
import { judgeTls } from './verdict.ts';
import type { PathObservation } from '../../core/round.ts';
import { type JudgedTlsPath, type TlsKnowledge, tlsEvidence, type TlsSurroundings } from './judge-tls-path.ts';

/**
 * That TLS 1.2 is inspected or cut where TLS 1.3 is not. Verdicts are compared, never certificates: a server may have one for
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
  if (older === undefined || endpoint === undefined || worst === null || isAgainst(worst.verdict)) return [];
  const alone = { ...path, endpoints: [{ ...endpoint, tls: older.outcome }], references: [] };
  const newer: readonly ReferenceChain[] =
    older.beside === undefined
      ? []
      : [{ kind: 'tls-version', label: `TLS 1.3 at ${older.label}`, chain: older.beside }];
  return tlsEvidence(alone, knowledge, surroundings).flatMap(({ evidence }): readonly Finding[] => {
    if (isSameLeaf(endpoint.tls?.chain, evidence.outcome.chain)) return [];
    const { verdict, confidence, product, summary } = judgeTls({ ...evidence, references: newer }, knowledge.checks);
    if (!isAgainst(verdict)) return [];
    const by = product === null ? '' : ` by ${product}`;
    const isCut = verdict === 'blocked';
    return [
      {
        rule: OLDER_TLS_RULE,
        subject: path.subject,
        claim: `TLS 1.2 is ${isCut ? 'cut' : 'inspected'}${by}, while TLS 1.3 is not.`,
        expected: `TLS 1.2 as clean as TLS 1.3 at ${older.label}`,
        actual: `In TLS 1.2 alone: ${summary}`,
        level: 'warning',
        suggests: SUGGESTED[verdict],
        confidence,
        facts: known({ judgement: summary, product }),
        advice: {
          summary: `In TLS 1.2 alone: ${summary}. TLS 1.3 passes.`,
          remedy: isCut ? cutRemedy(path.subject) : inspectedRemedy(path.subject),
        },
      },
    ];
  });
}

const SUGGESTED = {
  intercepted: 'tls-intercepted',
  'interception-suspected': 'tls-interception-suspected',
  blocked: 'tls-blocked',
} as const satisfies Partial<Record<Verdict, TlsCause>>;

function isAgainst(verdict: Verdict): verdict is keyof typeof SUGGESTED {
  return verdict in SUGGESTED;
}

type Remedy = (Finding['advice'] & object)['remedy'];

const WHICH_VERSION =
  'Which version FortiAuthenticator uses is not documented: a capture of its traffic shows it, in the Server Hello.';

function inspectedRemedy(subject: string): Remedy {
  return [
    'Find the device that inspects TLS 1.2 and lets TLS 1.3 pass: the issuer in the evidence is its certificate ' +
      'authority.',
    `Exempt the traffic of FortiAuthenticator to ${subject} from TLS inspection there, for every version of TLS.`,
    WHICH_VERSION,
    REPEAT,
  ];
}

function cutRemedy(subject: string): Remedy {
  return [
    shell(
      'Compare from another network. If TLS 1.2 fails there too, the server has given it up: nothing is wrong here.',
      'openssl s_client -tls1_2 -connect {server} -servername {host} </dev/null',
    ),
    'Find the device that ends TLS 1.2 and lets TLS 1.3 pass: look for {source} and {host} in the logs of ' +
      'application control, intrusion prevention and TLS inspection.',
    `Exempt the traffic of FortiAuthenticator to ${subject} there, for every version of TLS.`,
    WHICH_VERSION,
    REPEAT,
  ];
}
