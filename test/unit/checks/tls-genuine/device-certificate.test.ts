import { expect, test } from 'vitest';
import { deviceOf } from '../../../../src/checks/tls-genuine/chain-case.ts';
import { createIdentity } from '../../../../src/demo/lab/identity.ts';
import { certificateOf } from '../../../support/certificates/chains.ts';

test.each([
  ['O=Fortinet, OU=FortiGate, CN=FG3K4ETB19900078', 'Fortinet FortiGate'],
  ['O=Fortinet, OU=FortiAuthenticator, CN=FACVM0000000001', 'Fortinet FortiAuthenticator'],
  ['O=Fortinet, OU=FortiGate, CN=anything', 'Fortinet FortiGate'],
  ['O=Fortinet, OU=FortiGate, CN=FortiGate', 'Fortinet FortiGate'],
  ['O=Fortinet, OU=FortiExtender, CN=FXA11FTQ21000001', 'Fortinet FortiExtender'],
  ['O=Fortinet, OU=FortiGuard, CN=update.fortinet.com', null],
  ['O=Fortinet, OU=FortiGuard, CN=FortiGuard', null],
  ['O=Fortinet, OU=FortiToken, CN=globalftm.fortinet.net', null],
  ['O=Fortinet, OU=FortiGate, CN=support.fortinet.com', null],
  ['O=Fortinet, CN=FG100FTK20012345', 'Fortinet FortiGate'],
  ['O=Fortinet, CN=FWF60FTK20012345', 'Fortinet FortiGate'],
  ['O=Fortinet, CN=FACVM0000000001', 'Fortinet device'],
  ['O=Fortinet, CN=FAFG000000000001', 'Fortinet device'],
  ['CN=A name, CN=FACVM0000000001', 'Fortinet device'],
  ['CN=A name, CN=FG100FTK20012345', 'Fortinet FortiGate'],
  ['O=Fortinet, OU=Certificate Authority, CN=fortinet-ca2', null],
  ['OU=My FortiGate, CN=x', null],
  ['OU=MyFortiGate, CN=x', null],
  ['OU=FortiGate Team, CN=x', null],
  ['OU=MyFortiGate, CN=FACVM0000000001', 'Fortinet device'],
  ['OU=FortiGate Team, CN=FACVM0000000001', 'Fortinet device'],
  ['OU=FortiGate, CN=a name, CN=update.fortinet.com', null],
  ['OU=Fortinet, CN=fortitokenmobile.fortinet.com', null],
  ['CN=FORTINET123456', null],
  ['CN=FINANCEDEPARTMENT', null],
  ['CN=F123456789', null],
  ['CN=F123456789012345678901234', null],
  ['CN=MYFG100FTK20012345', null],
  ['CN=FG100FTK20012345-spare', null],
  ['O=FG100FTK20012345, CN=Acme', null],
])('the factory certificate of "%s": %s', async (name, product) => {
  expect(deviceOf(certificateOf(await createIdentity({ name })))).toBe(product);
});

test.each([
  'FortiADC',
  'FortiAnalyzer',
  'FortiAuthenticator',
  'FortiCarrier',
  'FortiFirewall',
  'FortiMail',
  'FortiManager',
  'FortiPAM',
  'FortiProxy',
  'FortiSandbox',
  'FortiWeb',
  'FortiWiFi',
])('a unit may have its product for a name: %s', async (unit) => {
  const identity = await createIdentity({ name: `O=Fortinet, OU=${unit}, CN=${unit}` });
  expect(deviceOf(certificateOf(identity))).toBe(`Fortinet ${unit}`);
});

test('a certificate with the name of a host is not that of a unit, unless it has a serial number', async () => {
  const named = (name: string) => createIdentity({ name, dnsNames: ['update.fortinet.com'] });
  expect(deviceOf(certificateOf(await named('O=Fortinet, OU=FortiGate, CN=FortiGate')))).toBeNull();
  expect(deviceOf(certificateOf(await named('O=Fortinet, OU=FortiGate, CN=FG3K4ETB19900078')))).toBe(
    'Fortinet FortiGate',
  );
});
