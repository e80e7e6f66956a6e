import { describe, expect, test } from 'vitest';
import type { Assessment, Diagnosis, Finding } from '../../../../src/engine/model.ts';
import { diagnose } from '../../../../src/engine/diagnose.ts';
import { CONTEXT } from '../../../support/checks/judged-round.ts';

const RESOLVER: Finding = {
  rule: 'resolver-answers',
  subject: 'udp://10.0.0.53:53',
  claim: 'That was seen.',
  expected: 'this',
  actual: 'that',
  level: 'broken',
  suggests: 'resolver-unreachable',
};

function appliance(rule: string): Finding {
  const facts = { appliance: 'fac-1', address: '10.0.0.5:8443', failing: 'does not answer correctly' };
  return { ...RESOLVER, rule, subject: 'fac-1', suggests: 'appliance-unreachable', facts };
}

function diagnosis(findings: Readonly<Partial<Record<Assessment['id'], Finding | readonly Finding[]>>>): Diagnosis {
  const ids = ['internet', 'name-resolution', 'appliance', 'token-pool'] as const;
  const assessments = ids.map((id): Assessment => {
    return { id, kind: 'judged', findings: [findings[id] ?? []].flat(), summary: 'Everything works' };
  });
  return diagnose(assessments, CONTEXT);
}

function causes(seen: Diagnosis): readonly string[] {
  return seen.causes.map(({ id }) => id);
}

describe('an appliance that cannot be asked', () => {
  test('is explained by the resolvers while its name is not to be had', () => {
    const seen = diagnosis({ 'name-resolution': RESOLVER, appliance: appliance('api-name-resolves') });
    expect(causes(seen)).toEqual(['resolver-unreachable']);
    expect(seen.causes[0]?.consequences).toContain('appliance');
  });

  test('is explained by them also while it is there, but not when it refuses the key', () => {
    const unread = { ...appliance('api-name-resolves'), level: 'warning', suggests: 'appliance-unreadable' } as const;
    expect(causes(diagnosis({ 'name-resolution': RESOLVER, appliance: unread }))).toEqual(['resolver-unreachable']);
    expect(causes(diagnosis({ appliance: unread }))).toEqual(['appliance-unreadable']);
    const beside = [unread, { ...unread, rule: 'other', level: 'note', suggests: null } as const];
    expect(causes(diagnosis({ 'name-resolution': RESOLVER, appliance: beside }))).toEqual(['resolver-unreachable']);
    const denied = { ...unread, rule: 'api-accepts-key', suggests: 'appliance-access-denied' } as const;
    expect(causes(diagnosis({ 'name-resolution': RESOLVER, appliance: denied }))).toEqual([
      'resolver-unreachable',
      'appliance-access-denied',
    ]);
    expect(
      causes(diagnosis({ 'name-resolution': RESOLVER, appliance: [unread, { ...denied, subject: 'fac-2' }] })),
    ).toHaveLength(3);
    expect(diagnosis({ 'name-resolution': RESOLVER, appliance: unread }).causes[0]?.evidence).toHaveLength(1);
  });

  test('is a fault of its own at an address, and where the resolvers are well', () => {
    expect(causes(diagnosis({ 'name-resolution': RESOLVER, appliance: appliance('api-answers') }))).toEqual([
      'resolver-unreachable',
      'appliance-unreachable',
    ]);
    expect(causes(diagnosis({ appliance: appliance('api-name-resolves') }))).toEqual(['appliance-unreachable']);
  });

  test('is told with what it fails at and where to look', () => {
    const { causes: told } = diagnosis({ appliance: appliance('api-answers') });
    expect(told[0]?.summary).toBe('ftm-watch cannot reach fac-1, because its REST API does not answer correctly.');
    expect(told[0]?.remedy[0]).toContain('Open https://10.0.0.5:8443 in a browser');
  });
});
