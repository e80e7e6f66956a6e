import { spawn, execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { cleanEnvironment } from '../../support/process/clean-environment.ts';
import type { Need } from '../../support/process/privilege.ts';
import { createSandbox, type Sandbox } from '../../support/network/sandbox.ts';

const run = promisify(execFile);

/** The npm settings of this machine, for an npm elsewhere. */
interface NpmSettings {
  readonly registry: string;
  /** A file with the authorities of the registry's certificate; null: Node's default. */
  readonly cafile: string | null;
  /** The folder of npm's cache. */
  readonly cache: string;
}

async function npmSettings(): Promise<NpmSettings> {
  const { stdout } = await run('npm', ['config', 'get', 'registry', 'cafile', 'cache'], { env: cleanEnvironment() });
  const setting = (name: string): string => new RegExp(`^${name}=(.*)$`, 'mu').exec(stdout)?.[1] ?? '';
  const cafile = setting('cafile');
  return {
    registry: setting('registry'),
    cafile: cafile === 'null' || cafile === '' ? null : cafile,
    cache: setting('cache'),
  };
}

/** Requirements of the containers. */
export const CONTAINERS: readonly Need[] = [
  'root',
  'network-namespaces',
  { program: 'podman' },
  { program: 'runc' },
  { program: 'nft' },
  { program: 'debootstrap' },
];

/** Response of a web server in the containers' network; 0: there is none. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

/**
 * Podman with separate images, containers, volumes and networks, which are removed with it. Its network has only
 * loopback: a published port is reachable there, and nothing leaves the machine. Only builds use the machine's
 * network.
 */
export interface ContainerEngine extends AsyncDisposable {
  /** A folder for files to be mounted into containers. */
  readonly folder: string;
  /**
   * Runs shell commands in the folder of this project and returns their output. "docker" is podman there.
   * @throws {Error} with all output if a command fails
   */
  sh(commands: string): Promise<string>;
  get(url: string): Promise<Answer>;
}

const ASK = `fetch(process.argv[1]).then(
  async (response) => JSON.stringify({ status: response.status, body: await response.text() }),
  () => JSON.stringify({ status: 0, body: '' }),
).then((answer) => process.stdout.write(answer))`;

/** Hides the files that podman keeps outside its storage, for all commands in here. */
const HIDE = [
  '/run/containers',
  '/run/netns',
  '/run/lock',
  '/run/runc',
  '/var/lib/containers',
  '/var/cache',
  '/var/tmp',
]
  .map((path) => `mkdir -p ${path} && mount -t tmpfs tmpfs ${path}`)
  .join('\n');

/**
 * If this machine is itself a container with control groups v2, memory limits are passed down only if there are no
 * processes in the top group. Docker in Docker does the same.
 */
const HAND_DOWN = `cd /sys/fs/cgroup
if [ -e cgroup.type ] && ! grep --quiet memory cgroup.subtree_control; then
  mkdir -p init
  for pid in $(cat cgroup.procs); do echo "$pid" >init/cgroup.procs || true; done
  sed 's/^/+/; s/ / +/g' cgroup.controllers >cgroup.subtree_control
fi`;

export async function createContainerEngine(): Promise<ContainerEngine> {
  await using stack = new AsyncDisposableStack();
  const base = mkdtempSync(join(tmpdir(), 'ftm-watch-containers-'));
  stack.defer(() => rmSync(base, { recursive: true, force: true }));
  const folder = join(base, 'files');
  mkdirSync(folder);
  const sandbox = stack.use(await createSandbox());
  // The storage is in memory, so that a killed test leaves nothing behind, and layers work on any file system.
  sandbox.sh(`${HAND_DOWN}\n${HIDE}\nmkdir ${base}/storage && mount -t tmpfs tmpfs ${base}/storage`);
  const env = { ...cleanEnvironment(), ...settingsIn(base) };
  const sh = (commands: string): Promise<string> => enter(sandbox, ['sh', '-ec', commands], env);
  await writeDocker(join(base, 'bin'));
  stack.defer(() =>
    sh('podman pod rm --all --force --time=0 && podman rm --all --force --time=0').then(() => undefined),
  );
  const owned = stack.move();
  return {
    folder,
    sh,
    get: async (url) => JSON.parse(await enter(sandbox, [process.execPath, '--eval', ASK, url], env)) as Answer,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/**
 * Returns the environment that makes podman and its callers use a storage below a folder, and writes the files for
 * it.
 */
function settingsIn(base: string): Readonly<Record<string, string>> {
  const [storage, containers] = [join(base, 'storage.conf'), join(base, 'containers.conf')];
  writeFileSync(storage, `[storage]\ndriver = "overlay"\ngraphroot = "${base}/storage"\nrunroot = "${base}/run"\n`);
  // crun refuses control groups v1 and v2 side by side, runc does not. There is no systemd to ask.
  const engine = { runtime: 'runc', cgroup_manager: 'cgroupfs', events_logger: 'file' };
  const folders = { tmp_dir: 'tmp', static_dir: 'static', volume_path: 'volumes' };
  const lines = [
    `[containers]\ndefault_ulimits = ${JSON.stringify(ownLimits())}`,
    `[network]\nnetwork_config_dir = "${base}/networks"`,
    '[engine]',
    ...Object.entries(engine).map(([key, value]) => `${key} = "${value}"`),
    ...Object.entries(folders).map(([key, name]) => `${key} = "${base}/${name}"`),
  ];
  writeFileSync(containers, `${lines.join('\n')}\n`);
  return {
    PATH: [join(base, 'bin'), cleanEnvironment()['PATH']].join(delimiter),
    CONTAINERS_STORAGE_CONF: storage,
    CONTAINERS_CONF: containers,
    PODMAN_IGNORE_CGROUPSV1_WARNING: '1',
    // OCI images have no health check.
    BUILDAH_FORMAT: 'docker',
    BUILDAH_ISOLATION: 'chroot',
    BUILDAH_LAYERS: 'false',
  };
}

/** The limits of this process. Containers would get higher ones, which podman is not allowed to set. */
function ownLimits(): readonly string[] {
  const limits = readFileSync('/proc/self/limits', 'utf8');
  const hard = (name: string): string => new RegExp(`^Max ${name} +\\S+ +(\\d+)`, 'mu').exec(limits)?.[1] ?? '1024';
  return Object.entries({ nofile: 'open files', nproc: 'processes' }).map(
    ([limit, name]) => `${limit}=${hard(name)}:${hard(name)}`,
  );
}

/** Writes the command "docker": podman that builds with the network, the registry and the npm cache of this machine. */
async function writeDocker(bin: string): Promise<void> {
  const { registry, cafile, cache } = await npmSettings();
  mkdirSync(bin);
  const npmrc = `registry=${registry}\nprefer-offline=true\n${cafile === null ? '' : 'cafile=/run/secrets/ca\n'}`;
  writeFileSync(join(bin, 'npmrc'), npmrc);
  if (cafile !== null) copyFileSync(cafile, join(bin, 'ca'));
  const options = [
    '--network=host',
    `--secret=id=npmrc,src=${bin}/npmrc`,
    ...(cafile === null ? [] : [`--secret=id=ca,src=${bin}/ca`]),
    `--volume=${cache}:/root/.npm`,
  ];
  // In Docker, a read-only container has no writable folders in memory.
  const script = `#!/bin/sh
case $1 in
build) shift; exec nsenter --net=/proc/${String(process.pid)}/ns/net podman build --quiet ${options.join(' ')} "$@" ;;
run) shift; exec podman run --read-only-tmpfs=false "$@" ;;
*) exec podman "$@" ;;
esac
`;
  writeFileSync(join(bin, 'docker'), script);
  chmodSync(join(bin, 'docker'), 0o755);
}

async function enter(sandbox: Sandbox, command: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  const [program = '', ...args] = [...sandbox.prefix, ...command];
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  if (code !== 0) throw new Error(`"${command.join(' ')}" ended with ${String(code)}: ${stdout}${stderr}`);
  return stdout;
}
