import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { freePort } from '../../support/network/free-port.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { acceptsAt, startProgram, type StartedProgram } from '../../support/process/start-program.ts';
import { folderOfAllTests } from '../../support/process/test-folder.ts';

const folder = folderOfAllTests();
const MODULES = '/usr/share/icingaweb2/modules';

/** @throws {Error} with its output if the program fails */
function run(program: string, args: readonly string[], input = ''): string {
  const env = { ...process.env, ICINGAWEB_CONFIGDIR: folder.at('web') };
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', input, env });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

/** A MariaDB on loopback with an empty database `director`. */
async function startDatabase(port: number): Promise<StartedProgram> {
  const data = folder.at('data');
  const common = ['--no-defaults', `--datadir=${data}`, '--user=root'];
  run('mariadb-install-db', [...common, '--basedir=/usr', '--skip-test-db', '--skip-name-resolve']);
  const socket = folder.at('socket');
  const started = await startProgram(() => ({
    command: ['mariadbd', ...common, `--socket=${socket}`, '--bind-address=127.0.0.1', `--port=${String(port)}`],
    readyWhen: acceptsAt(port),
  }));
  const statements = [
    'CREATE DATABASE director CHARACTER SET utf8mb4',
    "CREATE USER director@'%' IDENTIFIED BY 'secret'",
    "GRANT ALL ON director.* TO director@'%'",
  ];
  run('mariadb', ['--no-defaults', `--socket=${socket}`, '--user=root', `--execute=${statements.join(';')}`]);
  return started;
}

function configureDirector(port: number): void {
  for (const path of ['modules/director', 'enabledModules']) mkdirSync(folder.at('web', path), { recursive: true });
  for (const name of ['director', 'incubator', 'reactbundle'])
    symlinkSync(`${MODULES}/${name}`, folder.at('web', 'enabledModules', name));
  writeFileSync(folder.at('web', 'config.ini'), `[global]\nmodule_path = "${MODULES}"\nconfig_backend = "ini"\n`);
  writeFileSync(folder.at('web', 'modules/director/config.ini'), '[db]\nresource = "director"\n');
  writeFileSync(
    folder.at('web', 'resources.ini'),
    `[director]\ntype = "db"\ndb = "mysql"\nhost = "127.0.0.1"\nport = "${String(port)}"\n` +
      'dbname = "director"\nusername = "director"\npassword = "secret"\ncharset = "utf8mb4"\n',
  );
}

const NEEDS = ['icingacli', 'mariadbd', 'mariadb', 'icinga2'].map((program) => ({ program }));

describeWhere([...NEEDS, 'root'], 'Icinga Director', () => {
  it('restores the basket, again without a change, and Icinga takes what it renders', {
    timeout: 120_000,
  }, async () => {
    const port = await freePort();
    await using _ = await startDatabase(port);
    configureDirector(port);
    run('icingacli', ['director', 'migration', 'run']);
    const basket = readFileSync('deploy/icinga/ftm-watch-director.json', 'utf8');
    const restored = [1, 2].map(() => {
      run('icingacli', ['director', 'basket', 'restore'], basket);
      return [
        run('icingacli', ['director', 'command', 'show', 'ftm-watch']),
        run('icingacli', ['director', 'service', 'show', 'ftm-activation']),
      ].join('\n');
    });
    expect(restored[1]).toBe(restored[0]);
    const config = folder.at('icinga2.conf');
    writeFileSync(
      config,
      `include <itl>
       ${restored[0] ?? ''}
       object CheckerComponent "checker" { }
       object Host "monitor" { check_command = "dummy" }
       object Service "activation" { import "ftm-activation"; host_name = "monitor" }`,
    );
    const places = ['DataDir', 'CacheDir', 'InitRunDir', 'LogDir'].flatMap((name) => ['-D', `${name}=${folder.path}`]);
    const asRoot = ['-D', 'RunAsUser=root', '-D', 'RunAsGroup=root'];
    expect(run('icinga2', ['daemon', '-C', '-c', config, ...places, ...asRoot])).toContain('Instantiated 1 Service.');
  });
});
