import { describe, expect, test } from 'vitest';
import type { DnsReply, FailureReason } from '../../../../src/core/observation.ts';
import type { RoundObservations } from '../../../../src/core/round.ts';
import { answeringHosts, internet } from '../../../../src/checks/internet/judge.ts';
import type { Judgement } from '../../../../src/checks/check.ts';
import { endpoint, failed, open, path, round } from '../../../support/checks/observed.ts';
import { factsOf, roundFacts } from '../../../support/checks/facts.ts';
import { withPlainClaims } from '../../../support/checks/plain-claim.ts';

const judgeUnknown = withPlainClaims((seen: RoundObservations, answered: ReadonlySet<string>): Judgement => {
  return internet.judge(factsOf({ round: roundFacts({ observations: seen, answered }) }));
});
/** All hosts have answered before. */
const judgeInternet = (seen: RoundObservations): Judgement =>
  judgeUnknown(seen, new Set(['server.test:443', 'control.test:443']));

type Path = RoundObservations['path']['licenseServer'];

function names(reason: 'no-route' | 'timeout', resolver = 'udp://10.0.0.53:53'): Path['names'] {
  const silence: DnsReply = { kind: 'failed', reason, message: reason, durationMs: 3, attempts: 1 };
  return [{ resolver, name: 'server.test', a: silence, aaaa: silence }];
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
const CANCELLED = path({ subject: 'control.test:443', endpoints: [endpoint('192.0.2.2', failed('aborted'))] });
const UNROUTED = path({ endpoints: [endpoint('192.0.2.2', { ...failed('no-route'), beyond: true })] });
const PROXIED = path({ endpoints: [{ ...endpoint('control.test'), proxy: '192.0.2.9:3128' }] });

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
    ['nothing was to be asked', round({}), 'unjudged'],
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

  const refusing = path({ endpoints: [endpoint('192.0.2.3', failed('refused'))] });

  test.each(['refused', 'reset', 'closed'] as const)('a connection that is %s was answered', (reason) => {
    const closing = path({ endpoints: [endpoint('192.0.2.3', failed(reason))] });
    for (const seen of [seenAt(SILENT, closing), seenAt(closing, SILENT)])
      expect(judgeUnknown(seen, new Set())).toMatchObject({ kind: 'judged', findings: [] });
    // A refusal by the proxy proves nothing about the network behind it.
    const proxied = path({ endpoints: [{ ...endpoint('server.test', failed(reason)), proxy: '192.0.2.9:3128' }] });
    expect(judgeUnknown(round({ controls: [proxied] }), new Set()).kind).toBe('unjudged');
  });

  test('refusals alone may be those of a packet filter here, unless a name is answered', () => {
    // A local packet filter that refuses everything would have refused the DNS query as well.
    const named = { ...refusing, names: names('timeout').map((seen) => ({ ...seen, aaaa: ADDRESS })) };
    const judged = [
      seenAt(refusing, refusing),
      seenAt(named, named),
      round({ controls: [refusing, named], licenseServer: refusing }),
      round({ licenseServer: refusing }),
    ].map((seen) => judgeUnknown(seen, new Set()));
    expect(judged.map(levelsOf)).toEqual([['broken'], [], [], []]);
  });

  test('is sure where one of several control hosts has answered before, and only if one was tried', () => {
    const other = path({ ...SILENT, subject: 'other.test:443' });
    const both = round({ controls: [other, CONTROL], licenseServer: SILENT });
    expect(judgeUnknown(both, new Set(['control.test:443'])).findings).toMatchObject([{ confidence: 'confirmed' }]);
    for (const untried of [[path({ subject: 'control.test:443' })], [CANCELLED], [CANCELLED, other]]) {
      const seen = round({ controls: untried, licenseServer: SILENT });
      const [finding] = judgeUnknown(seen, new Set(['control.test:443'])).findings;
      expect([finding?.confidence, finding?.kind]).toEqual(['suspected', undefined]);
    }
  });

  test('remembers what has answered, by accepting or by refusing', () => {
    const endpoints = [endpoint('192.0.2.3', failed('refused')), endpoint('192.0.2.4', failed('timeout'))];
    const seen = round({
      controls: [CONTROL, path({ subject: 'refusing.test:443', endpoints })],
      licenseServer: ANSWERING,
    });
    expect(answeringHosts(seen)).toEqual(['refusing.test:443', 'server.test:443']);
  });

  test('names which host stays silent while the licence server answers', () => {
    const silent = { rule: 'control-host-answers', subject: 'server.test:443, control.test:443' };
    expect(judgeInternet(round({ controls: [SILENT, CONTROL], licenseServer: ANSWERING })).findings).toMatchObject([
      silent,
    ]);
  });

  test('believes a machine that has no route to any of its resolvers, of which one has an IPv4 address', () => {
    const resolvers = [...names('no-route', 'udp://[2001:db8::53]:53'), ...names('no-route')];
    const unreachable = { rule: 'anything-answers', subject: 'internet', level: 'broken', confidence: 'confirmed' };
    expect(judgeInternet(only({ names: resolvers })).findings).toMatchObject([unreachable]);
  });
});
