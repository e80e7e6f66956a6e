import { describe, expect, it } from 'vitest';
import { licensesOf } from '../../../../src/core/license/appliance.ts';
import { applianceFacts } from '../../../support/checks/appliance-facts.ts';

const facts = applianceFacts({
  tokens: {
    kind: 'read',
    value: {
      total: 3,
      byStatus: { new: 0, available: 3, pending: 0, assigned: 0, other: 0 },
      byLicense: [
        { license: 'EFTM000000000002', tokens: 1 },
        { license: 'FTMTRIAL00000001', tokens: 2 },
      ],
      locked: { new: 0, available: 0, pending: 0, assigned: 0, other: 0 },
      withoutLicense: 0,
    },
  },
});

describe('licensesOf', () => {
  it('joins the configured licences and those of the tokens, each once, trials left out', () => {
    expect(licensesOf(['eftm000000000001', 'EFTM000000000002'], facts)).toEqual([
      'EFTM000000000001',
      'EFTM000000000002',
    ]);
  });

  it('has the configured ones while the appliance does not answer', () => {
    expect(licensesOf(['EFTM000000000001'], null)).toEqual(['EFTM000000000001']);
  });
});
