import type { Incident, IncidentState } from '../engine/incident/incident.ts';
import type { IncidentEffect } from '../engine/incident/machine-input.ts';

/** Those of the new state that the step changed, for the history. */
export function touched(state: IncidentState, effects: readonly IncidentEffect[]): readonly Incident[] {
  const ids = new Set(
    effects.flatMap((effect) => {
      if (effect.kind === 'transition') return [effect.incident.id];
      if (effect.notification.kind === 'incident') return [effect.notification.incident.id];
      return effect.notification.kind === 'digest' ? effect.notification.items.map(({ incident }) => incident.id) : [];
    }),
  );
  return state.incidents.filter(({ id }) => ids.has(id));
}
