import { decidingAddresses, isWithoutRoute } from '../../core/deciding-addresses.ts';
import type { Finding, FindingLevel } from '../../core/finding.ts';
import type { EndpointObservation, Failure, HttpOutcome } from '../../core/observation.ts';
import { productOfBlockPage } from '../../core/block-page.ts';
import { visibleText } from '../../core/visible-text.ts';
import { describeFailure } from './describe-failure.ts';

const MAX_SHOWN = 160;

/**
 * Judges whether the port of one target opens, given every address of it. All addresses failing that decide breaks
 * reachability, some of them is a warning. A family that this machine has no route for says nothing about the target
 * while the other family has one.
 */
export function judgeTcp(observations: readonly EndpointObservation[]): readonly Finding[] {
  const failures = observations.flatMap((seen) => (seen.tcp.kind === 'failed' ? [{ seen, failure: seen.tcp }] : []));
  const deciding = decidingAddresses(observations);
  const couldBeOpen = deciding.some(({ tcp }) => tcp.kind === 'open' || isOwnTrouble(tcp));
  const clean = observations.filter(({ tcp }) => tcp.kind === 'open');
  return failures.map(({ seen, failure }) => {
    const actual = `${place(seen)}: ${shown(describeFailure(failure))}`;
    if (isOwnTrouble(failure)) return portFinding(seen, 'unknown', actual);
    if (lacksRoute(seen.family, observations)) return routeFinding(seen, observations, actual);
    return withClean(portFinding(seen, couldBeOpen || !deciding.includes(seen) ? 'warning' : 'broken', actual), clean);
  });
}

/**
 * Judges whether the licence server speaks HTTP, given every connection to it that got so far. Any status below 500 and
 * a demand for a client certificate mean that it is alive. It is down only when no address that decides answers well.
 */
export function judgeHttp(observations: readonly EndpointObservation[]): readonly Finding[] {
  const answers = observations.flatMap((seen) =>
    seen.http === null ? [] : [{ seen, http: seen.http, trouble: troubleOf(seen.http) }],
  );
  const deciding = decidingAddresses(answers.map(({ seen }) => seen));
  const isFine = ({ trouble }: (typeof answers)[number]): boolean => trouble === null || trouble.rule === 'not-judged';
  const works = answers.some((answer) => deciding.includes(answer.seen) && isFine(answer));
  const clean = answers.filter(({ trouble }) => trouble === null).map(({ seen }) => seen);
  return answers.flatMap(({ seen, http, trouble }) => [
    ...(trouble === null
      ? []
      : [withClean(httpFinding(seen, trouble, works || !deciding.includes(seen) ? 'warning' : 'broken'), clean)]),
    ...(http.kind === 'response' ? traceFindings(seen, http.proxyTraces) : []),
  ]);
}

function portFinding(seen: EndpointObservation, level: Exclude<FindingLevel, 'note'>, actual: string): Finding {
  const port = seen.target.slice(seen.target.lastIndexOf(':') + 1);
  return {
    rule: 'port-open',
    subject: seen.target,
    expected: `TCP port ${port} accepts a connection`,
    actual,
    level,
    suggests: level === 'unknown' ? null : level === 'broken' ? 'egress-blocked' : 'egress-partly-blocked',
    facts: { address: seen.address, ...(seen.proxy === null ? {} : { proxy: seen.proxy }) },
  };
}

/** Where no other family is left to use the question stays open: nothing was tried that could have worked. */
function routeFinding(
  seen: EndpointObservation,
  observations: readonly EndpointObservation[],
  actual: string,
): Finding {
  return {
    rule: 'family-has-route',
    subject: seen.target,
    expected: `A route for IPv${String(seen.family)}, or another family to use`,
    actual,
    level: isSpared(seen.family, observations) ? 'note' : 'unknown',
    suggests: null,
    facts: { address: seen.address },
  };
}

/** IPv4 decides where there is any, and so IPv6 only beside an IPv4 that cannot be tried. */
function isSpared(family: 4 | 6, observations: readonly EndpointObservation[]): boolean {
  const others = observations.filter((other) => other.family !== family);
  return family === 6 ? others.length > 0 : others.some((other) => !isWithoutRoute(other));
}

/**
 * Most machines have no IPv6, and some no IPv4, so that nothing could be tried. What a firewall rejects with "no route"
 * is another thing.
 */
function lacksRoute(family: 4 | 6, observations: readonly EndpointObservation[]): boolean {
  return observations.filter((seen) => seen.family === family).every(isWithoutRoute);
}

/** Tells the addresses that are fine from the one that is not. */
function withClean(finding: Finding, clean: readonly EndpointObservation[]): Finding {
  if (clean.length === 0 || finding.suggests === null) return finding;
  return { ...finding, facts: { ...finding.facts, clean: clean.map(({ address }) => address).join(', ') } };
}

interface HttpTrouble {
  readonly rule: 'server-answers' | 'no-block-page' | 'not-judged';
  readonly actual: string;
  /** Whose page it is. */
  readonly product?: string | null;
}

function troubleOf(http: HttpOutcome): HttpTrouble | null {
  switch (http.kind) {
    case 'client-certificate-demanded':
      return null;
    case 'failed':
      return { rule: isOwnTrouble(http) ? 'not-judged' : 'server-answers', actual: describeFailure(http) };
    case 'response':
      return responseTrouble(http);
  }
}

function responseTrouble({
  status,
  blockPage,
  proxyTraces,
}: Extract<HttpOutcome, { kind: 'response' }>): HttpTrouble | null {
  if (blockPage !== null) {
    const actual = `HTTP ${String(status)} with a block page (${blockPage})`;
    return { rule: 'no-block-page', actual, product: productOfBlockPage(blockPage) };
  }
  // Squid sets it on the pages that it makes itself, and on no others.
  if (proxyTraces.includes('x-squid-error'))
    return {
      rule: 'no-block-page',
      actual: `HTTP ${String(status)}, an error page of a Squid proxy`,
      product: 'Squid',
    };
  return status < 500 ? null : { rule: 'server-answers', actual: `HTTP ${String(status)}` };
}

function httpFinding(seen: EndpointObservation, trouble: HttpTrouble, level: 'broken' | 'warning'): Finding {
  const common = {
    subject: seen.target,
    actual: `${place(seen)}: ${shown(trouble.actual)}`,
    facts: { address: seen.address },
  };
  const expected = 'An HTTP answer with a status below 500, or a demand for a client certificate';
  switch (trouble.rule) {
    case 'not-judged':
      return { ...common, rule: 'server-answers', expected, level: 'unknown', suggests: null };
    case 'server-answers':
      return { ...common, rule: 'server-answers', expected, level, suggests: 'license-server-down' };
    case 'no-block-page':
      return {
        ...common,
        rule: 'no-block-page',
        expected: 'The server itself answers, no filter or proxy',
        level,
        suggests: 'tls-blocked',
        kind: 'page-inside-tls',
        confidence: 'suspected',
        facts: { ...common.facts, ...(trouble.product ? { product: trouble.product } : {}) },
      };
  }
}

function traceFindings(seen: EndpointObservation, traces: readonly string[]): readonly Finding[] {
  if (traces.length === 0) return [];
  return [
    {
      rule: 'no-proxy-traces',
      subject: seen.target,
      expected: 'No header that a proxy or a filter adds',
      actual: `${place(seen)}: ${shown(traces.join(', '))}`,
      level: 'note',
      suggests: null,
      facts: { address: seen.address },
    },
  ];
}

/** Called off, or a bug of ours: it says nothing about the target. */
function isOwnTrouble({ reason }: Pick<Failure, 'reason'>): boolean {
  return reason === 'aborted' || reason === 'internal';
}

function place({ address, proxy }: EndpointObservation): string {
  return proxy === null ? address : `through the proxy ${proxy}`;
}

function shown(text: string): string {
  return visibleText(text, MAX_SHOWN);
}
