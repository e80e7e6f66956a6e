import '../../../src/demo/lab/reflect-metadata.ts';
import { webcrypto } from 'node:crypto';
import { X509Certificate, X509CrlGenerator } from '@peculiar/x509';
import type { Identity } from '../../../src/demo/lab/identity.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** Returns the PEM of an authority's revocation list, issued today. */
export async function revocationList(
  authority: Identity,
  revoked: readonly Identity[],
  otherSerials: readonly string[] = [],
): Promise<string> {
  const serials = revoked.map(({ der }) => new X509Certificate(Buffer.from(der)).serialNumber);
  const crl = await X509CrlGenerator.create(
    {
      issuer: authority.name,
      thisUpdate: new Date(Date.now() - DAY_MS),
      nextUpdate: new Date(Date.now() + DAY_MS),
      entries: [...serials, ...otherSerials].map((serialNumber) => ({ serialNumber })),
      signingKey: authority.keys.privateKey,
      signingAlgorithm: { ...authority.keys.privateKey.algorithm, hash: 'SHA-256' },
    },
    webcrypto,
  );
  // In OpenSSL's notation.
  return `${crl.toString('pem').replaceAll(/(?<=-----(?:BEGIN|END) )CRL/gu, 'X509 CRL')}\n`;
}
