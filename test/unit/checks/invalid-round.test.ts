import { describe, expect, test } from 'vitest';
import type { Assessment } from '../../../src/engine/model.ts';
import { invalidWhenStalled } from '../../../src/checks/assess.ts';
import { round } from '../../support/checks/observed.ts';

const ASSESSMENTS: readonly Assessment[] = [
  {
    id: 'reachability',
    kind: 'judged',
    findings: [
      {
        rule: 'port-open',
        subject: 's',
        claim: 'c',
        expected: 'e',
        actual: 'a',
        level: 'broken',
        suggests: 'egress-blocked',
      },
    ],
    summary: '',
  },
  { id: 'mail', kind: 'not-configured', findings: [], summary: 'No mail server is configured' },
];

describe('voidWhenStalled()', () => {
  test('leaves a round alone in which this process ran', () => {
    expect(invalidWhenStalled(ASSESSMENTS, round({ stalledMs: 400 }))).toBe(ASSESSMENTS);
  });

  test('takes back what a stalled round found, and says why', () => {
    const [reachability, mail] = invalidWhenStalled(ASSESSMENTS, round({ stalledMs: 3_200 }));
    expect(reachability).toMatchObject({ kind: 'unjudged', findings: [] });
    expect(reachability?.summary).toContain('3.2 s');
    expect(mail?.kind).toBe('not-configured');
  });
});
