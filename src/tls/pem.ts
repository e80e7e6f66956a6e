import { X509Certificate } from 'node:crypto';
import type { CapturedChain, Certificate } from '../core/certificate.ts';
import { messageOf } from '../text/message-of.ts';
import { formatDistinguishedName } from './names.ts';

/** Text between certificates is skipped (RFC 7468 §2). Damaged certificates are included. */
export function readPem(text: string): readonly Uint8Array[] {
  const blocks = text.matchAll(
    /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----([^-]*)-----END (?:X509 |TRUSTED )?CERTIFICATE-----/gu,
  );
  return [...blocks].map(([, body]) => new Uint8Array(Buffer.from(body ?? '', 'base64')));
}

export interface Authorities {
  readonly pems: readonly string[];
  readonly ders: readonly Buffer[];
}

const MAX_BYTES = 1024 * 1024;

/**
 * Rejects text without certificates, because OpenSSL would accept the text and then trust no certificate.
 * @throws {Error} with the file's name
 */
export function parseAuthorities(text: string, file: string): Authorities {
  const ders = text.length > MAX_BYTES ? [] : readPem(text);
  if (ders.length === 0)
    throw new Error(
      `Cannot use the certificates in "${file}": expected PEM ("-----BEGIN CERTIFICATE-----") of at most 1 MiB`,
    );
  const certificates = ders.map((der, index) => parsed(der, index, file));
  return { pems: certificates.map(({ raw }) => pemOf(raw)), ders: certificates.map(({ raw }) => raw) };
}

function parsed(der: Uint8Array, index: number, file: string): X509Certificate {
  try {
    return new X509Certificate(der);
  } catch (error) {
    throw new Error(`Cannot use certificate ${String(index + 1)} in "${file}": ${messageOf(error)}`, { cause: error });
  }
}

export function certificatePem({ der }: Certificate): string {
  return pemOf(der);
}

/** RFC 7468 §5 */
function pemOf(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/gu) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** Returns the chain as PEM text for the firewall team. Tools ignore the descriptions, because they are not PEM. */
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
