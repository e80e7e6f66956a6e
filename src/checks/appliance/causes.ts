import type { CauseWords } from '../../engine/words/cause-words.ts';

const OPEN =
  'Open {interface} in a browser: the login page must appear. If the name is not found, correct it in ' +
  'appliances[].api.url, or write the address there.';

const ALLOW =
  'On FortiAuthenticator, System > Network > Interfaces: HTTPS and the REST API must be allowed on this interface.';

export const APPLIANCE_CAUSES = {
  'appliance-unreachable': {
    severity: 'critical',
    title: 'FortiAuthenticator cannot be reached',
    headline: '{subject} is unreachable',
    summary: 'ftm-watch gets nothing from {appliance}: its REST API {failing}.',
    impact: 'blind',
    sources: ['docs:fortiauthenticator/6.4.1/administration-guide'],
    remedy: [OPEN, ALLOW],
  },
  'appliance-unreadable': {
    severity: 'warning',
    title: 'ftm-watch cannot read FortiAuthenticator',
    headline: 'ftm-watch cannot read {subject}',
    summary: 'ftm-watch cannot read {appliance}: its REST API {failing}, although the unit itself is up.',
    impact: 'blind',
    sources: ['docs:fortiauthenticator/6.4.1/administration-guide'],
    remedy: [
      OPEN,
      `${ALLOW} A firewall on the way must let them through.`,
      'If its certificate was renewed, set the new authority in appliances[].api.caFile, or the new pin.',
    ],
  },
  'appliance-access-denied': {
    severity: 'warning',
    title: 'FortiAuthenticator refuses the API key',
    headline: 'ftm-watch cannot read {subject}: the key is refused',
    summary: 'ftm-watch cannot read {appliance}: it refuses the user or the web service access key.',
    impact: 'blind',
    sources: ['docs:fortiauthenticator/6.4.7/rest-api-solution-guide/671411'],
    remedy: [
      'The password is the web service access key of that administrator, not the login password: Authentication > ' +
        'User Management > Local Users, edit the user, "Web service access".',
      'Write the new key into the file that appliances[].api.keyFile names; no restart is needed.',
    ],
  },
} satisfies Readonly<Record<string, CauseWords>>;

export type ApplianceCause = keyof typeof APPLIANCE_CAUSES;
