import { describe, expect, test } from 'vitest';
import { diagnosisToJson } from '../../../src/checks/diagnosis-json.ts';
import { headline } from '../../../src/checks/headline.ts';
import { capital } from '../../../src/engine/words.ts';
import { causeOf, diagnosisOf } from '../../support/checks/diagnosis-of.ts';

const FORTIGATE = { product: 'Fortinet FortiGate' } as const;
const AT = Date.parse('2026-11-24T13:00:00Z');

describe('diagnosisToJson()', () => {
  test('gives the object of the contract, key by key', () => {
    const diagnosis = diagnosisOf(AT, [causeOf('tls-intercepted', FORTIGATE)]);
    const json = diagnosisToJson(diagnosis);

    expect(Object.keys(json)).toEqual(['ready', 'site', 'at', 'preconditions', 'causes', 'quantities']);
    expect(json).toMatchObject({ ready: 'not-ready', site: 'hq', at: '2026-11-24T13:00:00.000Z' });
    expect(Object.keys(json.preconditions[0] ?? {})).toEqual([
      'id',
      'state',
      'summary',
      'blockedBy',
      'findings',
      'isLeftOut',
    ]);
    expect(Object.keys(json.causes[0] ?? {}).join(' ')).toBe(
      'id precondition severity confidence subject product summary impact evidence consequences remedy remedySteps ' +
        'headline',
    );
    expect(json.causes[0]?.headline).toBe(capital(headline(causeOf('tls-intercepted', FORTIGATE))));
  });

  test('tells of a finding the rule, the subject, what was expected, what was seen, where and when, and no more', () => {
    const told = { rule: 'some-rule', subject: 'there', claim: 'That was seen.', expected: 'this', actual: 'that' };
    const finding = { ...told, level: 'broken', suggests: 'tls-blocked', facts: { source: '10.0.0.5' } } as const;
    const diagnosis = diagnosisOf(AT, []);
    const [first, ...rest] = diagnosis.preconditions;
    if (first === undefined) throw new Error('There are no preconditions');

    const json = diagnosisToJson({
      ...diagnosis,
      preconditions: [{ ...first, findings: [finding] }, ...rest],
    });

    expect(json.preconditions[0]?.findings).toStrictEqual([
      { ...told, quote: null, fullNames: [], address: null, at: new Date(AT).toISOString() },
    ]);
  });
});
