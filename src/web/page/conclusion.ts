import type { Diagnosis } from '../../engine/diagnosis.ts';

/** The state of activation in one sentence: the most severe cause where there is one. */
export function conclusionOf({ ready, causes, preconditions }: Diagnosis): string {
  const [worst] = causes;
  switch (ready) {
    case 'not-ready':
      return worst?.summary ?? 'FortiToken Mobile activation does not work from here.';
    case 'unknown': {
      const unknown = preconditions.filter(({ state }) => state === 'unknown').length;
      return (
        'Not everything could be judged: ' +
        `${unknown === 1 ? '1 precondition is' : `${String(unknown)} preconditions are`} unknown. Nothing is ` +
        'known to be broken.'
      );
    }
    case 'ready': {
      const warnings = causes.filter(({ severity }) => severity === 'warning').length;
      const all = 'All configured checks pass.';
      return warnings === 0
        ? all
        : `${all} ${warnings === 1 ? 'One warning needs' : `${String(warnings)} warnings need`} a look.`;
    }
  }
}
