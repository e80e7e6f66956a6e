import { type CauseWords, shell } from '../../engine/model.ts';

export const CLOCK_CAUSES = {
  'clock-skewed': {
    severity: 'warning',
    name: 'the clock of ftm-watch is wrong',
    summary: 'The clock of the ftm-watch machine is {found} compared with external time sources.',
    impact: 'none',
    sources: ['docs:fortiauthenticator/6.4.1/administration-guide'],
    remedy: [
      shell('Check time synchronization on the ftm-watch machine.', 'timedatectl status', 'chronyc tracking'),
      "Check FortiAuthenticator's clock too (System > Dashboard > Status). A wrong clock breaks certificates and " +
        'one-time passwords.',
    ],
  },
} satisfies Readonly<Record<string, CauseWords>>;
