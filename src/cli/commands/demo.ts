import { type Command, InvalidArgumentError } from 'commander';

import type { Finish, Invoked } from './command.ts';

interface Typed {
  readonly fault?: readonly string[];
  readonly speed: number;
  readonly pause: boolean;
  readonly loop?: boolean;
}

export function addDemo(program: Command, invoked: Invoked, finish: Finish): void {
  program
    .command('demo')
    .description('simulate a site on this machine, break it in three ways, and show how each fault is found')
    .option('--fault <name...>', 'only these faults, in this order (default: inspection dns license)')
    .option('--speed <number>', 'how fast to go from one step to the next, from 0.1 to 100', speed, 1)
    .option('--no-pause', 'do not wait between the steps')
    .option('--loop', 'play until Ctrl-C')
    .addHelpText('after', HELP)
    .action(async ({ fault, speed: typed, pause, loop }: Typed, command: Command) => {
      const terminal = invoked(command);
      const leaving = new AbortController();
      terminal.onHangup(() => leaving.abort(new Error('The terminal was closed')));
      // It is no part of the program: it lies beside it, and plays with it.
      const { demo } = await import('../../../test/lab/demo.ts');
      const options = { faults: fault ?? [], speed: pause ? typed : null, isEndless: loop === true };
      const signal = AbortSignal.any([terminal.signal, leaving.signal]);
      finish(await demo(options, { ...terminal, main: process.argv[1] ?? '', signal }));
    });
}

function speed(text: string): number {
  const value = Number(text);
  if (!(value >= 0.1 && value <= 100)) throw new InvalidArgumentError('Expected a number from 0.1 to 100.');
  return value;
}

const HELP = `
It needs nothing but 127.0.0.1: no root, no network, no FortiAuthenticator. The site is simulated;
the daemon is the real one, and its status page works while the demo runs. After each fault the
demo shows what was found, the evidence, the remedy and the alert, and then repairs the fault. It
takes about a minute, ends on its own, and leaves nothing behind.

Faults:
  inspection         the firewall inspects TLS to the licence server with its own certificate
  dns                a DNS filter answers with its own address
  license            after a migration the licence is still registered to the former HA peer
  license-elsewhere  the licence is registered to a unit that does not belong to the site
  block-page         a web filter answers with a block page
  reset              intrusion prevention resets every TLS session
  egress             a firewall policy refuses the connection
  mail               the mail server rejects the recipients of activation codes

Examples:
  ftm-watch demo                        the first three
  ftm-watch demo --fault egress mail    two others
  ftm-watch demo --loop --speed 0.3     slowly and without end, to show it to others
`;
