import * as z from 'zod';
import {
  type ConnectorContext,
  httpsOrigin,
  exchangeJson,
  type JsonReply,
  createVerifiedAgent,
} from '../network/rest/json-exchange.ts';
import { createSecretFilter, visibleText } from '../core/visible-text.ts';
import { cutList, lenientNumber, serialNumber } from '../network/rest/reply-values.ts';
import type { RegistrationConfig } from '../config/schema/connectors.ts';

export interface RegistrationClient extends AsyncDisposable {
  /** @throws the errors of `exchangeJson` */
  send(operation: Extract<RegistrationOperation, { kind: 'token' }>): Promise<JsonReply>;
  /** @throws the errors of `exchangeJson` */
  ask(operation: Exclude<RegistrationOperation, { kind: 'token' }>, token: string): Promise<JsonReply>;
}

/** @throws {Error} when a URL does not begin with https or `caFile` cannot be used */
export async function createRegistrationClient(
  config: RegistrationConfig,
  context: ConnectorContext,
): Promise<RegistrationClient> {
  const authOrigin = httpsOrigin(config.authUrl);
  const origin = httpsOrigin(config.url);
  const agent = await createVerifiedAgent({ caFile: config.caFile, pin: null });

  function post(
    target: string,
    operation: RegistrationOperation,
    secret: string,
    login: Readonly<Record<string, string>> = {},
  ): Promise<JsonReply> {
    const { path, body } = requestOf(operation);
    return exchangeJson(
      agent,
      target,
      {
        path,
        method: 'POST',
        headers: { 'content-type': 'application/json', ...login },
        body: JSON.stringify(body),
        withoutSecrets: createSecretFilter([secret]),
      },
      context,
    );
  }

  return {
    send: (operation) => post(authOrigin, operation, operation.password),
    ask: (operation, token) => post(origin, operation, token, { authorization: `Bearer ${token}` }),
    [Symbol.asyncDispose]: () => agent.destroy(),
  };
}

/**
 * The service requires POST for all three requests, but none of them changes data. Connectors cannot send other POST
 * requests.
 */
export type RegistrationOperation =
  | { readonly kind: 'token'; readonly user: string; readonly password: string }
  | { readonly kind: 'list-license'; readonly license: string; readonly accountId: number | null }
  | { readonly kind: 'product-details'; readonly serial: string };

/** The trailing slash in the token path is required. */
function requestOf(operation: RegistrationOperation): { readonly path: string; readonly body: object } {
  switch (operation.kind) {
    case 'token':
      return {
        path: '/api/v1/oauth/token/',
        body: {
          username: operation.user,
          password: operation.password,
          client_id: 'assetmanagement',
          grant_type: 'password',
        },
      };
    case 'list-license':
      return {
        path: '/ES/api/registration/v3/licenses/list',
        body: { licenseNumber: operation.license, accountId: operation.accountId ?? undefined },
      };
    case 'product-details':
      return {
        path: '/ES/api/registration/v3/products/details',
        body: { serialNumber: operation.serial },
      };
  }
}

const TOKEN = z.object({
  access_token: z.string().regex(/^[\x21-\x7E]{1,8192}$/u),
  expires_in: z.unknown().optional(),
});

interface AccessToken {
  readonly value: string;
  readonly expiresInSeconds: number;
}

export function tokenError(value: unknown): string | null {
  if (parseAccessToken(value) !== null) return null;
  const parsed = z.object({ message: z.string() }).safeParse(value);
  return parsed.success ? visibleText(parsed.data.message, 200) : 'no access token in the response';
}

/** Used if the service does not return a lifetime. The shortest observed lifetime is 3660 s. */
const DEFAULT_LIFE_SECONDS = 3600;

export function parseAccessToken(value: unknown): AccessToken | null {
  const parsed = TOKEN.safeParse(value);
  if (!parsed.success) return null;
  const life = lenientNumber(parsed.data.expires_in);
  return { value: parsed.data.access_token, expiresInSeconds: life !== null && life > 0 ? life : DEFAULT_LIFE_SECONDS };
}

const ENVELOPE = z.object({
  status: z.unknown(),
  message: z.unknown().optional(),
  error: z.object({ errorCode: z.unknown().optional(), message: z.unknown().optional() }).nullish().catch(null),
});

/**
 * Returns null if there is no error. The service reports errors with HTTP status 200 and a `status` of -1 or 2 in the
 * body.
 */
export function serviceError(value: unknown): string | null {
  const parsed = ENVELOPE.safeParse(value);
  if (!parsed.success) return 'expected an object with "status"';
  const { status, message, error } = parsed.data;
  if (lenientNumber(status) === 0) return null;
  const words = [error?.errorCode, error?.message ?? message].filter(
    (word) => typeof word === 'string' || typeof word === 'number',
  );
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

const PRODUCT = z.object({
  assetDetails: z.object({ license: z.unknown().optional(), licenseKeys: z.unknown().optional() }).nullish(),
});

/** All strings in the details are searched, because the format is not documented. */
export function productHoldsLicense(value: unknown, license: string): boolean {
  const parsed = PRODUCT.safeParse(value);
  if (!parsed.success) return false;
  const { license: licenses, licenseKeys } = parsed.data.assetDetails ?? {};
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
