import { Option } from 'commander';
import type { Millis } from '../core/clock.ts';
import { parseDuration } from '../core/time-text.ts';
import { given } from './given.ts';
import type { LazyCommand } from './lazy-command.ts';
import type { Invocation } from './terminal.ts';

interface CheckOptions {
  readonly json?: boolean;
  readonly all?: boolean;
  readonly steps?: boolean;
  readonly roots?: boolean;
  readonly outside?: boolean;
  readonly nagios?: boolean;
  readonly prtg?: boolean;
  readonly checkmk?: boolean;
  readonly piggyback?: boolean;
  readonly verify?: string;
  readonly timeout?: Millis;
  readonly maxAge: Millis;
}

const TIMEOUT: Millis = 10_000;
const MAX_AGE: Millis = 900_000;

/** By default, Nagios, Icinga and PRTG stop waiting after 60 s. Checkmk's agent lets a cached check run longer. */
const PLUGIN_TIMEOUT: Millis = 50_000;

export function addCheck(program: LazyCommand): void {
  const others = ['json', 'all', 'steps', 'roots', 'outside', 'verify'];
  program
    .configured('check', 'run all checks once and print the checklist, root causes and remedies')
    .option('--json', 'print only a JSON object')
    .option('--all', 'also list each check that is OK or not configured')
    .option('--steps', 'also print the steps of an activation, in the order in which FortiAuthenticator performs them')
    .option('--outside', 'also ask probes in other networks, if "outside" is configured (takes up to 45 s)')
    .option('--roots', 'also print the root certificates that FortiAuthenticator needs for its mail servers (PEM)')
    .addOption(new Option('--nagios', 'print one line for Nagios or Icinga').conflicts(others))
    .addOption(new Option('--prtg', 'print the JSON of a PRTG sensor').conflicts([...others, 'nagios']))
    .addOption(new Option('--checkmk', 'print a local check for Checkmk').conflicts([...others, 'nagios', 'prtg']))
    .addOption(
      new Option('--piggyback', 'as --checkmk, but print the lines about each unit for the host that has its name')
        .implies({ checkmk: true })
        .conflicts([...others, 'nagios', 'prtg']),
    )
    .addOption(
      new Option('--verify <incident>', 'check whether the repair of an incident is active').conflicts([
        'all',
        'steps',
        'roots',
        'outside',
      ]),
    )
    .option(
      '-t, --timeout <seconds>',
      'time after which unfinished checks are reported as unknown (default: 10, for a monitoring system 50)',
      given(
        (text) => (/^[1-9]\d{0,3}$/u.test(text) ? Number(text) * 1000 : null),
        'a whole number of seconds, such as 50',
      ),
    )
    .addOption(
      new Option(
        '--max-age <duration>',
        "for a monitoring system: report unknown if the daemon's last check is older than this",
      )
        .argParser(given(parseDuration, 'a duration such as "15m"'))
        .default(MAX_AGE, '15m'),
    )
    .addHelpText('after', CHECK_HELP)
    .exits({
      0: 'ready; --checkmk and --prtg: always; --verify: the repair is active',
      1: 'warnings, or ready while the running daemon has an open incident',
      2:
        'not ready, according to this check or to an open incident that a single check cannot detect; --verify: ' +
        'not active',
      3: 'unknown; --verify: could not be determined',
    })
    .runs(runCheck);
}

async function runCheck(invocation: Invocation, options: CheckOptions): Promise<number> {
  const { json = false, all = false, steps = false, roots = false, outside = false, verify, timeout } = options;
  if (verify !== undefined) {
    const { verifyRepair } = await import('./verify-repair.ts');
    return verifyRepair({ incident: verify, json, timeout: timeout ?? null }, invocation);
  }
  const { check, checkCheckmk, checkNagios, checkPrtg } = await import('./check.ts');
  const limits = { timeout: timeout ?? PLUGIN_TIMEOUT, longest: options.maxAge };
  if (options.checkmk === true) return checkCheckmk(limits, options.piggyback === true, invocation);
  if (options.prtg === true) return checkPrtg(limits, invocation);
  if (options.nagios === true) return checkNagios(limits, invocation);
  return check({ json, all, steps, roots, outside, timeout: timeout ?? TIMEOUT }, invocation);
}

const CHECK_HELP = `
For a monitoring system (--nagios, --prtg, --checkmk, --piggyback), the results
are those of the running daemon. If no daemon is running, new checks are run.

Examples:
  ftm-watch check --json | jq .causes
  ftm-watch check --nagios -t 30           FTM OK: … | causes_critical=0;;0;0 …
  ftm-watch check --checkmk                2 "FTM Genuine TLS" - …
  ftm-watch check --verify 20261124T130005Z-k3v9x2-1   check whether the repair is active
`;
