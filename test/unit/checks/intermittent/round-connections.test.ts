import { describe, expect, test } from 'vitest';
import type { Connection } from '../../../../src/checks/intermittent/connection-share.ts';
import { roundConnectionsOf } from '../../../../src/checks/intermittent/judge.ts';
import type { JudgedEndpoint } from '../../../../src/checks/tls-genuine/judge-path.ts';
import type { TlsJudgement } from '../../../../src/checks/tls-genuine/chain-case.ts';
import type { EndpointObservation, TcpFailure } from '../../../../src/core/observation.ts';
import { established } from '../../../support/certificates/chains.ts';
import { createIdentity } from '../../../support/certificates/authority.ts';
import { finding } from '../../../support/checks/judged-round.ts';
import { endpoint, failed, path, round } from '../../../support/checks/observed.ts';

const A = '192.0.2.1';
const B = '192.0.2.2';
const TLS = established(await createIdentity({ name: 'CN=server.test' }));

const GENUINE: TlsJudgement = {
  verdict: 'genuine',
  confidence: 'confirmed',
  product: null,
  findings: [],
  summary: '',
  wouldSettle: null,
  authorities: [],
  accepted: null,
};
const BROKEN = finding('tls-intercepted', { claim: 'Issued by Acme.' });
const INTERCEPTED: TlsJudgement = {
  ...GENUINE,
  verdict: 'intercepted',
  confidence: 'suspected',
  product: 'Squid',
  findings: [finding('tls-blocked', { level: 'warning' }), BROKEN],
};
const FORGED = {
  stage: 'tls-genuine',
  cause: 'tls-intercepted',
  confidence: 'suspected',
  product: 'Squid',
  claim: 'Issued by Acme.',
} as const;

function judged(seen: EndpointObservation, judgement: TlsJudgement): JudgedEndpoint {
  return { endpoint: seen, outcome: TLS, judgement };
}

function connections(seen: EndpointObservation, judgement?: TlsJudgement): readonly Connection[] {
  const others = [judged(endpoint(A), INTERCEPTED)];
  const own = judgement === undefined ? [] : [judged(seen, judgement)];
  return roundConnectionsOf(round({ licenseServer: path({ endpoints: [seen] }) }), [...others, ...own], []).connections;
}

describe('a connection', () => {
  test.each<readonly [string, TlsJudgement, Connection['fault']]>([
    ['with a genuine certificate works', GENUINE, null],
    ['with another one fails at TLS', INTERCEPTED, FORGED],
    ['with a mere warning works', { ...INTERCEPTED, findings: INTERCEPTED.findings.slice(0, 1) }, null],
    ['that is broken without a cause works', { ...INTERCEPTED, findings: [{ ...BROKEN, suggests: null }] }, null],
  ])('%s', (_, judgement, fault) => {
    expect(connections(endpoint(A), judgement)).toEqual([{ address: A, fault }]);
  });

  test.each<readonly [string, TcpFailure]>([
    ['that nobody answered', failed('timeout')],
    ['that a router beyond this machine had no way for', { ...failed('no-route'), beyond: true }],
  ])('%s fails at the port', (_, tcp) => {
    expect(connections(endpoint(A, tcp))).toMatchObject([
      {
        address: A,
        fault: { stage: 'reachability', cause: 'egress-blocked', confidence: 'suspected', product: null },
      },
    ]);
    expect(connections(endpoint(A, tcp))[0]?.fault?.claim).toMatch(/^[A-Z].*\.$/u);
  });

  test.each<readonly [string, EndpointObservation, TlsJudgement | undefined]>([
    ['that was called off', endpoint(A, failed('aborted')), undefined],
    ['that this machine has no route for', endpoint(A, failed('no-route')), undefined],
    ['whose certificate was not seen', endpoint(A), undefined],
    ['whose certificate could not be judged', endpoint(A), { ...GENUINE, verdict: 'unknown' }],
  ])('%s says nothing of the target', (_, seen, judgement) => {
    expect(connections(seen, judgement)).toEqual([]);
  });
});

test('a round has its time, the addresses that it dialled, and its burst', () => {
  const [one, silent, more] = [endpoint(A), endpoint(B, failed('aborted')), endpoint(B)];
  const seen = round({ licenseServer: path({ endpoints: [one, silent] }), burst: [more] });
  const others = [judged(endpoint(A), INTERCEPTED), judged(endpoint(A), GENUINE)];
  expect(roundConnectionsOf(seen, [judged(one, GENUINE)], [judged(more, INTERCEPTED)], others)).toEqual({
    at: seen.startedAt,
    dialled: [A, B],
    connections: [{ address: A, fault: null }],
    burst: [{ address: B, fault: FORGED }],
    others: [
      { address: A, fault: FORGED },
      { address: A, fault: null },
    ],
  });
  expect(roundConnectionsOf(round({ licenseServer: path({ endpoints: [one] }) }), [], []).burst).toBeNull();
});
