import { Command } from 'commander';
import type { Invocation } from './terminal.ts';

type ExitCode = number | Promise<number>;

export type CarryOut = (command: Command, work: (invocation: Invocation) => ExitCode) => Promise<void>;

type ExitCodes = Readonly<Record<number, string>>;

/** Nagios plugins use the same code for the state "unknown". */
export const EXIT_UNKNOWN = 3;

const HELP_WIDTH = 80;

/** Each command's code is loaded only when the command runs, because `check` runs often and must start quickly. */
export class LazyCommand extends Command {
  /** Exit code 3 also indicates invalid arguments or an invalid configuration. Empty for a group of commands. */
  exitCodes: ExitCodes = {};
  readonly #carryOut: CarryOut;

  constructor(name: string | undefined, carryOut: CarryOut) {
    super(name);
    this.#carryOut = carryOut;
  }

  /** Commander uses this method to create subcommands. */
  override createCommand(name?: string): LazyCommand {
    return new LazyCommand(name, this.#carryOut);
  }

  /** Adds a command that reads the configuration. It has the option too, because people often type it at the end. */
  configured(name: string, description: string): LazyCommand {
    return this.command(name).description(description).option('-c, --config <file>', 'configuration file');
  }

  exits(codes: ExitCodes): this {
    this.exitCodes = codes;
    const help = this.createHelp();
    help.prepareContext({ helpWidth: HELP_WIDTH });
    const lines = Object.entries(codes).map(([code, meaning]) => help.formatItem(code, 3, meaning, help));
    return this.addHelpText('after', ['', 'Exit codes:', ...lines].join('\n'));
  }

  /** `work` receives the typed arguments, followed by the options. */
  runs<Typed extends readonly unknown[]>(work: (invocation: Invocation, ...typed: Typed) => ExitCode): this {
    return this.action((...typed: Typed) => this.#carryOut(this, (invocation) => work(invocation, ...typed)));
  }
}
