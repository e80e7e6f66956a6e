/** RFC 8446 §6 and RFC 5246 §7.2; names of older protocols where the newer ones dropped them. */
const ALERT_NAMES: ReadonlyMap<number, string> = new Map([
  [0, 'close_notify'],
  [10, 'unexpected_message'],
  [20, 'bad_record_mac'],
  [21, 'decryption_failed'],
  [22, 'record_overflow'],
  [30, 'decompression_failure'],
  [40, 'handshake_failure'],
  [41, 'no_certificate'],
  [42, 'bad_certificate'],
  [43, 'unsupported_certificate'],
  [44, 'certificate_revoked'],
  [45, 'certificate_expired'],
  [46, 'certificate_unknown'],
  [47, 'illegal_parameter'],
  [48, 'unknown_ca'],
  [49, 'access_denied'],
  [50, 'decode_error'],
  [51, 'decrypt_error'],
  [60, 'export_restriction'],
  [70, 'protocol_version'],
  [71, 'insufficient_security'],
  [80, 'internal_error'],
  [86, 'inappropriate_fallback'],
  [90, 'user_canceled'],
  [100, 'no_renegotiation'],
  [109, 'missing_extension'],
  [110, 'unsupported_extension'],
  [111, 'certificate_unobtainable'],
  [112, 'unrecognized_name'],
  [113, 'bad_certificate_status_response'],
  [114, 'bad_certificate_hash_value'],
  [115, 'unknown_psk_identity'],
  [116, 'certificate_required'],
  [120, 'no_application_protocol'],
  [121, 'ech_required'],
]);

/** OpenSSL appends it to the errors that a received alert causes, and to no others. */
const ALERT_IN_MESSAGE = /SSL alert number (?<number>\d{1,3})/u;

/**
 * The TLS alert that the peer sent, by its RFC 8446 §6 name (`alert_99` for a number without one); null when `error`
 * was not caused by an alert. The number is read, not Node's `code`: OpenSSL renamed its reasons between the versions
 * in Node 20 and 24.
 */
export function alertName(error: unknown): string | null {
  const number = error instanceof Error ? ALERT_IN_MESSAGE.exec(error.message)?.groups?.['number'] : undefined;
  return number === undefined ? null : alertOfCode(Number(number));
}

/**
 * The fatal alert that an answer to the hello consists of, from its bytes (RFC 8446 §5.1, §6): OpenSSL reports none for
 * a number that it does not know, and a reset that follows at once can come first.
 */
export function alertAtHello(answer: Uint8Array): string | null {
  const [type, major, , high, low, level, number] = answer;
  return type === 21 && major === 3 && high === 0 && low === 2 && level === 2 && number !== undefined
    ? alertOfCode(number)
    : null;
}

/** The name of an alert by its number (RFC 8446 §6); `alert_99` for a number without one. */
export function alertOfCode(number: number): string {
  return ALERT_NAMES.get(number) ?? `alert_${String(number)}`;
}

/** What servers answer to a client that has no certificate: OpenSSL, GnuTLS, SChannel, Java and BoringSSL differ. */
const CERTIFICATE_ALERTS: ReadonlySet<string> = new Set([
  'handshake_failure',
  'no_certificate',
  'bad_certificate',
  'unsupported_certificate',
  'certificate_unknown',
  'unknown_ca',
  'access_denied',
  'certificate_required',
]);

/** Whether `alert` insists on the certificate that the server requested and did not get. */
export function demandsCertificate(alert: string | null, certificateRequested: boolean): boolean {
  return alert === 'certificate_required' || (certificateRequested && alert !== null && CERTIFICATE_ALERTS.has(alert));
}
