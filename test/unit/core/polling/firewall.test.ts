import { describe, expect, test } from 'vitest';
import { concernsLicenseServer } from '../../../../src/core/polling/log-event.ts';

const watched = { hosts: ['fortitokenmobile.fortinet.com'], addresses: ['173.243.138.0/24', '2001:db8::1'] };

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
    const evidence = {
      device: null,
      policy: null,
      profile: null,
      action: null,
      sourceAddress: null,
      destinationAddress,
      hostName,
    };
    expect(concernsLicenseServer(evidence, watched)).toBe(concerns);
  });
});
