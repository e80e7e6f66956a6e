import { isSameLeaf } from '../../core/certificate.ts';
import { type Finding, known, shell } from '../../engine/model.ts';
import { REPEAT, type TlsCause } from './causes.ts';
import { OLDER_TLS_RULE } from './expectations.ts';
import type { ReferenceChain, TlsJudgement, Verdict } from './chain-case.ts';
import { judgeTls } from './verdict.ts';
import type { EndpointObservation, TlsOutcome } from '../../core/observation.ts';
import type { PathObservation, ReferenceObservation, VersionSeries } from '../../core/round.ts';
import { type JudgedEndpoint, tlsEvidence } from './judge-path.ts';
import type { TargetFacts } from '../check.ts';

type OlderTlsFacts = Pick<TargetFacts, 'path' | 'tls' | 'knowledge' | 'surroundings'>;

/**
 * For each TLS version, this many connections must have the same result. If every second connection is inspected, a
 * difference seen over fewer connections could be due to chance.
 */
const FEWEST = 3;

/**
 * Verdicts are compared instead of certificates, because a server may have a different certificate for each version.
 * FortiAuthenticator's log determines the severity, because it is not documented whether FortiAuthenticator uses TLS
 * 1.2.
 */
export function judgeOlderTls(seen: OlderTlsFacts): readonly Finding[] {
  const difference = differenceIn(seen);
  const { subject } = seen.path;
  if (difference === null || !difference.isConsistent) return [];
  const { confidence, product, summary } = difference.judgement;
  const isCut = difference.verdict === 'blocked';
  const by = product === null ? '' : ` by ${product}`;
  return [
    {
      rule: OLDER_TLS_RULE,
      subject,
      claim: `TLS 1.2 is ${isCut ? 'blocked' : 'inspected'}${by}, but TLS 1.3 is not.`,
      expected: `The same result with TLS 1.2 as with TLS 1.3 at ${difference.address}`,
      level: 'warning',
      suggests: SUGGESTED[difference.verdict],
      confidence,
      facts: known({ judgement: summary, product }),
      advice: {
        summary: `With TLS 1.2 only: ${summary}. TLS 1.3 works.`,
        remedy: isCut ? cutRemedy(subject) : inspectedRemedy(subject),
      },
    },
  ];
}

/** Returns whether TLS 1.2 was inspected or blocked in this round while TLS 1.3 was not. */
export function isOlderInspected(seen: OlderTlsFacts): boolean {
  return differenceIn(seen) !== null;
}

/**
 * Returns the additional connections if the result does not depend on the TLS version. In that case, some connections
 * with each version are inspected. The preceding TLS 1.3 observation is used as a witness.
 */
export function mixedVersions(seen: OlderTlsFacts): readonly JudgedEndpoint[] {
  const { path } = seen;
  const difference = differenceIn(seen);
  const [both] = bothVersionsIn(path);
  if (difference === null || difference.isConsistent || both === undefined || !both.older.isFresh) return [];
  const { older, endpoint } = both;
  const { older: olderAgain = [], newer = [] } = older.again ?? {};
  return [older.outcome, ...olderAgain, ...newer].flatMap((outcome) => {
    const one = { ...endpoint, tls: outcome };
    return judgedBeside(seen, one, besideOf(older)).map((judgement) => ({
      endpoint: one,
      outcome,
      judgement,
    }));
  });
}

/** Uses the given references instead of the path's own. */
function judgedBeside(
  { path, knowledge, surroundings }: OlderTlsFacts,
  endpoint: EndpointObservation,
  references: readonly ReferenceChain[],
): readonly TlsJudgement[] {
  return tlsEvidence({ ...path, endpoints: [endpoint] }, knowledge, surroundings).map(({ evidence }) =>
    judgeTls({ ...evidence, references }, knowledge.checks),
  );
}

interface Difference {
  readonly address: string;
  readonly judgement: TlsJudgement;
  readonly verdict: VerdictAgainst;
  /** Enough connections with each TLS version have the same result. */
  readonly isConsistent: boolean;
}

function differenceIn(seen: OlderTlsFacts): Difference | null {
  const { worst } = seen.tls;
  const [both] = worst === null || isAgainst(worst.verdict) ? [] : bothVersionsIn(seen.path);
  if (both === undefined) return null;
  const { older, endpoint } = both;
  const judgedAlone = (outcome: TlsOutcome, references: readonly ReferenceChain[]): readonly TlsJudgement[] =>
    judgedBeside(seen, { ...endpoint, tls: outcome }, references);
  const isAgainstIt = (outcome: TlsOutcome): boolean =>
    judgedAlone(outcome, []).some(({ verdict }) => isAgainst(verdict));
  // TLS 1.3 was also inspected, so the versions do not differ.
  const { tls } = endpoint;
  if (older.beside !== undefined && tls?.kind === 'established' && isAgainstIt({ ...tls, chain: older.beside }))
    return null;
  const [difference] = judgedAlone(older.outcome, besideOf(older)).flatMap((judgement) => {
    const { verdict } = judgement;
    if (!isAgainst(verdict)) return [];
    return [{ address: older.label, judgement, verdict, isConsistent: isConsistent(older.again, isAgainstIt) }];
  });
  return difference ?? null;
}

interface BothVersions {
  readonly older: ReferenceObservation;
  readonly endpoint: EndpointObservation;
}

/** Returns the addresses that presented different certificates in TLS 1.2 and TLS 1.3. */
function bothVersionsIn({ references, endpoints }: PathObservation): readonly BothVersions[] {
  return references
    .filter(({ kind }) => kind === 'tls-1.2')
    .flatMap((older) => {
      const endpoint = endpoints.find(({ address }) => address === older.label) ?? endpoints[0];
      return endpoint === undefined || isSameLeaf(endpoint.tls?.chain, older.outcome.chain)
        ? []
        : [{ older, endpoint }];
    });
}

function besideOf({ beside, label }: ReferenceObservation): readonly ReferenceChain[] {
  return beside === undefined ? [] : [{ kind: 'tls-version', label: `TLS 1.3 at ${label}`, chain: beside }];
}

/** The first connection with each version is already known to match. */
function isConsistent(again: VersionSeries | undefined, isAgainstIt: (outcome: TlsOutcome) => boolean): boolean {
  if (again === undefined) return false;
  const { older, newer } = again;
  return (
    older.length + 1 >= FEWEST &&
    newer.length + 1 >= FEWEST &&
    older.every(isAgainstIt) &&
    newer.every((outcome) => outcome.chain !== null && !isAgainstIt(outcome))
  );
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
    'Find the device that inspects TLS 1.2 but not TLS 1.3, using the name of the issuer in the evidence.',
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
    'Find the device that blocks TLS 1.2 but not TLS 1.3. Search the application control, intrusion prevention ' +
      'and TLS inspection logs for {source} and {host}.',
    `On that device, exempt FortiAuthenticator's traffic to ${subject} for all TLS versions.`,
    WHICH_VERSION,
    REPEAT,
  ];
}
