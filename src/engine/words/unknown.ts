import type { CauseWords } from './cause-words.ts';

/** That a precondition stays unknown may be so of any, and only time shows it: it is the engine's own cause. */
export const UNKNOWN_CAUSE = 'precondition-unknown';

/** The steps for the precondition, or what its judgement asked for, stand before these. */
export const UNKNOWN_WORDS: CauseWords = {
  severity: 'warning',
  title: 'a precondition cannot be judged',
  headline: '{subject} cannot be judged',
  summary: 'Whether {subject} is in order has not been known for 15 minutes.',
  impact: 'blind',
  remedy: [
    'Run "ftm-watch check": it says for each precondition what it looked at, and why it could not judge.',
    'What cannot be known here and is not needed can be taken out of the configuration: it is "not configured" ' +
      'then, and no longer unknown.',
  ],
};
