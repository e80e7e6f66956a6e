import { fieldsOf } from '../core/fields.ts';
import * as z from 'zod';
import { visibleText } from '../core/visible-text.ts';
import { cutList, lenientNumber, serialNumber } from '../network/rest/reply-values.ts';

const TOKEN = z.object({ access_token: z.string().regex(/^[\x21-\x7E]{1,8192}$/u) });

export function tokenError(value: unknown): string {
  const { message } = fieldsOf(value);
  return typeof message === 'string' ? visibleText(message, 200) : 'no access token in the response';
}

/** Used at once, so the token's lifetime does not matter. The shortest observed lifetime is 3660 s. */
export function parseAccessToken(value: unknown): string | null {
  return TOKEN.safeParse(value).data?.access_token ?? null;
}

/**
 * Returns null if there is no error. The service reports errors with HTTP status 200 and a `status` of -1 or 2 in the
 * body.
 */
export function serviceError(value: unknown): string | null {
  const { status, message, error } = fieldsOf(value);
  if (status === undefined) return 'expected an object with "status"';
  if (lenientNumber(status) === 0) return null;
  const { errorCode, message: reason } = fieldsOf(error);
  const words = [errorCode, reason ?? message].filter((word) => typeof word === 'string' || typeof word === 'number');
  const shown =
    typeof status === 'number' || typeof status === 'string' ? visibleText(String(status), 20) : 'unreadable';
  return `status ${shown}${words.length === 0 ? '' : `: ${visibleText(words.join(' '), 200)}`}`;
}

export interface LicenseRecord {
  readonly license: string;
  readonly serial: string | null;
  readonly status: string | null;
  /** Number of purchased tokens, derived from the SKU. */
  readonly bought: number | null;
}

/** "FTM-ELIC-XX: replace XX with the number of tokens" (Fortinet's ordering guide; ta-p/205363 lists FTM-ELIC-*). */
const TOKEN_SKU = /^FTM-ELIC-(?<tokens>[1-9]\d{0,5})$/iu;

const MAX_RECORDS = 1000;

const LICENSE = z.object({
  licenseNumber: z.string(),
  serialNumber: z.unknown().optional(),
  licenseSKU: z.string().nullish().catch(null),
  status: z.string().nullish().catch(null),
});
const LICENSES = z.object({ licenses: cutList(LICENSE, MAX_RECORDS).nullish() });

/** A missing list counts as empty. Null if the response is invalid. */
export function parseLicenseRecords(value: unknown): readonly LicenseRecord[] | null {
  const parsed = LICENSES.safeParse(value);
  if (!parsed.success) return null;
  return (parsed.data.licenses ?? []).map((record) => {
    const serial = serialNumber.safeParse(record.serialNumber);
    return {
      license: record.licenseNumber.trim().toUpperCase(),
      serial: serial.success ? serial.data : null,
      status: typeof record.status === 'string' ? visibleText(record.status, 40) : null,
      bought: boughtOf(record.licenseSKU ?? ''),
    };
  });
}

function boughtOf(sku: string): number | null {
  const { tokens } = TOKEN_SKU.exec(sku.trim())?.groups ?? {};
  return tokens === undefined ? null : Number(tokens);
}

/** All strings in the details are searched, because the format is not documented. */
export function productHoldsLicense(value: unknown, license: string): boolean {
  const { license: licenses, licenseKeys } = fieldsOf(fieldsOf(value)['assetDetails']);
  return holdsText([licenses, licenseKeys], license.toUpperCase());
}

/** Not recursive, because the service controls the nesting depth. */
function holdsText(root: unknown, text: string): boolean {
  const waiting: unknown[] = [root];
  while (waiting.length > 0) {
    const value = waiting.pop();
    if (typeof value === 'string' && value.toUpperCase() === text) return true;
    if (typeof value !== 'object' || value === null) continue;
    for (const [key, inner] of Object.entries(value)) waiting.push(key, inner);
  }
  return false;
}
