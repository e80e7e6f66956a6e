import type { CauseWords } from '../../engine/words/cause-words.ts';
import { SILENT_PAST_POLICY } from '../reachability/shut-port.ts';

export const LICENSE_SERVER_CAUSES = {
  'license-server-down': {
    severity: 'critical',
    title: 'the licence server does not work',
    headline: '{subject} is down',
    summary: 'The path to {subject} is open and not intercepted, but the server does not answer properly.',
    impact: 'activation',
    remedy: [
      'The fault is probably at Fortinet: wait a few minutes and repeat "ftm-watch check".',
      'If other sites see the same, ask Fortinet TAC whether the FortiToken Mobile licensing servers are operational.',
      'Retry the activation on FortiAuthenticator after "ftm-watch check" is clean.',
    ],
    kinds: SILENT_PAST_POLICY,
  },
} satisfies Readonly<Record<string, CauseWords>>;

export type LicenseServerCause = keyof typeof LICENSE_SERVER_CAUSES;
