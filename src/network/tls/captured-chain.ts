import type { TLSSocket } from 'node:tls';
import type { CapturedChain, Certificate } from '../../core/certificate.ts';

const MAX_CERTIFICATES = 16;

/** As `parseCertificate`; a cached one is better, since a server sends the same chain every time. */
export type CertificateParser = (der: Uint8Array) => Certificate | null;

/**
 * The chain exactly as a peer sent it: order, strangers and missing members included, which `getPeerCertificate(true)`
 * loses because it links certificates by issuer. Up to Node 24 this call leaked the certificates above the leaf; on
 * Node 26 it does not (`bench/capture-leak.ts`). Call it before the socket is destroyed.
 *
 * @returns null when the peer has sent no certificate
 */
export function captureChain(socket: TLSSocket, parse: CertificateParser): CapturedChain | null {
  const ders: Uint8Array[] = [];
  for (let current = socket.getPeerX509Certificate(); current !== undefined; current = current.issuerCertificate)
    ders.push(current.raw);
  if (ders.length === 0) return null;
  const certificates = ders
    .slice(0, MAX_CERTIFICATES)
    .map((der) => parse(der))
    .filter((certificate) => certificate !== null);
  return { certificates, dropped: ders.length - certificates.length };
}
