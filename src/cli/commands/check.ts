import { type Command, InvalidArgumentError, Option } from 'commander';

import type { Millis } from '../../core/clock.ts';
import { parseDuration } from '../../core/duration.ts';
import { type Finish, type Invoked, withConfig } from './command.ts';

interface CheckOptions {
  readonly json?: boolean;
  readonly steps?: boolean;
  readonly nagios?: boolean;
  readonly verify?: string;
  readonly timeout?: Millis;
  readonly maxAge: Millis;
}

const TIMEOUT: Millis = 10_000;

/** Nagios and Icinga end a plugin after 60 s by default, and a round of its own takes half of it at the longest. */
const NAGIOS_TIMEOUT: Millis = 50_000;

export function addCheck(program: Command, invoked: Invoked, finish: Finish): void {
  const plugin = 'one line for Nagios or Icinga: what the daemon knows, or where none runs a round of its own';
  withConfig(program.command('check'))
    .description('one round of everything: checklist, root cause, remedy')
    .option('--json', 'one JSON object on standard output and nothing else')
    .option('--steps', 'also the steps of an activation, in the order in which FortiAuthenticator takes them')
    .addOption(new Option('--nagios', plugin).conflicts(['json', 'steps', 'verify']))
    .addOption(new Option('--verify <incident>', 'whether the repair of an incident is in force').conflicts('steps'))
    .option('-t, --timeout <seconds>', 'what is not seen by then is unknown (default: 10, with --nagios 50)', seconds)
    .addOption(
      new Option('--max-age <duration>', "with --nagios: unknown when the daemon's last round is older")
        .argParser(age)
        .default(age('15m'), '15m'),
    )
    .addHelpText('after', HELP)
    .action(async ({ json, steps, nagios, verify, timeout, maxAge }: CheckOptions, command: Command) => {
      if (nagios === true) {
        const { checkNagios } = await import('../check-nagios.ts');
        finish(await checkNagios({ timeout: timeout ?? NAGIOS_TIMEOUT, longest: maxAge }, invoked(command)));
        return;
      }
      if (verify !== undefined) {
        const { verifyRepair } = await import('../verify-repair.ts');
        const wish = { incident: verify, json: json === true, timeout: timeout ?? null };
        finish(await verifyRepair(wish, invoked(command)));
        return;
      }
      const { check } = await import('../check.ts');
      const form = { json: json === true, steps: steps === true, timeout: timeout ?? TIMEOUT };
      finish(await check(form, invoked(command)));
    });
}

function seconds(typed: string): Millis {
  if (!/^[1-9]\d{0,3}$/u.test(typed)) throw new InvalidArgumentError('Expected whole seconds such as 50.');
  return Number(typed) * 1000;
}

function age(typed: string): Millis {
  const parsed = parseDuration(typed);
  if (parsed === null) throw new InvalidArgumentError('Expected a duration such as "15m".');
  return parsed;
}

const HELP = `
Examples:
  ftm-watch check --json | jq .causes
  ftm-watch check --nagios -t 30           FTM OK: … | causes_critical=0;;0;0 …
  ftm-watch check --verify 20261124T130005Z-k3v9x2-1   is its repair in force?
`;
