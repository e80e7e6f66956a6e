import { basename } from 'node:path';
import type { TrustConfig } from '../sources/path/trust-section.ts';
import type { Certificate } from '../core/certificate.ts';
import { formatDistinguishedName, shortName } from '../core/distinguished-name.ts';
import { isStrongKey } from '../checks/tls-genuine/strength.ts';
import type { PublicRoots, Trust, TrustAnchor, TrustedPin } from '../checks/tls-genuine/trust.ts';
import { parseCertificate } from '../core/parse-certificate.ts';
import { readText } from '../system/read-text.ts';
import { readPem } from './pem.ts';
import { SHIPPED_AUTHORITIES, SHIPPED_PINS } from './shipped.ts';

/** Loads the trust of several targets: what they have in common is read once, and is one in memory. */
export type TrustLoader = (config: Pick<TrustConfig, 'pins' | 'caFiles'>) => Promise<Trust>;

/**
 * Gathers what a target's certificate may be trusted for: the shipped Fortinet authorities, the configured pins and CA
 * files, and Mozilla's roots. Which of them count is decided by the profile.
 *
 * It fails when a CA file cannot be read, has no certificate, or one that cannot be trusted.
 *
 * @param publicRoots share one for all targets: it parses the roots only once
 */
export function createTrustLoader(publicRoots: PublicRoots): TrustLoader {
  const reading = readShipped();
  // The caller that loads trust is told.
  reading.catch(() => undefined);
  const files = new Map<string, Promise<readonly TrustAnchor[]>>();
  const anchorsOf = (file: string): Promise<readonly TrustAnchor[]> => {
    const anchors = files.get(file) ?? readCaFile(file);
    files.set(file, anchors);
    return anchors;
  };
  return async ({ pins, caFiles }) => {
    const shipped = await reading;
    const configured: TrustAnchor[] = [];
    for (const file of caFiles) configured.push(...(await anchorsOf(file)));
    const typed = pins.map(
      (pin): TrustedPin => ({ pin, label: `the configured pin ${pin}`, origin: 'configured', name: null }),
    );
    return { pins: [...shipped.map(pinOf), ...typed], anchors: [...shipped, ...configured], publicRoots };
  };
}

function pinOf({ certificate, label, origin }: TrustAnchor): TrustedPin {
  return { pin: certificate.pin, label, origin, name: certificate.subject };
}

/** @throws {Error} when the file is not the one that belongs to this program */
async function readShipped(): Promise<readonly TrustAnchor[]> {
  const certificates = await readCertificates(SHIPPED_AUTHORITIES);
  const anchors = certificates.map((certificate): TrustAnchor => {
    const label = SHIPPED_PINS.find(({ pin }) => pin === certificate.pin)?.label;
    if (label === undefined)
      throw new Error(
        `Cannot trust "${SHIPPED_AUTHORITIES}": the key ${certificate.pin} in it is not one of the shipped pins`,
      );
    return { certificate, label, origin: 'shipped' };
  });
  const missing = SHIPPED_PINS.find(({ pin }) => !certificates.some((certificate) => certificate.pin === pin));
  if (missing !== undefined)
    throw new Error(`Cannot trust "${SHIPPED_AUTHORITIES}": expected the certificate of ${missing.label} in it`);
  return anchors;
}

async function readCaFile(file: string): Promise<readonly TrustAnchor[]> {
  const certificates = await readCertificates(file);
  const weak = certificates.find(({ key }) => !isStrongKey(key));
  if (weak !== undefined) {
    const name = formatDistinguishedName(weak.subject);
    throw new Error(
      `Cannot trust "${name}" of "${file}": its key is ${weak.key}, ` +
        'expected RSA of 2048 to 8192 bits or an elliptic curve',
    );
  }
  return certificates.map((certificate) => ({
    certificate,
    label: `${shortName(certificate.subject) ?? formatDistinguishedName(certificate.subject)} of ${basename(file)}`,
    origin: 'configured',
  }));
}

async function readCertificates(file: string): Promise<readonly Certificate[]> {
  const ders = readPem(await readText(file, 'certificates from'));
  if (ders.length === 0)
    throw new Error(`Cannot read certificates from "${file}": expected PEM, "-----BEGIN CERTIFICATE-----"`);
  return ders.map((der, index) => {
    const certificate = parseCertificate(der);
    if (certificate === null)
      throw new Error(
        `Cannot read certificate ${String(index + 1)} of "${file}": expected the base64 of a DER certificate`,
      );
    return certificate;
  });
}
