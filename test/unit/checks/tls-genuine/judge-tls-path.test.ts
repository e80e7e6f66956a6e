import { describe, expect, test } from 'vitest';
import type { EndpointObservation, HttpOutcome } from '../../../../src/core/observation.ts';
import { judgeTlsPath } from '../../../../src/checks/tls-genuine/judge-tls-path.ts';
import type { Identity } from '../../../support/authority.ts';
import { established } from '../../../support/chains.ts';
import { HOST, TARGET } from '../../../support/interception-world.ts';
import { endpoint, path } from '../../../support/observed.ts';
import { freshKnowledge } from '../../../support/tls-knowledge.ts';
import { createCast } from '../../../support/verdict-cast.ts';

const w = await createCast();
const KNOWLEDGE = freshKnowledge(w);

function at(address: string, ...chain: readonly Identity[]): EndpointObservation {
  return { ...endpoint(address), family: address.includes(':') ? 6 : 4, tls: established(...chain) };
}

function verdicts(endpoints: readonly EndpointObservation[]): readonly string[] {
  const seen = path({ subject: TARGET, host: HOST, endpoints });
  return judgeTlsPath(seen, KNOWLEDGE, { controls: [], now: w.now }).endpoints.map(
    ({ judgement: { verdict, confidence } }) => `${verdict} ${confidence}`,
  );
}

const genuine = [w.server, w.genuine.sub] as const;
const company = [w.byCorporateSub, w.corporate.sub] as const;

describe('judgeTlsPath()', () => {
  test.each(['192.0.2.2', '2001:db8::2'])(
    'takes the genuine key at %s for a witness against another address',
    (other) => {
      expect(verdicts([at('192.0.2.1', ...company), at(other, ...genuine)])).toEqual([
        'intercepted confirmed',
        'genuine confirmed',
      ]);
    },
  );

  test('has no witness in an address that shows the same', () => {
    expect(verdicts([at('192.0.2.1', ...company), at('192.0.2.2', ...company)])).toEqual([
      'interception-suspected suspected',
      'interception-suspected suspected',
    ]);
  });

  test('has no witness in itself', () => {
    expect(verdicts([at('192.0.2.1', ...company)])).toEqual(['interception-suspected suspected']);
  });

  test('takes a node that is renewed before the other for what it is', () => {
    expect(verdicts([at('192.0.2.1', w.byNewSub, w.newSub), at('192.0.2.2', ...genuine)])).toEqual([
      'vendor-ca-changed suspected',
      'genuine confirmed',
    ]);
  });

  test('looks at the headers of the answer on the same connection', () => {
    const http: HttpOutcome = {
      kind: 'response',
      status: 200,
      date: null,
      receivedAt: w.now,
      server: null,
      proxyTraces: ['x-mwg-via'],
      blockPage: null,
      durationMs: 1,
    };
    expect(verdicts([{ ...at('192.0.2.1', ...company), http }, at('192.0.2.2', ...company)])).toEqual([
      'intercepted confirmed',
      'interception-suspected suspected',
    ]);
  });
});
