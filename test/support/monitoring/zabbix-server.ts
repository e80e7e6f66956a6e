import { execFile } from 'node:child_process';
import { chownSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort, takenPort } from '../network/free-port.ts';
import { acceptsAt, servesAt, startProgram } from '../process/start-program.ts';

const run = promisify(execFile);

/** Debian's Zabbix server with its web interface and database on loopback, as installed. Requires root. */
export interface ZabbixServer extends AsyncDisposable {
  /** URL of the API. */
  readonly url: string;
  /** Calls a method of the API as the administrator. @throws {Error} with Zabbix's reason if it refuses */
  call(method: string, params: object): Promise<unknown>;
}

/** Debian packages that contain the programs: zabbix-server-pgsql, zabbix-frontend-php, php-cli, php-pgsql. */
export const ZABBIX_PROGRAMS = ['zabbix_server', 'php', 'unshare'];

const SCHEMA = '/usr/share/zabbix-server-pgsql';
const WEB = '/usr/share/zabbix';
const POSTGRESQL = '/usr/lib/postgresql';

export async function startZabbix(): Promise<ZabbixServer> {
  await using stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'ftm-watch-zabbix-'));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const database = stack.use(await startDatabase(folder));
  const [port, webPort] = [await freeLowPort(), await freePort()];
  stack.use(
    await startProgram((own) => ({
      command: ['zabbix_server', '--foreground', '--config', join(own, 'server.conf')],
      config: { 'server.conf': serverConfig({ folder: own, socket: database.socket, port }) },
      readyWhen: acceptsAt(port),
      // It ends its processes.
      stop: 'SIGTERM',
    })),
  );
  const web = `http://127.0.0.1:${String(webPort)}`;
  stack.use(
    await startProgram((own) => ({
      // Debian's web interface reads its configuration in /etc.
      command: [
        ...words('unshare --mount sh -ec'),
        `mount --bind "$0" /etc/zabbix && exec php "$@"`,
        own,
        ...words('-d memory_limit=512M -d post_max_size=32M -d max_execution_time=300 -S'),
        new URL(web).host,
        ...words(`-t ${WEB}`),
      ],
      config: { 'zabbix.conf.php': webConfig(database.socket, port) },
      readyWhen: servesAt(`${web}/`),
    })),
  );
  const url = `${web}/api_jsonrpc.php`;
  const session = String(await callApi(url, null, 'user.login', { username: 'Admin', password: 'zabbix' }));
  const owned = stack.move();
  return {
    url,
    call: (method, params) => callApi(url, session, method, params),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The server accepts no higher port than 32767, and the operating system assigns only higher ones. */
async function freeLowPort(): Promise<number> {
  for (let port = 20_000 + (process.pid % 10_000); ; port += 1)
    try {
      await using free = await takenPort(port);
      return Number(new URL(`http://${free.listen}`).port);
    } catch (error) {
      if (port === 32_767) throw error;
    }
}

interface Database extends AsyncDisposable {
  /** Folder of its socket. */
  readonly socket: string;
}

/** PostgreSQL with the tables of Zabbix. It does not run as root. */
async function startDatabase(folder: string): Promise<Database> {
  const version =
    readdirSync(POSTGRESQL)
      .toSorted((a, b) => Number(a) - Number(b))
      .at(-1) ?? '';
  const bin = join(POSTGRESQL, version, 'bin');
  const { stdout } = await run('id', ['--user', 'postgres']);
  chownSync(folder, Number(stdout), -1);
  const asPostgres = words('setpriv --reuid=postgres --regid=postgres --clear-groups');
  const data = join(folder, 'data');
  await run('env', [
    ...asPostgres,
    join(bin, 'initdb'),
    `--pgdata=${data}`,
    ...words('--username=zabbix --auth=trust --no-sync --encoding=UTF8 --locale=C.UTF-8'),
  ]);
  const program = await startProgram(() => ({
    command: [
      ...asPostgres,
      join(bin, 'postgres'),
      '-D',
      data,
      '-k',
      folder,
      ...words('-c listen_addresses= -c fsync=off -c synchronous_commit=off -c full_page_writes=off'),
    ],
    readyWhen: () =>
      run(join(bin, 'pg_isready'), ['--host', folder]).then(
        () => true,
        () => false,
      ),
    stop: 'SIGQUIT',
  }));
  const psql = `psql --quiet --set=ON_ERROR_STOP=1 --host='${folder}' --username=zabbix`;
  const tables = ['schema', 'images', 'data'].map((name) => `${SCHEMA}/${name}.sql.gz`).join(' ');
  await run('sh', [
    '-ec',
    `${psql} --dbname=postgres --command='CREATE DATABASE zabbix'; zcat ${tables} | ${psql} --dbname=zabbix >/dev/null`,
  ]);
  return { socket: folder, [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() };
}

function words(text: string): readonly string[] {
  return text.split(' ');
}

interface ServerPlace {
  readonly folder: string;
  readonly socket: string;
  readonly port: number;
}

/** Changes of the configuration count after a second instead of ten. Few processes are started. */
function serverConfig({ folder, socket, port }: ServerPlace): string {
  const few = ['Pollers', 'HTTPAgentPollers', 'AgentPollers', 'SNMPPollers', 'Preprocessors', 'LLDProcessors'];
  return [
    `DBHost=${socket}`,
    'DBName=zabbix',
    'DBUser=zabbix',
    'ListenIP=127.0.0.1',
    `ListenPort=${String(port)}`,
    'LogType=console',
    `PidFile=${join(folder, 'server.pid')}`,
    `SocketDir=${folder}`,
    'AllowRoot=1',
    'CacheUpdateFrequency=1',
    ...few.map((kind) => `Start${kind}=1`),
    '',
  ].join('\n');
}

function webConfig(socket: string, port: number): string {
  return `<?php
$DB = ['TYPE' => 'POSTGRESQL', 'SERVER' => '${socket}', 'PORT' => '0', 'DATABASE' => 'zabbix', 'USER' => 'zabbix',
  'PASSWORD' => '', 'SCHEMA' => '', 'ENCRYPTION' => false, 'KEY_FILE' => '', 'CERT_FILE' => '', 'CA_FILE' => '',
  'VERIFY_HOST' => false, 'CIPHER_LIST' => ''];
$ZBX_SERVER = '127.0.0.1';
$ZBX_SERVER_PORT = '${String(port)}';
$ZBX_SERVER_NAME = '';
$IMAGE_FORMAT_DEFAULT = IMAGE_FORMAT_PNG;
`;
}

async function callApi(url: string, session: string | null, method: string, params: object): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json-rpc',
      Connection: 'close',
      ...(session === null ? {} : { Authorization: `Bearer ${session}` }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', method, params, id: 1 }),
  });
  const { result, error } = (await response.json()) as { result?: unknown; error?: unknown };
  if (error !== undefined) throw new Error(`Zabbix refuses ${method}: ${JSON.stringify(error)}`);
  return result;
}
