import type { CapturedChain, Certificate } from './certificate.ts';
import { formatDistinguishedName } from './distinguished-name.ts';

/** A certificate as PEM (RFC 7468 §5), as other people's tools read it. */
export function certificatePem(certificate: Certificate): string {
  const lines =
    Buffer.from(certificate.der)
      .toString('base64')
      .match(/.{1,64}/gu) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/**
 * A chain for the firewall team: each certificate as PEM under lines that say what it is. Those lines are no PEM, and
 * tools skip them.
 */
export function chainPem(chain: CapturedChain): string {
  return chain.certificates
    .map((certificate, index) => {
      const names = [
        `subject: ${formatDistinguishedName(certificate.subject)}`,
        `issuer: ${formatDistinguishedName(certificate.issuer)}`,
      ];
      return (
        `${String(index)} ${names.join('\n  ')}\n  sha256: ${certificate.fingerprint}\n` +
        `  key: ${certificate.key}, ${certificate.pin}\n${certificatePem(certificate)}`
      );
    })
    .join('');
}
