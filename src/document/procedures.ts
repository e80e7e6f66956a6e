import { wordsOf } from '../checks/registry.ts';
import type { Step } from '../engine/model.ts';
import { code, list, type Section, section, text } from './document.ts';

export const HELP = 'Help';

/** Steps that several runbooks share and link to. */
export interface Procedure {
  readonly title: string;
  readonly steps: readonly Step[];
}

export const PROCEDURES: readonly Procedure[] = [
  { title: 'Create a policy on a FortiGate', steps: wordsOf('policy-inspects-traffic').remedy.slice(0, 3) },
  {
    title: "Capture FortiAuthenticator's connection",
    steps: wordsOf('tls-interception-suspected').remedy.slice(0, 3),
  },
  { title: 'Exempt a name from a DNS filter', steps: kindOf('name-not-found', 'filtered') },
  { title: 'Find a name in the hosts file', steps: kindOf('answer-unexpected', 'local-name') },
  { title: 'Learn the new certificate', steps: wordsOf('certificate-rotated').remedy },
  { title: 'Send codes without the mail server', steps: wordsOf('mail-unavailable').remedy.slice(-1) },
  { title: 'Move a licence', steps: wordsOf('license-on-peer').remedy.slice(-2) },
];

function kindOf(cause: Parameters<typeof wordsOf>[0], kind: string): readonly Step[] {
  return wordsOf(cause).kinds?.[kind]?.remedy ?? [];
}

export const COMMON_SECTIONS: readonly Section[] = [
  section(
    HELP,
    list(
      [
        'The incident, on the status page and in messages, lists the same steps with your own values. In a runbook, ',
        'these values are in <brackets>.',
      ],
      ['If a section is about the variant that the incident describes, its steps replace those under "Mitigation".'],
      ['In a block of commands, replace each word that begins with ', code('FILL-IN'), ' (see below).'],
      [
        'If users can activate offline (FortiAuthenticator 6.6.1 and later), they can do so while the licence server ',
        'cannot be reached.',
      ],
      ['A source such as ', code('ta-p/194050'), ' is the number of a technical tip at community.fortinet.com.'],
    ),
  ),
  section(
    'Silence the incident',
    text(
      'Use the form on the page of the incident, or run ',
      code('ftm-watch silence add --for 8h --cause CAUSE --comment "REASON"'),
      ' on the machine that runs ftm-watch (',
      { document: 'alerting.md' },
      ').',
    ),
  ),
  section(
    'Check the repair',
    text(
      'Run ',
      code('ftm-watch check --verify INCIDENT'),
      ', then retry the activation on FortiAuthenticator. The incident is closed after ',
      code('notify.policy.recoveries'),
      ' rounds without the cause.',
    ),
  ),
  section(
    'Get help',
    text(
      code('ftm-watch report'),
      ' writes an archive with the evidence for Fortinet TAC. If ftm-watch itself does not work, see ',
      { document: 'troubleshooting.md' },
      '.',
    ),
  ),
];
