import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { cleanEnvironment } from './clean-environment.ts';
import { npmSettings } from './npm-settings.ts';
import type { Need } from './privilege.ts';
import { createSandbox, type Sandbox } from './sandbox.ts';

/** What it needs of a machine. */
export const CONTAINERS: readonly Need[] = [
  'root',
  'network-namespaces',
  { program: 'podman' },
  { program: 'runc' },
  { program: 'nft' },
  { program: 'debootstrap' },
];

/** What a web server in the network of the containers answered; 0: nothing does. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

/**
 * Podman with images, containers, volumes and networks of its own, which go when it goes. Its network has loopback
 * alone: a port that a container publishes is there, and nothing leaves the machine. Only builds are in the network of
 * this machine.
 */
export interface ContainerEngine extends AsyncDisposable {
  /** A folder for files that containers are to see. */
  readonly folder: string;
  /**
   * Types commands into a shell, in the folder of this project, and gives what they print. "docker" is podman there.
   * @throws {Error} with all that was said when one fails
   */
  sh(commands: string): Promise<string>;
  get(url: string): Promise<Answer>;
}

const ASK = `fetch(process.argv[1]).then(
  async (response) => JSON.stringify({ status: response.status, body: await response.text() }),
  () => JSON.stringify({ status: 0, body: '' }),
).then((answer) => process.stdout.write(answer))`;

/** What podman keeps outside its storage is hidden, for all that runs in here. */
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
 * Where this machine is a container itself, with the newer control groups, limits of memory are handed down only when
 * no process is at the top: as Docker in Docker does it.
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
  // The storage is in memory: no test that is killed leaves it behind, and layers may lie on any file system.
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

/** Environment and files that make podman, and what calls it, use a storage below a folder. */
function settingsIn(base: string): Readonly<Record<string, string>> {
  const [storage, containers] = [join(base, 'storage.conf'), join(base, 'containers.conf')];
  writeFileSync(storage, `[storage]\ndriver = "overlay"\ngraphroot = "${base}/storage"\nrunroot = "${base}/run"\n`);
  // crun refuses control groups of both kinds beside each other, runc does not; and there is no systemd to ask.
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
    // Those of OCI have no health check.
    BUILDAH_FORMAT: 'docker',
    BUILDAH_ISOLATION: 'chroot',
    BUILDAH_LAYERS: 'false',
  };
}

/** Those of this process: containers would get more, which it may not give. */
function ownLimits(): readonly string[] {
  const limits = readFileSync('/proc/self/limits', 'utf8');
  const hard = (name: string): string => new RegExp(`^Max ${name} +\\S+ +(\\d+)`, 'mu').exec(limits)?.[1] ?? '1024';
  return Object.entries({ nofile: 'open files', nproc: 'processes' }).map(
    ([limit, name]) => `${limit}=${hard(name)}:${hard(name)}`,
  );
}

/** The command "docker": podman, which builds with the network, the registry and the cache of npm of this machine. */
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
  // Of Docker, a container that is read-only has no folders in memory that can be written.
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
