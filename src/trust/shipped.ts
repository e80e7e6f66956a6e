import { fileURLToPath } from 'node:url';

/** The certificates that belong to the pins below. */
export const SHIPPED_AUTHORITIES: string = fileURLToPath(
  new URL('../../config/fortinet-authorities.pem', import.meta.url),
);

export interface ShippedPin {
  readonly pin: string;
  /** As FortiOS calls it, and its CN. */
  readonly label: string;
  readonly source: string;
}

/**
 * The genuine Fortinet authorities. Pins stand in the code so that an edited file cannot add an authority. Each key was
 * computed from certificates that were published in at least two independent places; none of them is in any public root
 * store.
 */
export const SHIPPED_PINS: readonly ShippedPin[] = [
  {
    // SHA-256 40:AF:CC:2D:…:FF:54:05, MD5 86:40:5C:F4:C2:A6:0B:96:82:9E:5F:E7:4F:D9:51:22
    pin: 'sha256//QfV4N3k5oxQR5RHtW/rbn/HrHgKpMLN0DEaeXY5yPg=',
    label: 'Fortinet_CA (fortinet-ca2)',
    source:
      'PEM as FortiManager returns it for /cli/global/system/certificate/ca/Fortinet_CA, with the MD5 that its ' +
      '"get certinfo" prints',
  },
  {
    // SHA-256 B2:98:C8:6C:…:6B:A0:1F; signed by fortinet-ca2
    pin: 'sha256/3T8EqFBjpRSkxQNPFagjUNeEUghXOEYp904ROlJM8yo=',
    label: 'Fortinet_Sub_CA (fortinet-subca2001)',
    source:
      'PEM from the Fortinet demo appliance and from FortiManager documentation; its signature verifies under ' +
      'fortinet-ca2',
  },
  {
    // SHA-256 32:AD:1E:5B:…:19:D0:C0, serial DAF636B443D4A58B. Nothing above it can confirm it: compare it with your
    // own unit.
    pin: 'sha256/Kn69GCKg9OZXkMA8TmA+fWa3o34QDMKjuZUKOwfXeEI=',
    label: 'Fortinet_CA_Backup (support)',
    source: 'PEM from the Fortinet demo appliance; the same serial is shipped in FortiClient EMS',
  },
];
