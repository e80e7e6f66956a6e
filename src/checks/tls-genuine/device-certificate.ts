import type { Certificate } from '../../core/certificate.ts';
import { attributeValues } from '../../core/distinguished-name.ts';

/** `FG3K4ETB19900078`, `FACVM0000000001`: what Fortinet's serial numbers look like, capital letters and digits. */
const SERIAL_NUMBER = /^(?!FORTI)F(?=[A-Z]*\d)[A-Z0-9]{10,23}$/u;

/** `FortiGate`, `FortiAuthenticator`: the product is the organizational unit of a factory certificate. */
const PRODUCT_UNIT = /^Forti[A-Z][A-Za-z]{1,24}$/u;

/** Units whose certificate may have no serial number for a name; a service such as FortiGuard is no unit. */
const UNITS: ReadonlySet<string> = new Set([
  'FortiADC',
  'FortiAnalyzer',
  'FortiAuthenticator',
  'FortiCarrier',
  'FortiFirewall',
  'FortiGate',
  'FortiMail',
  'FortiManager',
  'FortiPAM',
  'FortiProxy',
  'FortiSandbox',
  'FortiWeb',
  'FortiWiFi',
]);

/**
 * The product whose factory certificate this seems to be, `Fortinet FortiGate`; null for any other certificate, such as
 * that of another server of the vendor. Factory certificates are signed by the genuine Fortinet authority, and the key
 * of at least one that many units share has been published: the chain alone does not prove that the licence server is
 * at the other end.
 */
export function deviceOf(certificate: Certificate): string | null {
  const names = attributeValues(certificate.subject, 'CN');
  const isSerial = names.some((value) => SERIAL_NUMBER.test(value));
  const isHost = certificate.dnsNames.length > 0 || names.some((value) => value.includes('.'));
  const unit = attributeValues(certificate.subject, 'OU').find((value) => PRODUCT_UNIT.test(value));
  if (unit !== undefined && (isSerial || (UNITS.has(unit) && !isHost))) return `Fortinet ${unit}`;
  if (!isSerial) return null;
  return names.some((value) => /^F[GW]/u.test(value)) ? 'Fortinet FortiGate' : 'Fortinet device';
}
