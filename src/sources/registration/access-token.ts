import type { RegistrationConfig } from './section.ts';
import type { Millis } from '../../core/clock.ts';
import type { ConnectorContext } from '../../network/rest/context.ts';
import { secretOf } from '../../network/rest/secret.ts';
import type { RegistrationClient } from './client.ts';
import type { CallResult, MeteredCall } from './metered-call.ts';
import { parseAccessToken, tokenError } from './registration-replies.ts';

/** A token is not used in its last moments: a call under way must not outlive it. */
const MARGIN: Millis = 30_000;

export type TokenResult = { readonly kind: 'token'; readonly value: string } | Exclude<CallResult, { kind: 'json' }>;

/** Holds the bearer token of one round, in memory only. */
export interface AccessTokens {
  /** The current token, or a new one when it has run out. */
  current(): Promise<TokenResult>;
  /** The service did not take it any more: the next one is fetched again. */
  discard(): void;
}

export interface AccessTokenPorts {
  readonly client: RegistrationClient;
  readonly call: MeteredCall;
}

export function createAccessTokens(
  config: RegistrationConfig,
  ports: AccessTokenPorts,
  context: ConnectorContext,
): AccessTokens {
  let held: { readonly value: string; readonly usableUntil: Millis } | null = null;

  async function fetchToken(): Promise<TokenResult> {
    const password = await secretOf(config.password, context);
    const askedAt = context.clock.elapsed();
    const result = await ports.call({
      what: 'Logging in to the registration service',
      send: () => ports.client.send({ kind: 'token', user: config.user, password }),
      problemOf: tokenError,
      refusalBacksOff: true,
    });
    if (result.kind !== 'json') return result;
    const token = parseAccessToken(result.value);
    if (token === null) throw new TypeError('Cannot take the access token: expected what was checked before');
    held = { value: token.value, usableUntil: askedAt + token.expiresInSeconds * 1000 - MARGIN };
    return { kind: 'token', value: token.value };
  }

  return {
    current: async () => {
      if (held !== null && context.clock.elapsed() < held.usableUntil) return { kind: 'token', value: held.value };
      return fetchToken();
    },
    discard: () => {
      held = null;
    },
  };
}
