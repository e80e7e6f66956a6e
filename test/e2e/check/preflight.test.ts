import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { DiagnosisJson } from '../../../src/checks/diagnosis-json.ts';
import { createLab } from '../../../src/demo/lab/lab.ts';
import { LICENSE, SERIALS } from '../../../src/demo/lab/site.ts';
import { runHere } from '../../support/process/command-line.ts';
import type { Run } from '../../support/process/ftm-watch.ts';

const NEW_SERIAL = 'FAC-VM0000000077';
const NEW_ADDRESS = '10.0.0.6';

const lab = await createLab();
afterAll(() => lab[Symbol.asyncDispose]());

function preflight(...more: readonly string[]): Promise<Run> {
  return runHere(['preflight', 'migration', ...more, '-c', lab.configFile], { cwd: lab.folder });
}

test('a unit is replaced: the plan, the ticket, the policy of the new address, and the comparison afterwards', async () => {
  const before = lab.firewallApi.requests.length;
  const asked = await preflight(
    '--new-serial',
    NEW_SERIAL,
    '--new-address',
    NEW_ADDRESS,
    '-o',
    'snapshot.json',
    '--force',
  );
  expect(asked.stderr).toContain(`ftm-watch preflight migration -c ${lab.configFile} --verify `);
  for (const known of ['fac-1', '8.0.3', LICENSE, SERIALS.unit, NEW_SERIAL, NEW_ADDRESS, '2 users', '32 tokens'])
    expect(asked.stdout.replaceAll(/\s+/gu, ' ')).toContain(known);
  expect(asked.exitCode).toBe(1);
  const paths = lab.firewallApi.requests.slice(before).map(({ path }) => path);
  expect(paths.join('\n')).toContain(NEW_ADDRESS);

  const same = await preflight('--verify', 'snapshot.json');
  expect(changesOf(await preflight('--verify', 'snapshot.json', '--json'))).toContainEqual({
    kind: 'to-do',
    what: expect.stringMatching(new RegExp(`^${LICENSE}.*${SERIALS.unit}.*${NEW_SERIAL}`, 'u')),
  });
  // The unit with the old serial number still responds.
  expect(same.exitCode).toBe(2);

  lab.appliance.state.serial = NEW_SERIAL;
  lab.register(NEW_SERIAL);
  const moved = await preflight('--verify', 'snapshot.json', '--json');
  const changes = changesOf(moved);
  for (const known of [SERIALS.unit, LICENSE])
    expect(changes).toContainEqual({ kind: 'as-planned', what: expect.stringContaining(known) });
});

function changesOf({ stdout }: Run): readonly { readonly kind: string; readonly what: string }[] {
  const { changes } = JSON.parse(stdout) as {
    readonly changes: readonly { readonly kind: string; readonly what: string }[];
  };
  return changes.map(({ kind, what }) => ({ kind, what }));
}

test('--users lists who needs a new token, on the terminal alone', async () => {
  const { state } = lab.appliance;
  state.serial = SERIALS.unit;
  lab.register(SERIALS.unit);
  state.maxPage = 2;
  const user = (username: string, token: number, type = 'ftm'): Readonly<Record<string, unknown>> => ({
    username,
    token_auth: true,
    token_type: type,
    token_serial: `FTKMOB${token.toString(16).toUpperCase().padStart(10, '0')}`,
  });
  state.tokens = [
    { count: 6, status: 'assigned', license: LICENSE },
    { count: 2, status: 'assigned', license: 'EFTM000000000002' },
  ];
  state.users = {
    localusers: [user('zoe', 3), user('mail-only', 4, 'email'), user('adam', 5)],
    ldapusers: [user('of-other-licence', 6), user('eve\u202E', 2)],
    radiususers: [],
  };
  lab.appliance.setFault({ kind: 'status', status: 403 }, 'radiususers');

  const part = ['--new-serial', NEW_SERIAL, '--license', LICENSE, '--users', '-o', 'users.json', '--force'];
  const asked = await preflight(...part);
  expect(asked.stdout).toContain('"radiususers"');
  expect(asked.stdout.replaceAll(/\s+/gu, ' ').match(/\S+ \(\w+, FTKMOB\w+\)/gu)).toEqual([
    'adam (local, FTKMOB0000000005)',
    'eve\\u{202E} (LDAP, FTKMOB0000000002)',
    'zoe (local, FTKMOB0000000003)',
  ]);
  expect(await readFile(join(lab.folder, 'users.json'), 'utf8')).not.toContain('adam');

  const whole = await preflight('--new-serial', NEW_SERIAL, '--users', '-o', 'users.json', '--force', '--json');
  const { users } = JSON.parse(whole.stdout) as {
    readonly users: { readonly users: readonly { readonly name: string }[] };
  };
  expect(users.users.map(({ name }) => name)).toEqual(['adam', 'eve\u202E', 'of-other-licence', 'zoe']);
  const stays = await preflight('--users', '-o', 'users.json', '--force');
  expect(stays.stdout).not.toContain('FTKMOB');
});

test('the login of the unit at Exchange Online is a warning in check and a note in the plan', async () => {
  const { state } = lab.appliance;
  const [before] = state.smtpServers;
  state.smtpServers = [{ ...before, address: 'smtp.office365.com', port: 587, authentication: true }];
  const { stdout } = await runHere(['check', '--json', '-c', lab.configFile], { cwd: lab.folder });
  const { preconditions, causes } = JSON.parse(stdout) as DiagnosisJson;
  expect(preconditions.find(({ id }) => id === 'mail')?.state).toBe('warning');
  const retiring = causes.find(({ id }) => id === 'mail-login-retiring');
  expect(retiring).toMatchObject({ severity: 'warning', confidence: 'confirmed', subject: 'smtp.office365.com' });
  expect(retiring?.evidence.join()).toContain('fac-1');

  const args = ['-o', 'mail.json', '--force', '--json'];
  const planned = JSON.parse((await preflight(...args)).stdout) as { readonly notes: readonly string[] };
  expect(planned.notes.join()).toContain(retiring?.summary);
  state.smtpServers = [{ ...before, address: 'smtp.office365.com', port: 587, authentication: false }];
  const without = JSON.parse((await preflight(...args)).stdout) as { readonly notes: readonly string[] };
  expect(without.notes.join()).not.toContain('smtp.office365.com');
});

test('what is typed wrongly is said with what to do, and nothing is written over', async () => {
  const unknown = await preflight('--unit', 'fac-9');
  expect([unknown.exitCode, namesIn(unknown.stderr)]).toEqual([3, ['fac-9', 'fac-1']]);
  const several = join(lab.folder, 'several.yaml');
  const configured = JSON.parse(await readFile(lab.configFile, 'utf8')) as { readonly appliances: readonly object[] };
  const appliances = [...configured.appliances, { name: 'fac-2' }];
  await writeFile(several, JSON.stringify({ ...configured, appliances }));
  const both = await runHere(['preflight', 'migration', '-c', several], { cwd: lab.folder });
  expect([both.exitCode, namesIn(both.stderr)]).toEqual([3, ['--unit', 'fac-1', 'fac-2']]);
  const address = await preflight('--new-address', 'there');
  expect(namesIn(address.stderr)).toContain('--new-address');
  const kept = await readFile(join(lab.folder, 'snapshot.json'), 'utf8');
  const again = await preflight('-o', 'snapshot.json');
  expect(namesIn(again.stderr)).toContain('--force');
  expect(await readFile(join(lab.folder, 'snapshot.json'), 'utf8')).toBe(kept);
  const missing = await preflight('--verify', 'nowhere.json');
  expect([missing.exitCode, missing.stderr]).toEqual([3, expect.stringContaining('nowhere.json')]);
});

/** Returns the options and units that a message names. */
function namesIn(message: string): readonly string[] {
  return message.match(/--[a-z-]+|fac-\d/gu) ?? [];
}
