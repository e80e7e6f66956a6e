import { expect, test } from 'vitest';
import type { ReferenceObservation } from '../../../../src/core/round.ts';
import { isVersionDecisive, judgeOlderTls } from '../../../../src/checks/tls-genuine/judge-older-tls.ts';
import { judgeTlsPath } from '../../../../src/checks/tls-genuine/judge-path.ts';
import type { Identity } from '../../../../src/demo/lab/identity.ts';
import { established, failed } from '../../../support/certificates/chains.ts';
import { HOST, TARGET } from '../../../support/certificates/interception-world.ts';
import { endpoint, path } from '../../../support/checks/observed.ts';
import { freshKnowledge } from '../../../support/certificates/tls-knowledge.ts';
import { createCast } from '../../../support/certificates/verdict-cast.ts';

const w = await createCast();
const KNOWLEDGE = { ...freshKnowledge(w), products: w.evidence({}).products };
const A = '192.0.2.1';
const genuine = [w.server, w.genuine.sub] as const;
const company = [w.byCorporateSub, w.corporate.sub] as const;
const expired = await w.leaf(w.genuine.sub, { notAfter: new Date(w.now - 1) });
const PAGE = 'HTTP/1.1 403 Forbidden FortiGate';

interface Seen {
  readonly newer?: readonly Identity[] | null;
  readonly older?: readonly Identity[];
  readonly more?: Partial<ReferenceObservation>;
}

function observed({ newer = genuine, older = company, more = {} }: Seen): Parameters<typeof judgeOlderTls>[0] {
  const reference: ReferenceObservation = { kind: 'tls-1.2', label: A, outcome: established(...older), ...more };
  const tls = newer === null ? null : established(...newer);
  const endpoints = ['192.0.2.9', A].map((address) => ({ ...endpoint(address), tls }));
  const seen = path({ subject: TARGET, host: HOST, endpoints, references: [reference] });
  const surroundings = { controls: [], now: w.now };
  return { path: seen, tls: judgeTlsPath(seen, KNOWLEDGE, surroundings), knowledge: KNOWLEDGE, surroundings };
}

const INSPECTED = ['warning tls-intercepted confirmed'];
const CUT = ['warning tls-blocked suspected'];

/** The genuine key in the other version is a witness, because no change at the server looks like that. */
test.each<readonly [string, Seen, readonly string[], boolean]>([
  ['a stranger in TLS 1.2', {}, INSPECTED, true],
  ['a product in TLS 1.2', { older: [w.byFortigate, w.fortigate] }, [...INSPECTED, 'Fortinet FortiGate'], true],
  ['a reset of TLS 1.2', { more: { outcome: failed({ reason: 'reset' }) } }, CUT, true],
  ['silence in TLS 1.2', { more: { outcome: failed({ reason: 'timeout' }) } }, CUT, true],
  [
    'a page that answers TLS 1.2',
    { more: { outcome: failed({ reason: 'protocol', plaintext: PAGE }) } },
    ['warning tls-blocked confirmed', 'Fortinet FortiGate'],
    true,
  ],
  ['the same certificate', { older: genuine }, [], false],
  ['another genuine certificate', { older: [w.otherNode, w.genuine.sub] }, [], false],
  ['an expired certificate of its own', { older: [expired, w.genuine.sub] }, [], false],
  ['an inspection of every version', { newer: company, older: [w.byCorporate, w.corporate.root] }, [], false],
  ['an inspection of TLS 1.3', { newer: company, older: genuine }, [], true],
  ['no handshake with TLS 1.3', { newer: null }, [], false],
  ['an address that was not tried with TLS 1.3', { more: { label: '192.0.2.7' } }, [], false],
  ['a look at something else', { more: { kind: 'server-name' } }, [], false],
])('%s', (_, seen, expected, differs) => {
  const facts = observed(seen);
  const told = judgeOlderTls(facts).flatMap(({ rule, level, suggests, confidence, facts: { product } = {} }) => {
    expect(rule).toBe('older-tls-is-not-inspected');
    return [`${level} ${String(suggests)} ${String(confidence)}`, ...(product === undefined ? [] : [product])];
  });
  expect(told).toEqual(expected);
  expect(isVersionDecisive(facts)).toBe(differs);
});
