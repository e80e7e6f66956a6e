import type { FirewallObservation } from '../../core/license/firewall.ts';
import { nameList } from '../../core/name-list.ts';
import { type Finding, known, note } from '../../engine/finding.ts';

/**
 * The FortiTokens that a FortiGate holds itself. The vendor documents neither the words for their status nor which of
 * them are free: for people to read, and nothing is judged by it.
 */
export function fortigateNotes(firewalls: readonly FirewallObservation[]): readonly Finding<never>[] {
  return firewalls.flatMap((seen): readonly Finding<never>[] => {
    const tokens = seen.kind === 'ok' ? seen.fortitokens : null;
    if (tokens === null || tokens.kind === 'absent') return [];
    const told = {
      rule: 'fortigate-tokens-counted',
      subject: seen.firewall,
      expected: 'the FortiTokens that a FortiGate holds itself',
      facts: known({ firewall: seen.firewall }),
    };
    if (tokens.kind !== 'read') {
      const claim = 'The FortiTokens of the FortiGate could not be counted.';
      return [note({ ...told, claim, actual: `not known: ${tokens.message}`, quote: tokens.message })];
    }
    const counts = [...tokens.value].map(([status, count]) => `${String(count)} ${status}`);
    const claim = `The FortiGate holds ${counts.length === 0 ? 'no FortiTokens' : `FortiTokens: ${nameList(counts, 5)}`}.`;
    return [note({ ...told, claim, actual: counts.length === 0 ? 'none' : counts.join(', ') })];
  });
}
