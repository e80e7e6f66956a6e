import type { FirewallObservation } from '../../core/license/firewall.ts';
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
    if (tokens.kind !== 'read') return [note({ ...told, actual: `not known: ${tokens.message}` })];
    const counts = [...tokens.value].map(([status, count]) => `${String(count)} ${status}`);
    return [note({ ...told, actual: counts.length === 0 ? 'none' : counts.join(', ') })];
  });
}
