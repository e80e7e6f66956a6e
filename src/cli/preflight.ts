import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Config } from '../config/config.ts';
import { askedFor } from '../core/firewall.ts';
import { counted, nameList } from '../core/visible-text.ts';
import {
  changesSince,
  type Migration,
  parseSnapshot,
  type Snapshot,
  snapshotOf,
  unitStateOf,
} from '../preflight/compare.ts';
import { planMigration, type MigrationPlan, changesText, planText, usersText } from '../preflight/preflight-text.ts';
import { fileName } from '../report/report-contents.ts';
import { readTokenUsers, type TokenUsers } from '../connectors/token-users.ts';
import { oneATurn } from '../system/clock.ts';
import { messageOf } from '../text/message-of.ts';
import { UNHEARD } from './check.ts';
import { examine, neededToExamine } from './examine.ts';
import { reportTarget, writeTo } from './report-file.ts';
import { configOf, type Invocation } from './terminal.ts';

export interface MigrationOptions {
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

const EXIT = { nothing: 0, something: 1, broken: 2 } as const;

export async function preflightMigration(options: MigrationOptions, terminal: Invocation): Promise<number> {
  const { verify } = options;
  const config = await configOf(terminal, neededToExamine);
  return verify === undefined ? prepare(options, config, terminal) : compare(verify, options, config, terminal);
}

async function prepare(
  { json = false, users: isWithUsers = false, output, force = false, ...typed }: MigrationOptions,
  config: Config,
  terminal: Invocation,
): Promise<number> {
  const migration = migrationOf(typed, config);
  const target = await reportTarget({ typed: output, cwd: terminal.cwd, force });
  if (isWithUsers && target.kind === 'output')
    throw new Error('Cannot list the users with "-o -", because only the snapshot is written to standard output');
  const { snapshot, plan } = await examineUnit(migration, config, terminal);
  const users = isWithUsers ? await usersOf(plan, migration.unit, config, terminal) : null;
  const name = `ftm-watch-migration-${fileName(migration.unit)}-${fileName(snapshot.at)}.json`;
  const bytes = Buffer.from(`${JSON.stringify(snapshot, null, 2)}\n`);
  const path = await writeTo(target, name, bytes, force, terminal.output);
  if (path !== null) {
    terminal.output.write(
      json
        ? `${JSON.stringify({ ...plan, ...(users === null ? {} : { users }), snapshot: path })}\n`
        : `${planText(snapshot.unit, plan, terminal.style)}${users === null ? '' : usersText(users, terminal.style)}`,
    );
    const option = terminal.path === undefined ? '' : ` -c ${terminal.path}`;
    terminal.errors.write(
      `Wrote ${path}. After the change, run: ftm-watch preflight migration${option} --verify ${path}\n`,
    );
  }
  return planExit(plan);
}

function migrationOf(typed: MigrationOptions, config: Config): Migration {
  return {
    unit: unitName(config, typed.unit),
    serial: typed.newSerial?.toUpperCase() ?? null,
    address: typed.newAddress ?? null,
    firmware: typed.newFirmware ?? null,
    licenses: (typed.license ?? []).map((number) => number.toUpperCase()),
  };
}

async function compare(
  path: string,
  { json = false }: MigrationOptions,
  config: Config,
  terminal: Invocation,
): Promise<number> {
  const before = await readSnapshot(resolve(terminal.cwd, path));
  const migration = { ...before.migration, unit: unitName(config, before.migration.unit), address: null };
  const { snapshot: after } = await examineUnit(migration, config, terminal);
  const changes = changesSince(before, after);
  terminal.output.write(
    json ? `${JSON.stringify({ since: before.at, changes })}\n` : changesText(changes, terminal.style),
  );
  if (changes.some(({ kind }) => kind === 'broken')) return EXIT.broken;
  return changes.some(({ kind }) => kind !== 'as-planned') ? EXIT.something : EXIT.nothing;
}

async function readSnapshot(path: string): Promise<Snapshot> {
  try {
    return parseSnapshot(await readFile(path, 'utf8'));
  } catch (error) {
    throw new Error(`Cannot read the snapshot "${path}": ${messageOf(error)}`, { cause: error });
  }
}

async function examineUnit(
  migration: Migration,
  config: Config,
  terminal: Invocation,
): Promise<{ readonly snapshot: Snapshot; readonly plan: MigrationPlan }> {
  const moved = withAddress(config, migration);
  const { diagnosis, picture } = await examine({ ...terminal, config: moved, log: UNHEARD });
  const seen = picture.appliances.find((unit) => unit.config.name === migration.unit);
  if (seen === undefined) throw new Error(`No data could be read from ${migration.unit}. Try again`);
  const unit = unitStateOf(seen, picture);
  return { snapshot: snapshotOf(migration, unit, diagnosis), plan: planMigration(migration, unit, diagnosis) };
}

/** The names are printed but never saved to a file. */
async function usersOf(
  { reissued }: MigrationPlan,
  unit: string,
  { appliances }: Config,
  { clock, env, signal }: Invocation,
): Promise<TokenUsers> {
  if (reissued === 'none') return { users: [], unread: [] };
  const api = appliances.find(({ name }) => name === unit)?.api ?? null;
  if (api === null) throw new Error(`Cannot list the users of ${unit}: "appliances[].api" is not configured for it`);
  try {
    return await readTokenUsers(api, reissued === 'all' ? null : reissued, { clock, env, signal, ownTurn: oneATurn() });
  } catch (error) {
    throw new Error(`Cannot list the users of ${unit}: ${messageOf(error)}`, { cause: error });
  }
}

/** Returns a configuration in which the firewall is queried about the appliance's future source address. */
function withAddress(config: Config, { unit, address }: Migration): Config {
  const entry = askedFor(config.firewall, unit);
  if (address === null || entry === null) return config;
  const firewall = config.firewall.map((one) =>
    one === entry ? { ...one, source: address, sourceInterface: null } : one,
  );
  return { ...config, firewall };
}

function unitName({ appliances }: Config, typed: string | undefined): string {
  const names = appliances.map(({ name }) => name);
  const [only] = names;
  if (only === undefined)
    throw new Error('No FortiAuthenticator is configured. Add one to "appliances" in the configuration');
  if (typed === undefined && names.length === 1) return only;
  if (typed !== undefined && names.includes(typed)) return typed;
  if (typed !== undefined)
    throw new Error(`There is no appliance "${typed}". The configured appliances are: ${nameList(names)}`);
  throw new Error(
    `${counted(names.length, 'FortiAuthenticator')} are configured. Use --unit to specify which unit will change: ` +
      `${nameList(names)}. If multiple units will change, run this command once for each of them.`,
  );
}

function planExit({ losses, steps, requirements }: MigrationPlan): number {
  if (requirements.some(({ answer }) => answer === 'fails')) return EXIT.broken;
  return losses.length > 0 || steps.length > 0 || requirements.some(({ answer }) => answer !== 'passes')
    ? EXIT.something
    : EXIT.nothing;
}
