import { type Command, Option } from 'commander';

import { keepHeapSmall } from '../../system/v8-flags.ts';
import { type Finish, type Invoked, withConfig } from './command.ts';

interface CaptureCommandOptions {
  readonly json?: boolean;
  readonly all?: boolean;
  readonly attach?: string;
  readonly printCommand?: 'fortigate' | 'appliance';
}

export function addCapture(program: Command, invoked: Invoked, finish: Finish): void {
  withConfig(program.command('capture'))
    .description('the verdict on the connections in a packet capture: what FortiAuthenticator itself was shown')
    .argument('[file...]', 'pcap, pcapng, either in gzip, or the text of a sniffer; - for standard input')
    .option('--json', 'one JSON object on standard output and nothing else')
    .option('--all', 'also the TLS connections to other servers')
    .option('--attach <incident>', 'add the verdict to an open incident of the running daemon')
    .addOption(
      new Option('--print-command <device>', 'print the commands that make such a capture').choices([
        'fortigate',
        'appliance',
      ]),
    )
    .addHelpText('after', HELP)
    .action(
      async (
        files: readonly string[],
        { json, all, attach, printCommand }: CaptureCommandOptions,
        command: Command,
      ) => {
        // A capture may have any size.
        keepHeapSmall();
        const { runCapture, printCaptureCommand } = await import('../capture.ts');
        if (printCommand !== undefined) {
          finish(await printCaptureCommand(printCommand, invoked(command)));
          return;
        }
        const wish = { files, json: json === true, all: all === true, attach: attach ?? null };
        finish(await runCapture(wish, invoked(command)));
      },
    );
}

const HELP = `
Recognized by their content: pcap and pcapng, as the pages of FortiAuthenticator and FortiGate export them; the text of
"diagnose sniffer packet any '…' 6" (levels 2, 3, 5 and 6) and of "tcpdump -X" or "-XX". Of two files, name the one from
inside first. Nothing leaves this machine.

Examples:
  ftm-watch capture --print-command fortigate   prints what to type on the FortiGate
  ftm-watch capture putty.log                   which certificate was FortiAuthenticator shown?
  ftm-watch capture inside.pcap outside.pcap    does something between both end TLS?
`;
