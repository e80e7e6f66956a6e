import { Resolver } from 'node:dns/promises';
import type { Millis } from '../../core/clock.ts';
import { abortError, errorCode } from '../failure.ts';

const PATIENCE: Millis = 2000;

/**
 * The mail servers of a domain, the most preferred first, of the servers that the system's resolver asks: getaddrinfo
 * knows addresses alone. @throws what ended it
 */
export async function systemExchanges(domain: string, signal: AbortSignal): Promise<readonly string[]> {
  signal.throwIfAborted();
  const resolver = new Resolver({ timeout: PATIENCE, tries: 1 });
  function cancel(): void {
    resolver.cancel();
  }
  signal.addEventListener('abort', cancel, { once: true });
  try {
    const found = await resolver.resolveMx(domain);
    return found.sort((one, other) => one.priority - other.priority).map(({ exchange }) => exchange);
  } catch (error) {
    if (signal.aborted) throw abortError(signal);
    if (errorCode(error) === 'ENODATA' || errorCode(error) === 'ENOTFOUND') return [];
    throw error;
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}
