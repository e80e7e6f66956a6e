import { type CauseWords, shell } from '../../engine/model.ts';
import { RETRY_WHEN_CLEAN, SILENT_PAST_POLICY } from '../reachability/causes.ts';

export const LICENSE_SERVER_CAUSES = {
  'license-server-down': {
    severity: 'critical',
    title: 'the licence server does not work',
    short: 'the server is down',
    headline: '{subject} is down',
    summary: 'The path to {subject} is open and not intercepted, but the server does not answer properly.',
    impact: 'activation',
    sources: ['ta-p/194050', 'https://status.fortistatus.com/guest-portal/fortitoken/incident/overview'],
    remedy: [
      shell('The fault is probably at Fortinet: wait a few minutes and look again.', 'ftm-watch check{config}'),
      'See whether Fortinet knows of it: https://status.fortistatus.com/guest-portal/fortitoken/incident/overview. ' +
        'The page is that of FortiToken Cloud, so an empty one proves nothing.',
      shell(
        'If several sites see the same, ask Fortinet TAC whether the FortiToken Mobile licensing servers are ' +
          'operational, and give: the serial number and firmware of each FortiAuthenticator, the public address of ' +
          'each site, since when (with the time zone), the errors of its log, and the archive of the report.',
        'ftm-watch report{config}',
      ),
      RETRY_WHEN_CLEAN,
    ],
    kinds: SILENT_PAST_POLICY,
  },
} satisfies Readonly<Record<string, CauseWords>>;

export type LicenseServerCause = keyof typeof LICENSE_SERVER_CAUSES;
