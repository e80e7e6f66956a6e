import { portOf } from '../core/addresses.ts';
import { type Markup, markup } from '../document/html.ts';
import type { RoundResult } from './report-contents.ts';

/** Folder of the archive for files that the administrator adds. */
const FOLDER = 'add-by-hand';

/** Something that Fortinet TAC asks for and that only an administrator can obtain. */
interface TicketItem {
  readonly title: string;
  /** Where to click or what to run, one sentence each. */
  readonly steps: readonly string[];
  /** File name to save it under, in the archive's folder. */
  readonly saveAs: string;
  /** Source for TAC's request and for the steps. */
  readonly source: string;
}

/**
 * Returns what TAC asks for in addition to this report. No interface provides these items, and secrets have not been
 * removed from them.
 */
export function ticketItems({ diagnosis, observations }: RoundResult): readonly TicketItem[] {
  const isPush = diagnosis.causes.some(({ id }) => id.startsWith('push-'));
  const { host, subject } = observations.path.licenseServer;
  const [server, serverPort] = isPush ? ['push.fortinet.com', '443'] : [host, portOf(subject)];
  const category = isPush ? 'Push Authentication' : 'System';
  return [
    {
      title: 'The debug report of each FortiAuthenticator',
      steps: [
        'Logging > Log Access > Logs: select "Debug Report" at the top. It is encrypted, and TAC can decrypt it.',
        `If TAC asks for one category, select it with the arrow beside the button: here "${category}".`,
      ],
      saveAs: 'UNIT-report.dbg',
      source: 'ta-p/191656; docs:fortiauthenticator/6.1.1/administration-guide/671956 for the categories',
    },
    {
      title: 'The raw log of each FortiAuthenticator',
      steps: [
        'Logging > Log Access > Logs: select Download, then Raw Log.',
        'From firmware 6.5 on, the list shows the last 24 hours. Widen it with the filter if the fault began earlier.',
      ],
      saveAs: 'UNIT-FortiAuthenticator.log',
      source: 'ta-p/191656, ta-p/337001',
    },
    {
      title: 'A packet capture on FortiAuthenticator, while the fault happens',
      steps: [
        'System > Network > Packet Capture: start a capture on the interface towards the internet.',
        `Repeat what fails, such as assigning a token or sending a push, so that it talks to ${server}.`,
        'Stop the capture and download it. It cannot be filtered, so keep it short: it contains all other traffic too.',
      ],
      saveAs: 'UNIT.pcap',
      source: 'ta-p/196764',
    },
    {
      title: 'A packet capture on the FortiGate in between, at the same time',
      steps: [
        `Find the address first: execute ping ${server}.`,
        `Then: diagnose sniffer packet any 'host ADDRESS and port ${serverPort}' 6 200 l, and save what it prints.`,
      ],
      saveAs: 'FORTIGATE-sniffer.txt',
      source: 'docs:fortigate/7.6.0/administration-guide/462154',
    },
    {
      title: 'What you did when the error appeared',
      steps: ['Write down each step and its time with its zone, and add screenshots of error messages in the GUI.'],
      saveAs: 'steps.txt',
      source: 'ta-p/191656',
    },
    {
      title: 'A configuration backup, only if TAC asks for it',
      steps: [
        'It contains the whole configuration. TAC can look into it only with an administrator that it knows.',
        'Add a local administrator with all rights for it, take the backup, and delete that administrator again.',
        'Tell TAC its name and password in the ticket, not in this archive.',
      ],
      saveAs: 'UNIT-backup',
      source: 'ta-p/191656',
    },
  ];
}

/** Returns the list as the first file of the folder. */
export function ticketFile(items: readonly TicketItem[]): readonly [name: string, text: string] {
  const lines = items.flatMap(({ title, steps, saveAs, source }, index) => [
    `[ ] ${String(index + 1)}. ${title}`,
    ...steps.map((step) => `       ${step}`),
    `       Save it here as: ${saveAs}`,
    `       Known from: ${source}`,
    '',
  ]);
  return [
    `${FOLDER}/README.txt`,
    [
      'What Fortinet TAC asks for besides this report, and only you can get.',
      'Save each file into this folder before you attach the archive, with the name of the unit instead of UNIT.',
      'Nothing was taken out of these files: they may contain names, addresses and secrets.',
      '',
      ...lines,
    ].join('\n'),
  ];
}

/** Returns the list for the page. */
export function ticketView(items: readonly TicketItem[]): Markup {
  return markup`<p>Fortinet TAC asks for these besides this report, and only you can get them. Save them into the folder
<code>${FOLDER}</code> of the archive. Nothing was taken out of them: they may contain names, addresses and secrets.</p>
<ol>${items.map(
    ({ title, steps, saveAs, source }) =>
      markup`<li>${title}: <code>${saveAs}</code><ul>${steps.map((step) => markup`<li>${step}</li>`)}</ul>
<p class="quiet">Known from: ${source}</p></li>`,
  )}</ol>`;
}
