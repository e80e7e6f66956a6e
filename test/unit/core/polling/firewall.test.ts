import { describe, expect, test } from 'vitest';
import { concernsLicenseServer, isOfUnit } from '../../../../src/core/polling/log-event.ts';

const watched = {
  hosts: ['fortitokenmobile.fortinet.com'],
  addresses: ['173.243.138.0/24', '2001:db8::1'],
  sources: ['10.0.0.5', '2001:db8::5'],
};

const NOTHING = {
  device: null,
  policy: null,
  profile: null,
  action: null,
  sourceAddress: null,
  destinationAddress: null,
  hostName: null,
};

describe('concernsLicenseServer', () => {
  test.each([
    { hostName: 'FortiTokenMobile.fortinet.com', destinationAddress: null, concerns: true },
    { hostName: 'outlook.office.com', destinationAddress: '173.243.138.84', concerns: false },
    { hostName: '173.243.138.84', destinationAddress: null, concerns: true },
    { hostName: null, destinationAddress: '173.243.138.84', concerns: true },
    { hostName: null, destinationAddress: '2001:db8:0::1', concerns: true },
    { hostName: null, destinationAddress: '173.243.139.84', concerns: false },
    { hostName: null, destinationAddress: 'nonsense', concerns: false },
    { hostName: null, destinationAddress: null, concerns: false },
  ])('says of $hostName at $destinationAddress: $concerns', ({ hostName, destinationAddress, concerns }) => {
    expect(concernsLicenseServer({ ...NOTHING, destinationAddress, hostName }, watched)).toBe(concerns);
  });
});

describe('isOfUnit', () => {
  test.each([
    { sourceAddress: '10.0.0.5', destinationAddress: '173.243.138.84', is: true },
    { sourceAddress: '2001:db8:0::5', destinationAddress: '2001:db8::1', is: true },
    { sourceAddress: null, destinationAddress: null, is: true },
    { sourceAddress: '10.0.0.6', destinationAddress: '173.243.138.84', is: false },
    { sourceAddress: '10.0.0.6', destinationAddress: null, is: false },
    { sourceAddress: '10.0.0.5', destinationAddress: '198.51.100.80', is: false },
    { sourceAddress: 'nonsense', destinationAddress: null, is: false },
  ])('says of $sourceAddress to $destinationAddress: $is', ({ is, ...addresses }) => {
    expect(isOfUnit({ ...NOTHING, ...addresses }, watched)).toBe(is);
    expect(isOfUnit({ ...NOTHING, ...addresses }, { ...watched, addresses: [], sources: [] })).toBe(true);
  });
});
