import { type Command, InvalidArgumentError } from 'commander';
import { isIP } from 'node:net';

import { firmwareVersion } from '../../core/license/activation-context.ts';
import { type Finish, type Invoked, withConfig } from './command.ts';

interface Typed {
  readonly unit?: string;
  readonly newSerial?: string;
  readonly newAddress?: string;
  readonly newFirmware?: string;
  readonly license?: readonly string[];
  readonly output?: string;
  readonly users?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
  readonly verify?: string;
}

export function addPreflight(program: Command, invoked: Invoked, finish: Finish): void {
  const group = program.command('preflight').description('before a change: what it takes, and what will be lost');
  withConfig(group.command('migration'))
    .description('before a unit is replaced, moved or upgraded, or a licence is transferred; writes a snapshot')
    .option('--unit <name>', 'the appliance, by its name in the configuration; needed when it has several')
    .option('--new-serial <serial>', 'the serial number that it will have, or that the licences move to')
    .option('--new-address <address>', 'the address that its traffic will come from', ipAddress)
    .option('--new-firmware <version>', 'the firmware that it will have', version)
    .option('--license <number...>', 'only these licences move to --new-serial; the unit stays')
    .option('-o, --output <path>', 'where the snapshot goes: a file or a directory, - for standard output alone')
    .option('--users', 'also list the users who need a new token; the API account must be allowed to view users')
    .option('--force', 'replace a snapshot that is there')
    .option('--json', 'one JSON object on standard output and nothing else')
    .option('--verify <snapshot>', 'afterwards: what changed since the snapshot, and what that means')
    .addHelpText('after', HELP)
    .action(async (typed: Typed, command: Command) => {
      const { preflight, verifyMigration } = await import('../preflight.ts');
      const json = typed.json === true;
      if (typed.verify !== undefined) return finish(await verifyMigration(typed.verify, json, invoked(command)));
      const migration = {
        serial: typed.newSerial?.toUpperCase() ?? null,
        address: typed.newAddress ?? null,
        firmware: typed.newFirmware ?? null,
        licenses: (typed.license ?? []).map((number) => number.toUpperCase()),
      };
      const { unit, output, users, force } = typed;
      finish(
        await preflight(
          { unit, migration, output, users: users === true, force: force === true, json },
          invoked(command),
        ),
      );
    });
}

function ipAddress(text: string): string {
  if (isIP(text) === 0) throw new InvalidArgumentError('Expected an IP address.');
  return text;
}

function version(text: string): string {
  const read = firmwareVersion(text);
  if (read === null) throw new InvalidArgumentError('Expected a version, as 8.0.3.');
  return read.join('.');
}

const HELP = `
Examples:
  ftm-watch preflight migration --new-serial FACVM0000000002     the unit is replaced by another one
  ftm-watch preflight migration --new-address 10.0.0.6           it moves: its policy is looked up for the new address
  ftm-watch preflight migration --new-firmware 8.0.3             it is upgraded
  ftm-watch preflight migration --unit fac-2 --new-firmware 8.0.3   of several units, this one
  ftm-watch preflight migration --new-serial FACVM0000000002 --license EFTM000000000001
  ftm-watch preflight migration --verify ftm-watch-migration-fac-1-….json

Nothing is changed anywhere: it only looks.
`;
