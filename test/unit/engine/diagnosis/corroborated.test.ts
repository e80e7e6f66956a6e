import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isCorroborated, diagnose } from '../../../../src/engine/diagnose.ts';
import type { Finding } from '../../../../src/engine/model.ts';
import { EMPTY_STATE } from '../../../../src/engine/incident/incident.ts';
import { next } from '../../../../src/engine/incident/machine.ts';
import { FAULT_IDS, type PreconditionId } from '../../../../src/checks/registry.ts';
import { POLICY } from '../../../support/store/incident-timeline.ts';
import { CONTEXT, finding, judgedRound, type Special } from '../../../support/checks/judged-round.ts';

type Witness = NonNullable<Finding['witness']>;

const AT = CONTEXT.at;
const MAIN = finding('tls-intercepted');

function told(witness: Witness, before: number, over: Partial<Finding> = {}): Finding {
  return finding('polling-failing', { subject: 'fac-1', witness, at: AT - before, ...over });
}

const { witness: _, ...unproven } = told('appliance-log', 0);
const policy = finding('policy-inspects-traffic', { witness: 'firewall' });
const elsewhere = finding('tls-intercepted', { witness: 'other-host' });
const peer = (before: number): Finding =>
  finding('tls-intercepted', { level: 'note', witness: 'peer', at: AT - before });

const shut = finding('egress-blocked');
const tls = (...findings: readonly Finding[]): Special => ['tls-genuine', findings];
const log = (...findings: readonly Finding[]): Special => ['polling', findings];
const byPolicy = (...findings: readonly Finding[]): Special => ['firewall-policy', findings];

describe('two witnesses', () => {
  test.each<readonly [string, found: readonly Special[]]>([
    ['FortiAuthenticator complained just now', [tls(MAIN), log(told('appliance-log', 0))]],
    ['FortiAuthenticator complained a minute ago', [tls(MAIN), log(told('appliance-log', 59_999))]],
    ['the firewall says by its policy that it does so', [tls(MAIN), byPolicy(policy)]],
    ['the firewall has logged it', [tls(MAIN, { ...policy, suggests: 'tls-intercepted', at: AT - 1 })]],
    ['another host shows the same', [tls(MAIN, elsewhere)]],
    ['another agent saw the same some seconds ago', [tls(MAIN, peer(3_000))]],
    [
      'a port is shut, and the policy denies it',
      [['reachability', [shut]], byPolicy(finding('policy-missing', { witness: 'firewall' }))],
    ],
    [
      'the firewall alone has logged it, and FortiAuthenticator complains',
      [tls({ ...MAIN, witness: 'firewall', at: AT - 1 }), log(told('appliance-log', 1))],
    ],
  ])('agree: %s', (_, found) => {
    expect(diagnose(judgedRound(...found), CONTEXT).corroborated).toHaveLength(1);
  });

  test.each<readonly [string, found: readonly Special[]]>([
    ['nobody else tells of it', [tls(MAIN)]],
    ['several findings of one look', [tls(MAIN, { ...MAIN, rule: 'another' }, { ...MAIN, subject: 'b' })]],
    ['a complaint without proof of who sent it', [tls(MAIN), log(unproven)]],
    ['a complaint of a minute ago', [tls(MAIN), log(told('appliance-log', 60_000))]],
    ['another agent saw it at the same moment', [tls(MAIN, peer(2_999))]],
    ['another agent saw it long ago', [tls(MAIN, peer(60_000))]],
    ['another agent saw something else', [tls(MAIN, { ...peer(9_000), suggests: 'tls-blocked' })]],
    ['it is only suspected', [tls({ ...MAIN, confidence: 'suspected' }), byPolicy(policy)]],
    ['it is a warning', [tls({ ...MAIN, level: 'warning' }), log(told('appliance-log', 0, { level: 'warning' }))]],
    ['one connection was lost here and there', [['reachability', [shut]], log(told('appliance-log', 0))]],
    ['the firewall alone tells of it, twice', [tls({ ...MAIN, witness: 'firewall' }), byPolicy(policy)]],
    ['what it explains was seen by the same look', [tls(MAIN), ['license-server', [finding('license-server-down')]]]],
  ])('do not: %s', (_, found) => {
    expect(diagnose(judgedRound(...found), CONTEXT).corroborated).toEqual([]);
  });
});

describe('a round', () => {
  test('names the causes that two witnesses agree on, and no others', () => {
    const complaint = finding('polling-failing', { subject: 'fac-1', witness: 'appliance-log', at: AT - 1_000 });
    const diagnosis = diagnose(
      judgedRound(
        ['name-resolution', [finding('name-not-found')]],
        ['mail', [finding('mail-unreachable')]],
        ['polling', [complaint]],
      ),
      CONTEXT,
    );
    const [name, mail] = ['name-not-found', 'mail-unreachable'].map((id) =>
      diagnosis.causes.find((cause) => cause.id === id),
    );
    expect(name !== undefined && isCorroborated(diagnosis, name)).toBe(true);
    expect(mail !== undefined && isCorroborated(diagnosis, mail)).toBe(false);
    expect(diagnosis.corroborated).toHaveLength(1);
  });

  test('of one kind of witness opens no incident in the first look, whatever it found', () => {
    const kinds: readonly (Witness | null)[] = [null, 'appliance-log', 'firewall', 'other-host', 'peer'];
    const found = fc.record({
      check: fc.integer({ min: 0, max: 11 }),
      level: fc.constantFrom('broken' as const, 'warning' as const, 'note' as const),
      confidence: fc.constantFrom('confirmed' as const, 'suspected' as const),
      fault: fc.constantFrom(...FAULT_IDS),
      age: fc.integer({ min: 0, max: 120_000 }),
    });
    fc.assert(
      fc.property(fc.array(found, { maxLength: 12 }), fc.constantFrom(...kinds), (all, witness) => {
        const byCheck = Map.groupBy(all, ({ check }) => CONTEXT.checks[check % CONTEXT.checks.length]?.id ?? '');
        const diagnosis = diagnose(
          judgedRound(
            ...[...byCheck].map(
              ([id, own]) =>
                [
                  id as PreconditionId,
                  own.map(({ level, confidence, fault, age }) =>
                    finding(fault, { level, confidence, ...(witness === null ? {} : { witness, at: AT - age }) }),
                  ),
                ] as const,
            ),
          ),
          CONTEXT,
        );
        expect(diagnosis.corroborated).toEqual([]);
        const { state } = next(EMPTY_STATE, { kind: 'diagnosis', diagnosis, fresh: null }, POLICY);
        expect(state.incidents).toEqual([]);
      }),
    );
  });
});
