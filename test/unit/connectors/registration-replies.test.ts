import { describe, expect, it } from 'vitest';
import {
  parseAccessToken,
  parseLicenseRecords,
  productHoldsLicense,
  serviceError,
} from '../../../src/connectors/registration-replies.ts';

describe('parseAccessToken', () => {
  it.each<[unknown, string | null]>([
    [{ access_token: 'abc', expires_in: 14400 }, 'abc'],
    [{ access_token: 'a\r\nb', expires_in: 1 }, null],
    [{ access_token: '' }, null],
    [{ status: 'error' }, null],
  ])('takes from %j the token %j', (value, token) => {
    expect(parseAccessToken(value)).toBe(token);
  });
});

describe('serviceError', () => {
  it.each<[unknown, string | null]>([
    [{ status: 0, error: null, message: 'Request processed successfully' }, null],
    [{ status: '0' }, null],
    [{ status: -1, error: { errorCode: 301, message: 'Invalid serial' } }, 'status -1: 301 Invalid serial'],
    [{ status: 2, message: 'Failed', error: null }, 'status 2: Failed'],
    [{ status: -1 }, 'status -1'],
    [{ message: 'odd' }, 'expected an object with "status"'],
    [{ status: null, message: 'odd' }, 'status unreadable: odd'],
    ['text', 'expected an object with "status"'],
  ])('of %j is %j', (value, problem) => {
    expect(serviceError(value)).toBe(problem);
  });
});

describe('parseLicenseRecords', () => {
  it('takes the documented record', () => {
    const value = {
      licenses: [
        {
          licenseNumber: 'FMCLD4713562246',
          licenseSKU: 'FMG-VM-CLOUD',
          serialNumber: 'FMGVCLTM20000051',
          status: 'Registered',
        },
      ],
    };
    expect(parseLicenseRecords(value)).toEqual([
      { license: 'FMCLD4713562246', serial: 'FMGVCLTM20000051', status: 'Registered', bought: null },
    ]);
  });

  it.each<[unknown, number | undefined]>([
    [{ licenses: null }, 0],
    [{}, 0],
    [{ licenses: 'x' }, undefined],
    [{ licenses: [{}] }, undefined],
    [null, undefined],
  ])('finds in %j %j records', (value, count) => {
    expect(parseLicenseRecords(value)?.length).toBe(count);
  });
});

describe('productHoldsLicense', () => {
  it.each<[unknown, boolean]>([
    [{ assetDetails: { license: [{ licenseNumber: 'EFTM000000000001' }] } }, true],
    [{ assetDetails: { licenseKeys: ['eftm000000000001'] } }, true],
    [{ assetDetails: { license: ['EFTM0000000000012'] } }, false],
    [{ assetDetails: { description: 'EFTM000000000001' } }, false],
    [{ assetDetails: null }, false],
    [{}, false],
  ])('in %j: %j', (value, expected) => {
    expect(productHoldsLicense(value, 'EFTM000000000001')).toBe(expected);
  });
});
