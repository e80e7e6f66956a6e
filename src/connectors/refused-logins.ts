import { createHash } from 'node:crypto';
import type { ApplianceApiConfig } from '../config/schema/watched.ts';
import type { Millis } from '../core/clock.ts';
import type { ApplianceObservation } from '../core/license/appliance.ts';
import type { FailureReason } from '../core/observation.ts';
import { type ConnectorContext, secretOf } from '../network/rest/json-exchange.ts';

const SHORTEST_PAUSE: Millis = 5 * 60_000;
const LONGEST_PAUSE: Millis = 60 * 60_000;
/** The default schedule has the same period as the shortest pause, and its timers are not exact. */
const TOLERANCE: Millis = 30_000;

interface Refusal {
  readonly seen: Extract<ApplianceObservation, { readonly kind: 'denied' }>;
  readonly key: string | null;
  readonly pause: Millis;
  readonly until: Millis;
}

type Observe = (context: ConnectorContext) => Promise<ApplianceObservation>;

/**
 * While the API refuses the login (401, 403), makes longer and longer pauses, in which the refusal is returned again. By
 * default, three failed logins can lock an address out (docs:fortiauthenticator/6.6.0/administration-guide/706937). A
 * changed key ends the pause.
 */
export function withPausesAfterRefusal({ key: source }: ApplianceApiConfig, observe: Observe): Observe {
  let refusal: Refusal | null = null;
  return async (context) => {
    const startedAt = context.clock.elapsed();
    const key = await digestOf(source, context);
    const isSameKey = refusal !== null && refusal.key === key;
    if (refusal !== null && isSameKey && startedAt < refusal.until) return refusal.seen;
    const seen = await observe(context);
    if (seen.kind === 'denied') {
      const pause = refusal !== null && isSameKey ? Math.min(2 * refusal.pause, LONGEST_PAUSE) : SHORTEST_PAUSE;
      refusal = { seen, key, pause, until: startedAt + pause - TOLERANCE };
    } else if (seen.kind === 'ok') {
      refusal = null;
    } else if (refusal?.seen.status === 401 && isSilence(seen.reason)) {
      return { ...seen, afterRefusal: true };
    }
    return seen;
  };
}

function isSilence(reason: FailureReason): boolean {
  return reason === 'timeout' || reason === 'refused' || reason === 'reset' || reason === 'closed';
}

/** Null if the key cannot be read, which the query itself reports. */
async function digestOf(source: ApplianceApiConfig['key'], context: ConnectorContext): Promise<string | null> {
  try {
    return createHash('sha256')
      .update(await secretOf(source, context))
      .digest('base64url');
  } catch {
    return null;
  }
}
