import { expect, test } from 'vitest';
import { judgeTargets } from '../../../src/checks/targets.ts';
import type { FaultId } from '../../../src/checks/registry.ts';
import { diagnose } from '../../../src/engine/diagnose.ts';
import { broken } from '../../../src/engine/model.ts';
import { configOf } from '../../support/config/config-of.ts';
import { factsOf, roundFacts, targetFacts } from '../../support/checks/facts.ts';
import { CONTEXT, finding, judgedRound } from '../../support/checks/judged-round.ts';

const REFUSED = broken('egress-blocked', {
  rule: 'port-open',
  subject: 'it',
  claim: 'Refused.',
  expected: 'an answer',
});

const { services } = await configOf(
  'services: [{ name: a, host: push.fortinet.com }, { name: b, host: ldap.example.org, port: 636, severity: info },' +
    ' { name: c, host: sms.example.org, carries: sms }]',
);

test('findings about services name who operates them and have at most their severity', () => {
  const targets = [targetFacts(), ...services.map((service) => targetFacts({ service }))] as const;
  const facts = factsOf({ round: roundFacts({ targets }) });
  const { findings } = judgeTargets('reachability', facts, () => [REFUSED], 'The port is open');
  expect(
    findings.map(({ level, facts: about }) => [level, about?.host, about?.port, about?.operator === undefined]),
  ).toEqual([
    ['broken', undefined, undefined, true],
    ['warning', 'push.fortinet.com', '443', true],
    ['note', 'ldap.example.org', '636', false],
  ]);
});

test.each<readonly [FaultId, string | undefined]>([
  ['certificate-broken', undefined],
  ['certificate-broken', 'weak'],
  ['certificate-broken', 'misnamed'],
  ['certificate-broken', 'incomplete'],
  ['certificate-broken', 'flawed'],
  ['tls-blocked', 'page-inside-tls'],
  ['vendor-ca-changed', undefined],
])('the remedy of %s (%s) leads to whoever operates the server', (id, kind) => {
  const facts = { host: 'ldap.example.org', operator: 'the directory team' };
  const told = finding(id, { subject: 'ldap.example.org:636', facts, ...(kind === undefined ? {} : { kind }) });
  const [cause] = diagnose(judgedRound(['tls-genuine', [told]]), CONTEXT).causes;
  expect(cause?.remedy.join(' ')).toMatch(/the directory team/u);
  expect(cause?.remedy.join(' ')).not.toMatch(/\bTAC\b|licence server|licenseServer/u);
});
