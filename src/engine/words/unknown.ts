import type { CauseWords } from './cause-words.ts';
import { shell } from './step.ts';

/** Any precondition may stay unknown, and only time shows it: it is the engine's own cause. */
export const UNKNOWN_CAUSE = 'precondition-unknown';

/** The steps for the precondition, or those of its judgement, come before these. */
export const UNKNOWN_WORDS: CauseWords = {
  severity: 'warning',
  title: 'a precondition cannot be judged',
  short: 'a precondition cannot be judged',
  headline: '{subject} cannot be judged',
  summary: '{subject} could not be judged for 15 minutes or longer.',
  impact: 'blind',
  remedy: [
    shell(
      'Look at all preconditions: the checklist says of each what was checked, and why it could not be judged.',
      'ftm-watch check{config}',
    ),
    'If it cannot be known here and you do not need it, remove it from the configuration: it is then "not ' +
      'configured", and no longer unknown.',
  ],
};
