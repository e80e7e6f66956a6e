import { isSameLeaf } from '../../tls/sent-chain.ts';
import { type Finding, known, shell, warning } from '../../engine/model.ts';
import { REPEAT, type TlsCause } from './causes.ts';
import { OLDER_TLS_RULE } from './expectations.ts';
import type { TlsJudgement, Verdict } from './chain-case.ts';
import { judgeTlsPath } from './judge-path.ts';
import type { TargetFacts } from '../check.ts';

type OlderTlsFacts = Pick<TargetFacts, 'path' | 'tls' | 'knowledge' | 'surroundings'>;

/**
 * Verdicts are compared instead of certificates, because a server may have a different certificate for each version.
 * FortiAuthenticator's log determines the severity, because it is not documented whether FortiAuthenticator uses TLS
 * 1.2.
 */
export function judgeOlderTls(seen: OlderTlsFacts): readonly Finding[] {
  const { path, tls } = seen;
  const judgement = judgedInOlderTls(seen);
  if (tls.worst === null || judgement === null || isAgainst(tls.worst.verdict)) return [];
  const { confidence, product, summary, verdict } = judgement;
  if (!isAgainst(verdict)) return [];
  const isCut = verdict === 'blocked';
  const by = product === null ? '' : ` by ${product}`;
  return [
    warning(SUGGESTED[verdict], {
      rule: OLDER_TLS_RULE,
      subject: path.subject,
      claim: `A connection with TLS 1.2 was ${isCut ? 'blocked' : 'inspected'}${by}, but one with TLS 1.3 was not.`,
      expected: 'The same result with TLS 1.2 as with TLS 1.3',
      confidence,
      facts: known({ judgement: summary, product }),
      advice: {
        summary: `With TLS 1.2: ${summary}. A connection with TLS 1.3 worked.`,
        remedy: isCut ? cutRemedy(path.subject) : inspectedRemedy(path.subject),
      },
    }),
  ];
}

/** Returns whether one version was inspected or blocked in this round while the other was not. */
export function isVersionDecisive(seen: OlderTlsFacts): boolean {
  const { worst } = seen.tls;
  const judgement = judgedInOlderTls(seen);
  return worst !== null && judgement !== null && isAgainst(judgement.verdict) !== isAgainst(worst.verdict);
}

/** Judged in the same way as TLS 1.3, which is the reference in turn. Null if there is no difference to judge. */
function judgedInOlderTls({ path, knowledge, surroundings }: OlderTlsFacts): TlsJudgement | null {
  const older = path.references.find(({ kind }) => kind === 'tls-1.2');
  const newer = path.endpoints.find(({ address }) => address === older?.label);
  if (older === undefined || !newer?.tls || isSameLeaf(newer.tls.chain, older.outcome.chain)) return null;
  const endpoints = [{ ...newer, tls: older.outcome }];
  const references = [{ kind: 'tls-1.3', label: newer.address, outcome: newer.tls }] as const;
  return judgeTlsPath({ ...path, endpoints, references }, knowledge, surroundings).worst;
}

const SUGGESTED = {
  intercepted: 'tls-intercepted',
  'interception-suspected': 'tls-interception-suspected',
  blocked: 'tls-blocked',
} as const satisfies Partial<Record<Verdict, TlsCause>>;

type VerdictAgainst = keyof typeof SUGGESTED;

function isAgainst(verdict: Verdict): verdict is VerdictAgainst {
  return verdict in SUGGESTED;
}

type Remedy = (Finding['advice'] & object)['remedy'];

const WHICH_VERSION =
  'Fortinet does not document which TLS version FortiAuthenticator uses. To find out, check the Server Hello in ' +
  'a capture.';

function inspectedRemedy(subject: string): Remedy {
  return [
    'Find the device that inspects TLS 1.2, using the name of the issuer in the evidence.',
    `On that device, exempt FortiAuthenticator's traffic to ${subject} from inspection for all TLS versions.`,
    WHICH_VERSION,
    REPEAT,
  ];
}

function cutRemedy(subject: string): Remedy {
  return [
    shell(
      'Connect from another network. If TLS 1.2 fails there too, the server no longer supports it, and there is ' +
        'no fault.',
      'openssl s_client -tls1_2 -connect {server} -servername {host} </dev/null',
    ),
    'Find the device that blocks TLS 1.2. Search the application control, intrusion prevention and TLS inspection ' +
      'logs for {source} and {host}.',
    `On that device, exempt FortiAuthenticator's traffic to ${subject} for all TLS versions.`,
    WHICH_VERSION,
    REPEAT,
  ];
}
