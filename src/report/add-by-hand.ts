import { portOf } from '../core/addresses.ts';
import { type Markup, markup } from '../document/html.ts';
import type { RoundResult } from '../checks/round-result.ts';

const FOLDER = 'add-by-hand';

/** An item that Fortinet TAC asks for and that only an administrator can provide. */
interface TicketItem {
  readonly title: string;
  readonly steps: readonly string[];
  readonly saveAs: string;
  readonly source: string;
}

/** ftm-watch can neither obtain these items nor remove secrets from them. */
export function ticketItems({ diagnosis, observations }: RoundResult): readonly TicketItem[] {
  const isPush = diagnosis.causes.some(({ id }) => id.startsWith('push-'));
  const { host, subject } = observations.path.licenseServer;
  const [server, serverPort] = isPush ? ['push.fortinet.com', '443'] : [host, portOf(subject)];
  const category = isPush ? 'Push Authentication' : 'System';
  return [
    {
      title: 'Debug report of each FortiAuthenticator',
      steps: [
        'Under Logging > Log Access > Logs, select "Debug Report" at the top. ' +
          'The report is encrypted, but TAC can decrypt it.',
        `If TAC asks for a single category, select "${category}" with the arrow next to the button.`,
      ],
      saveAs: 'UNIT-report.dbg',
      source: 'ta-p/191656; docs:fortiauthenticator/6.1.1/administration-guide/671956 for the categories',
    },
    {
      title: 'Raw log of each FortiAuthenticator',
      steps: [
        'Under Logging > Log Access > Logs, select Download, then Raw Log.',
        'In firmware 6.5 and later, the list shows the last 24 hours. ' +
          'If the fault began earlier, extend the period with the filter.',
      ],
      saveAs: 'UNIT-FortiAuthenticator.log',
      source: 'ta-p/191656, ta-p/337001',
    },
    {
      title: 'Packet capture on FortiAuthenticator, made while the fault occurs',
      steps: [
        'Under System > Network > Packet Capture, start a capture on the interface towards the internet.',
        'Repeat the action that fails, such as assigning a token or sending a push, ' +
          `so that FortiAuthenticator connects to ${server}.`,
        'Stop the capture and download it. The capture cannot be filtered and contains all other traffic too, ' +
          'so keep it short.',
      ],
      saveAs: 'UNIT.pcap',
      source: 'ta-p/196764',
    },
    {
      title: 'Packet capture on the FortiGate in between, made at the same time',
      steps: [
        `To find the address, run: execute ping ${server}`,
        'Then run this command and save its output: ' +
          `diagnose sniffer packet any 'host ADDRESS and port ${serverPort}' 6 200 l`,
      ],
      saveAs: 'FORTIGATE-sniffer.txt',
      source: 'docs:fortigate/7.6.0/administration-guide/462154',
    },
    {
      title: 'Your steps before the error appeared',
      steps: ['Write down each step with its time and time zone, and add screenshots of error messages in the GUI.'],
      saveAs: 'steps.txt',
      source: 'ta-p/191656',
    },
    {
      title: 'Configuration backup (only if TAC asks for it)',
      steps: [
        "The backup contains the whole configuration. To open it, TAC needs an administrator's password.",
        'Create a local administrator with full permissions, make the backup, and delete the administrator afterwards.',
        "Send the administrator's name and password to TAC in the ticket, not in this archive.",
      ],
      saveAs: 'UNIT-backup',
      source: 'ta-p/191656',
    },
  ];
}

const INTRO = 'Fortinet TAC also needs the following files, which only you can obtain.';
const NOT_MASKED = 'Nothing is removed from these files, so they can contain names, addresses and secrets.';

/** The first file in the folder is a checklist. */
export function ticketFile(items: readonly TicketItem[]): readonly [name: string, text: string] {
  const lines = items.flatMap(({ title, steps, saveAs, source }, index) => [
    `[ ] ${String(index + 1)}. ${title}`,
    ...steps.map((step) => `       ${step}`),
    `       Save as: ${saveAs}`,
    `       Source: ${source}`,
    '',
  ]);
  return [
    `${FOLDER}/README.txt`,
    [
      INTRO,
      'Save each file in this folder before you attach the archive. ' +
        'In the file names, replace UNIT with the name of the unit.',
      NOT_MASKED,
      '',
      ...lines,
    ].join('\n'),
  ];
}

export function ticketView(items: readonly TicketItem[]): Markup {
  return markup`<p>${INTRO} Save them in the folder
<code>${FOLDER}</code> in the archive. ${NOT_MASKED}</p>
<ol>${items.map(
    ({ title, steps, saveAs, source }) =>
      markup`<li>${title}: <code>${saveAs}</code><ul>${steps.map((step) => markup`<li>${step}</li>`)}</ul>
<p class="quiet">Source: ${source}</p></li>`,
  )}</ol>`;
}
