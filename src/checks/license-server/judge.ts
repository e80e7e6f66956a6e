import type { Declaration, TargetFacts } from '../check.ts';
import { provesNothing } from '../intermittent/finding.ts';
import { judgeTargets } from '../targets.ts';
import { asOthersSeeIt } from '../peer-views.ts';
import { LICENSE_SERVER_CAUSES, type LicenseServerCause } from './causes.ts';
import { blockPageText } from '../../core/block-page.ts';
import {
  decidingAddresses,
  describeFailure,
  isOwnTrouble,
  type EndpointObservation,
  type HttpOutcome,
} from '../../core/observation.ts';
import { type Finding, isFault, known, note, unknown } from '../../engine/model.ts';
import { nameList } from '../../core/visible-text.ts';
import { placeOf, shortened, withClean } from '../endpoint-words.ts';
import type { TlsCause } from '../tls-genuine/causes.ts';

export const licenseServer: Declaration<'license-server', LicenseServerCause> = {
  id: 'license-server',
  title: 'Licence server',
  dependsOn: [{ kind: 'needs', by: 'tls-genuine' }],
  countsForReady: true,
  causes: LICENSE_SERVER_CAUSES,
  unknownRemedy:
    'Make sure that HTTP requests from ftm-watch reach the licence server. A proxy or filter on the path may ' +
    'drop the answer.',
  onPath: true,
  place: { kind: 'stop', stop: 'license-server' },
  step: 'license-server',
  sources: ['round'],
  judge: (facts) =>
    asOthersSeeIt(
      judgeTargets('license-server', facts, judgeAnswers, 'The licence server answers'),
      licenseServer,
      facts,
    ),
};

export function judgeAnswers(target: TargetFacts): readonly HttpFinding[] | null {
  const answered = target.path.endpoints.filter(({ http }) => http !== null);
  if (answered.length === 0) return null;
  const findings = judgeHttp(answered, target.clean);
  if (!provesNothing(target)) return findings;
  return findings.map((finding) => (isFault(finding) ? { ...finding, level: 'note', suggests: null } : finding));
}

/** A filter's response is reported as a TLS fault. */
type HttpFinding = Finding<LicenseServerCause | TlsCause>;

/**
 * Any status below 500 shows that the server is running, as does a request for a client certificate. The server is
 * reported as down only if none of the addresses that count responds correctly.
 */
export function judgeHttp(
  observations: readonly EndpointObservation[],
  clean: readonly string[],
): readonly HttpFinding[] {
  const answers = observations.flatMap((seen) =>
    seen.http === null ? [] : [{ seen, http: seen.http, trouble: troubleOf(seen.http, placeOf(seen)) }],
  );
  const deciding = decidingAddresses(answers.map(({ seen }) => seen));
  const isFine = ({ trouble }: (typeof answers)[number]): boolean => trouble === null || trouble.rule === 'not-judged';
  const works = answers.some((answer) => deciding.includes(answer.seen) && isFine(answer));
  return answers.flatMap(({ seen, http, trouble }) => [
    ...(trouble === null
      ? []
      : [withClean(httpFinding(seen, trouble, works || !deciding.includes(seen) ? 'warning' : 'broken'), clean)]),
    ...(http.kind === 'response' ? traceFindings(seen, http.proxyTraces) : []),
  ]);
}

/** Returns whether the server itself answered without an error. */
export function hasAnswered({ http }: EndpointObservation): boolean {
  return http !== null && troubleOf(http, '') === null;
}

interface HttpTrouble {
  readonly rule: 'server-answers' | 'no-block-page' | 'not-judged';
  readonly claim: string;
  readonly quote?: string;
  /** Product that generated the block page. */
  readonly product?: string | null;
}

function troubleOf(http: HttpOutcome, place: string): HttpTrouble | null {
  switch (http.kind) {
    case 'client-certificate-demanded':
      return null;
    case 'failed':
      return isOwnTrouble(http.reason)
        ? {
            rule: 'not-judged',
            claim: `The HTTP request ${place} was aborted.`,
            quote: shortened(describeFailure(http)),
          }
        : {
            rule: 'server-answers',
            claim: `The HTTP request ${place} failed: ${shortened(describeFailure(http))}.`,
          };
    case 'response':
      return responseTrouble(http, place);
  }
}

type HttpResponse = Extract<HttpOutcome, { kind: 'response' }>;

function responseTrouble({ status, blockPage, proxyTraces }: HttpResponse, place: string): HttpTrouble | null {
  if (blockPage !== null) {
    const what = blockPageText(blockPage);
    return {
      rule: 'no-block-page',
      claim: `The answer ${place} came from ${what} (HTTP ${String(status)}), not from the server.`,
      quote: blockPage.quote,
      product: blockPage.product,
    };
  }
  // Squid adds this header only to pages that Squid itself generates.
  if (proxyTraces.includes('x-squid-error'))
    return {
      rule: 'no-block-page',
      claim: `A Squid proxy, not the server, answered ${place} with an error page.`,
      product: 'Squid',
    };
  if (status < 500) return null;
  return { rule: 'server-answers', claim: `The server answered ${place} with an error, HTTP ${String(status)}.` };
}

function httpFinding(seen: EndpointObservation, trouble: HttpTrouble, level: 'broken' | 'warning'): HttpFinding {
  const told = {
    rule: 'server-answers',
    subject: seen.target,
    claim: trouble.claim,
    expected: 'An HTTP answer with a status below 500, or a request for a client certificate',
    ...(trouble.quote === undefined ? {} : { quote: trouble.quote }),
    facts: known({ address: seen.address, product: trouble.product }),
  };
  switch (trouble.rule) {
    case 'not-judged':
      return unknown(told);
    case 'server-answers':
      return { ...told, level, suggests: 'license-server-down' };
    case 'no-block-page':
      return {
        ...told,
        rule: 'no-block-page',
        expected: 'An answer from the server itself, not from a filter or proxy',
        level,
        suggests: 'tls-blocked',
        kind: 'page-inside-tls',
        confidence: 'suspected',
      };
  }
}

function traceFindings(seen: EndpointObservation, traces: readonly string[]): readonly HttpFinding[] {
  if (traces.length === 0) return [];
  const [rule, expected] = ['no-proxy-traces', 'No headers added by a proxy or filter'];
  const claim = `The answer ${placeOf(seen)} has headers that were added by a proxy or filter: ${nameList(traces, 4)}.`;
  return [note({ rule, subject: seen.target, claim, expected, facts: { address: seen.address } })];
}
