import type { Certificate } from '../../core/certificate.ts';
import { attributeValues } from '../../core/distinguished-name.ts';

/** `FG3K4ETB19900078`, `FACVM0000000001`: what Fortinet's serial numbers look like, capital letters and digits. */
const SERIAL_NUMBER = /^(?!FORTI)F(?=[A-Z]*\d)[A-Z0-9]{10,23}$/u;

/** `FortiGate`, `FortiAuthenticator`: the product stands as the organizational unit of a factory certificate. */
const PRODUCT_UNIT = /^Forti[A-Z][A-Za-z]{1,24}$/u;

/**
 * The product whose factory certificate this seems to be, `Fortinet FortiGate`; null for any other certificate. Factory
 * certificates are signed by the genuine Fortinet authority, and the key of at least one that many units share has been
 * published: the chain alone does not prove that the licence server is at the other end.
 */
export function deviceOf(certificate: Certificate): string | null {
  const unit = attributeValues(certificate.subject, 'OU').find((value) => PRODUCT_UNIT.test(value));
  if (unit !== undefined) return `Fortinet ${unit}`;
  const isSerial = attributeValues(certificate.subject, 'CN').some((value) => SERIAL_NUMBER.test(value));
  if (!isSerial) return null;
  return attributeValues(certificate.subject, 'CN').some((value) => /^F[GW]/u.test(value))
    ? 'Fortinet FortiGate'
    : 'Fortinet device';
}
