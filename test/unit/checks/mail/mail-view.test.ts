import { expect, test } from 'vitest';
import { mailViewOf } from '../../../../src/checks/mail/judge.ts';
import { configOf } from '../../../support/config/config-of.ts';

test.each([
  ['', false],
  ['sourceAddress: 192.0.2.7', false],
  ['sourceAddress: 192.0.2.5', true],
  ['sourceAddress: "2001:db8::5"', true],
])('the probe leaves from an address of FortiAuthenticator: %s: %s', async (sourceAddress, fromAppliance) => {
  const config = await configOf(
    `appliances: [{ name: a, logSources: [fac-1] }, { name: b, logSources: [192.0.2.5, "2001:DB8:0::5"] }]\n` +
      sourceAddress,
  );
  expect(mailViewOf(config)).toEqual({ fromAppliance });
});
