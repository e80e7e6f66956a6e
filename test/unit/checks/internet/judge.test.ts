import { describe, expect, test } from 'vitest';
import type { DnsReply, FailureReason } from '../../../../src/core/observation.ts';
import type { RoundObservations } from '../../../../src/core/round.ts';
import { answeringHosts, internet } from '../../../../src/checks/internet/judge.ts';
import type { Judgement } from '../../../../src/checks/check.ts';
import { endpoint, failed, open, path, round } from '../../../support/checks/observed.ts';
import { configOf } from '../../../support/config/config-of.ts';
import { withPlainClaims } from '../../../support/checks/plain-claim.ts';

const config = await configOf('site: hq');
const judgeUnknown = withPlainClaims((seen: RoundObservations, answered: ReadonlySet<string>): Judgement => {
  if (internet.from !== 'round') throw new Error('Expected a check of the round');
  return internet.judge({ config, round: seen, carriers: [], clock: [], answered });
});
/** All hosts have answered before. */
const judgeInternet = (seen: RoundObservations): Judgement =>
  judgeUnknown(seen, new Set(['server.test:443', 'control.test:443']));

function silence(reason: 'no-route' | 'timeout'): DnsReply {
  return { kind: 'failed', reason, message: reason, durationMs: 3, attempts: 1 };
}

function names(
  reason: 'no-route' | 'timeout',
  resolver = 'udp://10.0.0.53:53',
): RoundObservations['path']['licenseServer']['names'] {
  return [{ ...resolution(reason), resolver }];
}

function resolution(reason: 'no-route' | 'timeout'): RoundObservations['path']['licenseServer']['names'][number] {
  return { resolver: 'udp://10.0.0.53:53', name: 'server.test', a: silence(reason), aaaa: silence(reason) };
}

function levelsOf(judgement: Judgement): readonly string[] {
  return judgement.kind === 'judged' ? judgement.findings.map(({ level }) => level) : [judgement.kind];
}

const ADDRESS: DnsReply = {
  kind: 'answer',
  rcode: 'NOERROR',
  ttlSeconds: 60,
  addresses: ['192.0.2.3'],
  cnames: [],
  durationMs: 3,
  attempts: 1,
};
const ANSWERING = path({ endpoints: [endpoint('192.0.2.1', open())] });
const SILENT = path({ endpoints: [endpoint('192.0.2.2', { ...failed('timeout'), durationMs: 3000 })] });

const WITHOUT_ROUTE = path({ endpoints: [{ ...endpoint('2001:db8::2', failed('no-route')), family: 6 }] });

const BEYOND_PROXY = path({
  endpoints: [
    { ...endpoint('server.test', failed('timeout', 'Cannot reach the proxy 192.0.2.9:3128')), proxy: '192.0.2.9:3128' },
  ],
});

const CONTROL = path({ ...SILENT, subject: 'control.test:443' });
const UNROUTED = path({ endpoints: [endpoint('192.0.2.2', { ...failed('no-route'), beyond: true })] });
const PROXIED = path({ endpoints: [{ ...endpoint('control.test'), proxy: '192.0.2.9:3128' }] });

type Path = RoundObservations['path']['licenseServer'];

function seenAt(control: Path, licenseServer: Path): RoundObservations {
  return round({ controls: [control], licenseServer });
}

function only(licenseServer: Parameters<typeof path>[0]): RoundObservations {
  return round({ licenseServer: path(licenseServer) });
}

function failing(reason: FailureReason): RoundObservations {
  return only({ endpoints: [endpoint('192.0.2.2', failed(reason))] });
}

describe('the internet', () => {
  test.each<[string, RoundObservations, ...string[]]>([
    ['a control host answers', seenAt(ANSWERING, SILENT)],
    ['only the licence server answers', seenAt(SILENT, ANSWERING), 'note'],
    ['a known address answers while no name resolves', round({ knownAddresses: [endpoint('192.0.2.3', open())] })],
    ['only the licence server answers, and no control host resolves', seenAt(path({}), ANSWERING)],
    ['nothing answers', seenAt(SILENT, SILENT), 'broken'],
    ['the proxy opens no connection, and nothing answers beside it', seenAt(SILENT, BEYOND_PROXY), 'broken'],
    ['there is nothing to ask', round({}), 'unjudged'],
    ['everything was called off', failing('aborted'), 'unjudged'],
    ['the probe itself failed', failing('internal'), 'unjudged'],
    ['no name resolves and no address is known', only({ names: names('timeout') }), 'unjudged'],
    ['the proxy that all goes through opens no connection', seenAt(BEYOND_PROXY, BEYOND_PROXY), 'unjudged'],
    ['the proxy opens one to a control host alone', seenAt(PROXIED, BEYOND_PROXY)],
    ['there is no route to any resolver', only({ names: names('no-route') }), 'broken'],
    ['... of IPv6 addresses', only({ names: names('no-route', 'udp://[2001:db8::53]:53') }), 'unjudged'],
    ['IPv6 has no route, and nothing else was tried', round({ licenseServer: WITHOUT_ROUTE }), 'unjudged'],
    ['IPv6 has no route, and IPv4 is silent', seenAt(SILENT, WITHOUT_ROUTE), 'broken'],
    ['IPv4 has no route', failing('no-route'), 'broken'],
  ])('when %s', (_, observed, ...expected) => {
    expect(levelsOf(judgeInternet(observed))).toEqual(expected);
  });

  test.each<[string, RoundObservations, answered: string | null, expected: string]>([
    ['a control host has answered before', seenAt(CONTROL, SILENT), 'control.test:443', 'confirmed -'],
    ['none has, nor has the licence server', seenAt(CONTROL, SILENT), null, 'suspected never-answered'],
    ['none has, but the licence server has', seenAt(CONTROL, SILENT), 'server.test:443', 'unjudged'],
    ['there is none', round({ licenseServer: SILENT }), null, 'suspected -'],
    ['there is none, and the server has answered', round({ licenseServer: SILENT }), 'server.test:443', 'suspected -'],
    ['there is no route to any of them', seenAt(UNROUTED, UNROUTED), null, 'confirmed -'],
    ['there is no route to one of them', seenAt(UNROUTED, SILENT), null, 'suspected never-answered'],
  ])('is sure only where silence means something: %s', (_, seen, answered, expected) => {
    const judgement = judgeUnknown(seen, new Set(answered === null ? [] : [answered]));
    const doubts = judgement.findings.map(({ confidence, kind }) => `${confidence ?? '-'} ${kind ?? '-'}`);
    expect(judgement.kind === 'judged' ? doubts : [judgement.kind]).toEqual([expected]);
  });

  test.each(['refused', 'reset', 'closed'] as const)('a connection that is %s was answered', (reason) => {
    const refusing = path({ endpoints: [endpoint('192.0.2.3', failed(reason))] });
    for (const seen of [
      round({ controls: [SILENT], licenseServer: refusing }),
      round({ controls: [refusing], licenseServer: SILENT }),
    ])
      expect(judgeUnknown(seen, new Set())).toMatchObject({ kind: 'judged', findings: [] });
    // A refusal by the proxy proves nothing about the network behind it.
    const proxied = path({ endpoints: [{ ...endpoint('server.test', failed(reason)), proxy: '192.0.2.9:3128' }] });
    expect(judgeUnknown(round({ controls: [proxied] }), new Set()).kind).toBe('unjudged');
  });

  test('everything is refused: by this machine itself, unless a name is answered from outside', () => {
    const refusing = (answered: boolean): RoundObservations['path']['licenseServer'] =>
      path({
        names: answered ? [{ ...resolution('timeout'), a: ADDRESS }] : names('timeout'),
        endpoints: [endpoint('192.0.2.3', failed('refused'))],
      });
    const judged = [true, false].map((answered) =>
      judgeInternet(round({ controls: [refusing(answered)], licenseServer: refusing(answered) })),
    );
    expect(judged.map(levelsOf)).toEqual([[], ['broken']]);
  });

  test('refusals alone may be those of a packet filter here, unless there is nothing to compare with', () => {
    const refusing = path({ endpoints: [endpoint('192.0.2.3', failed('refused'))] });
    expect(judgeUnknown(round({ controls: [refusing], licenseServer: refusing }), new Set())).toMatchObject({
      kind: 'judged',
      findings: [{ level: 'broken' }],
    });
    // A local packet filter that refuses everything would have refused the DNS query as well.
    const named = { ...refusing, names: names('timeout').map((seen) => ({ ...seen, aaaa: ADDRESS })) };
    expect(judgeUnknown(round({ controls: [refusing, named], licenseServer: refusing }), new Set())).toMatchObject({
      kind: 'judged',
      findings: [],
    });
    expect(judgeUnknown(round({ licenseServer: refusing }), new Set())).toMatchObject({
      kind: 'judged',
      findings: [],
      summary: 'Connections are refused, so the internet is reachable',
    });
  });

  test('is sure where one of several control hosts has answered before, and only if one was tried', () => {
    const other = path({ ...SILENT, subject: 'other.test:443' });
    const both = round({ controls: [other, CONTROL], licenseServer: SILENT });
    expect(judgeUnknown(both, new Set(['control.test:443'])).findings).toMatchObject([{ confidence: 'confirmed' }]);
    const untried = round({ controls: [path({ subject: 'control.test:443' })], licenseServer: SILENT });
    const [finding] = judgeUnknown(untried, new Set(['control.test:443'])).findings;
    expect([finding?.confidence, finding?.kind]).toEqual(['suspected', undefined]);
  });

  test('remembers what has answered, by accepting or by refusing', () => {
    const refusing = path({
      subject: 'refusing.test:443',
      endpoints: [endpoint('192.0.2.3', failed('refused')), endpoint('192.0.2.4', failed('timeout'))],
    });
    const seen = round({ controls: [CONTROL, refusing], licenseServer: ANSWERING });
    expect(answeringHosts(seen)).toEqual(['refusing.test:443', 'server.test:443']);
  });

  test('says what stays silent while the licence server answers', () => {
    expect(judgeInternet(round({ controls: [SILENT, SILENT], licenseServer: ANSWERING }))).toMatchObject({
      summary: 'The licence server accepts connections',
      findings: [
        {
          rule: 'control-host-answers',
          subject: 'server.test:443, server.test:443',
          expected: 'a connection',
        },
      ],
    });
    expect(judgeInternet(round({ controls: [ANSWERING] })).summary).toBe('Control hosts accept connections');
  });

  test('says that there is no route to the resolvers, or no name', () => {
    expect(judgeInternet(round({ licenseServer: path({ names: names('no-route') }) }))).toMatchObject({
      summary: 'No host on the internet accepts a connection',
      findings: [
        {
          rule: 'anything-answers',
          subject: 'internet',
          expected: 'a connection to the licence server or a control host',
          actual: 'no route to the resolver udp://10.0.0.53:53',
          confidence: 'confirmed',
        },
      ],
    });
    expect(judgeInternet(round({ licenseServer: path({ names: names('timeout') }) })).summary).toBe(
      'There is no address to connect to, because no name resolves',
    );
  });

  test('names the proxy that opens nothing', () => {
    expect(judgeInternet(round({ controls: [BEYOND_PROXY] })).summary).toBe(
      'Only the proxy 192.0.2.9:3128 was tried, and it does not open connections',
    );
    const [seen] = BEYOND_PROXY.endpoints;
    if (seen === undefined) throw new Error('Nothing was tried');
    const another = path({ endpoints: [{ ...seen, proxy: '192.0.2.8:3128' }] });
    expect(judgeInternet(round({ controls: [BEYOND_PROXY, another] })).summary).toBe(
      'Only the proxy 192.0.2.9:3128, 192.0.2.8:3128 was tried, and it does not open connections',
    );
  });

  test('says why nothing is judged', () => {
    expect(judgeUnknown(round({}), new Set()).summary).toBe(
      'There is no address to connect to, because no name resolves',
    );
    expect(judgeUnknown(round({ licenseServer: WITHOUT_ROUTE }), new Set()).summary).toBe(
      'This machine has no route for IPv6, and no IPv4 address was tried',
    );
    const silent = round({ controls: [CONTROL], licenseServer: SILENT });
    expect(judgeUnknown(silent, new Set(['server.test:443'])).summary).toBe(
      'Only the licence server has answered since ftm-watch was started, and it is not answering now',
    );
  });

  test('believes a machine that has no route to any of its resolvers, of which one has an IPv4 address', () => {
    const resolvers = [...names('no-route', 'udp://[2001:db8::53]:53'), ...names('no-route')];
    expect(judgeInternet(round({ licenseServer: path({ names: resolvers }) })).findings).toMatchObject([
      { level: 'broken' },
    ]);
  });

  test('says why nothing could be tried', () => {
    const noSuchSource = path({
      endpoints: [endpoint('192.0.2.2', failed('internal', 'bind EADDRNOTAVAIL 192.0.2.9'))],
    });
    expect(judgeInternet(round({ controls: [noSuchSource] })).summary).toBe(
      'No connection was attempted: server.test:443 at 192.0.2.2: could not be checked (bind EADDRNOTAVAIL 192.0.2.9)',
    );
  });

  test('names what was tried', () => {
    const [finding] = judgeInternet(round({ controls: [SILENT] })).findings;
    expect(finding).toMatchObject({
      suggests: 'internet-unreachable',
      claim: 'The only connection attempt failed: server.test:443 at 192.0.2.2: no answer within 3 s.',
      actual: 'server.test:443 at 192.0.2.2: no answer within 3 s',
    });
    const [of] = judgeInternet(round({ controls: [SILENT, SILENT] })).findings;
    expect(of?.actual).toMatch(/ 3 s; server\.test:443 at /u);
    expect(of?.claim).toBe(
      'All 2 connection attempts failed (first failure: server.test:443 at 192.0.2.2: no answer within 3 s).',
    );
  });
});
