/** The DER of every certificate in a PEM text, in order; anything between them is skipped (RFC 7468 §2). */
export function readPem(text: string): readonly Uint8Array[] {
  const blocks = text.matchAll(
    /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END (?:X509 |TRUSTED )?CERTIFICATE-----/gu,
  );
  return [...blocks].map(([, body]) => new Uint8Array(Buffer.from(body ?? '', 'base64')));
}
