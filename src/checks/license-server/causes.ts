import { type CauseWords, type KindWords, shell, kindVariants } from '../../engine/model.ts';
import { VENDOR_STATUS } from '../../engine/words.ts';
import { RETRY_WHEN_CLEAN, SILENT_PAST_POLICY } from '../reachability/causes.ts';

/** Kind of a closed port if probes in other networks do not reach the server either. */
const DOWN_EVERYWHERE: Readonly<Record<'down-everywhere', KindWords>> = {
  'down-everywhere': {
    name: '[{subject}|the server] is down for everybody',
    summary: '{subject} accepts no connections, neither from this site nor from other networks.',
  },
};

export const LICENSE_SERVER_CAUSES = {
  'license-server-down': {
    severity: 'critical',
    name: '[{subject}|the server] is down',
    summary: 'The path to {subject} is open and not intercepted, but the server does not answer properly.',
    impact: 'activation',
    sources: ['ta-p/194050', VENDOR_STATUS],
    remedy: [
      shell(
        "Wait a few minutes and check again, because the fault is probably on Fortinet's side.",
        'ftm-watch check{config}',
      ),
      `Check whether Fortinet reports an incident at ${VENDOR_STATUS}. The page covers FortiIdentity Cloud and may ` +
        'not show other incidents.',
      shell(
        'If multiple sites are affected, ask Fortinet TAC whether the FortiToken Mobile licensing servers are ' +
          'operational. Include the serial number and firmware of each FortiAuthenticator, the public address of ' +
          'each site, the time the fault began (with the time zone), the errors in the log, and the report archive.',
        'ftm-watch report{config}',
      ),
      RETRY_WHEN_CLEAN,
    ],
    variants: kindVariants({ ...SILENT_PAST_POLICY, ...DOWN_EVERYWHERE }),
  },
} satisfies Readonly<Record<string, CauseWords>>;

export type LicenseServerCause = keyof typeof LICENSE_SERVER_CAUSES;
