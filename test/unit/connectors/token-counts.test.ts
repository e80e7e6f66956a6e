import { describe, expect, it } from 'vitest';
import { createTokenCounter, parseSmsQuota, parseTokenPage } from '../../../src/connectors/token-counts.ts';

describe('createTokenCounter', () => {
  it('counts by status and by licence', () => {
    const counter = createTokenCounter();
    counter.add([
      { serial: 'FTKMOB01', type: 'ftm', status: 'available', license: 'EFTM2' },
      { serial: 'FTKMOB02', type: 'ftm', status: 'assigned', license: 'EFTM1', locked: true },
    ]);
    counter.add([
      { serial: 'FTKMOB03', type: 'ftm', status: 'Pending', license: 'eftm1' },
      { serial: 'FTKMOB04', status: 'stolen', locked: 'yes' },
      { serial: 'FTKMOB05', status: 'available', license: 'EFTM2', locked: 'true' },
      { serial: 'FTK20001', type: 'ftk', status: 'available', license: 'EFTM1', locked: true },
      {},
    ]);
    expect(counter.counts()).toEqual({
      total: 6,
      byStatus: { new: 0, available: 2, pending: 1, assigned: 1, other: 2 },
      byLicense: [
        { license: 'EFTM1', tokens: 2 },
        { license: 'EFTM2', tokens: 2 },
      ],
      locked: { new: 0, available: 1, pending: 0, assigned: 1, other: 0 },
      withoutLicense: 2,
      pending: [{ id: expect.stringMatching(/^[\w-]{22}$/u), age: 0 }],
    });
    expect(JSON.stringify(counter.counts())).not.toContain('FTKMOB');
  });

  it('keeps a bounded number of licences', () => {
    const counter = createTokenCounter();
    counter.add(
      Array.from({ length: 3000 }, (_, index) => ({
        serial: 'FTKMOB1',
        status: 'new',
        license: `EFTM${String(index)}`,
      })),
    );
    expect(counter.counts().byLicense).toHaveLength(1000);
    expect(counter.counts().withoutLicense).toBe(2000);
  });
});

describe('parseTokenPage', () => {
  it.each<[unknown, string | null | undefined]>([
    [{ meta: { next: null }, objects: [] }, null],
    [{ meta: {}, objects: [] }, null],
    [{ meta: { next: '' }, objects: [] }, null],
    [{ meta: { next: '/x' }, objects: [] }, '/x'],
    [{ objects: [] }, undefined],
    [{ meta: { next: 7 }, objects: [] }, undefined],
    [[], undefined],
    ['x', undefined],
  ])('reads the next page of %j as %j', (value, next) => {
    expect(parseTokenPage(value)?.next).toBe(next);
  });
});

/** As in docs:fortiauthenticator/6.3.0/rest-api-solution-guide/533466, with numbers in place of `###`. */
it.each([
  [
    { available_sms: 90, total_sms: 100, used_sms: 10 },
    { total: 100, available: 90 },
  ],
  [
    { available_sms: '90', total_sms: '100' },
    { total: 100, available: 90 },
  ],
  [
    { available_sms: 0, total_sms: 0, used_sms: 0 },
    { total: 0, available: 0 },
  ],
  [{ total_sms: 100 }, null],
  [{ available_sms: '###', total_sms: '###' }, null],
  [[], null],
  ['x', null],
])('parseSmsQuota() reads %j as %j', (value, expected) => {
  expect(parseSmsQuota(value)).toEqual(expected);
});
