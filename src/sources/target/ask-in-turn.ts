import type { ResolverConfig } from '../../config/schema/resolver.ts';
import type { Millis } from '../../core/clock.ts';
import type { DnsObservation } from '../../core/observation.ts';
import type { ProbeContext } from '../../network/context.ts';
import type { AskName } from './ask-name.ts';

/** A resolver that has not answered by then is asked on, beside the next one. */
const PATIENCE: Millis = 500;

/**
 * Asks one resolver after the other for a name, until the answers are enough. Silent ones are waited for together: one
 * after the other, two of them would hold up the whole round.
 * @param isEnough whether no other resolver need be asked
 */
export async function askInTurn(
  name: string,
  resolvers: readonly ResolverConfig[],
  { askName, isEnough }: { readonly askName: AskName; readonly isEnough: (seen: readonly DnsObservation[]) => boolean },
  ctx: ProbeContext,
): Promise<readonly DnsObservation[]> {
  const asked: Promise<DnsObservation>[] = [];
  const answered: DnsObservation[] = [];
  for (const resolver of resolvers) {
    const answer = askName(name, resolver, ctx);
    asked.push(answer);
    const seen = await within(answer, ctx);
    if (seen === null) continue;
    answered.push(seen);
    if (isEnough(answered)) break;
  }
  return Promise.all(asked);
}

/** Null: not in time. */
function within(answer: Promise<DnsObservation>, { clock }: ProbeContext): Promise<DnsObservation | null> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(PATIENCE, () => resolve(null));
    answer.finally(cancel).then(resolve, reject);
  });
}
