import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { parse, stringify } from 'yaml';
import { buildChartRenderer } from '../../support/packaging/chart.ts';
import { type ContainerEngine, CONTAINERS, createContainerEngine } from './container-engine.ts';
import { makeComposeImages, makeNodeImage } from './container-images.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { shellBlocks } from '../../support/packaging/shell-blocks.ts';

const GENERATOR = '/usr/libexec/podman/quadlet';

/** The settings of a unit: values by section and key, in order. */
interface GeneratedUnit {
  values(section: string, key: string): readonly string[];
}

/** Returns the units that podman's own systemd generator creates from a folder, by name. @throws if it rejects one */
function generatedUnits(folder: string): ReadonlyMap<string, GeneratedUnit> {
  const env = { ...process.env, QUADLET_UNIT_DIRS: folder };
  const text = execFileSync(GENERATOR, ['-dryrun'], { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  const [, ...parts] = text.split(/^---(.+)---$/mu);
  const units = parts.flatMap((name, index): readonly [string, GeneratedUnit][] =>
    index % 2 === 0 ? [[name, unit(parts[index + 1] ?? '')]] : [],
  );
  return new Map(units);
}

function unit(text: string): GeneratedUnit {
  const sections = text.split(/^\[(.+)\]$/mu);
  return {
    values(section, key) {
      const body = sections[sections.indexOf(section) + 1] ?? '';
      return [...body.matchAll(new RegExp(`^${key}=(.*)$`, 'gmu'))].map(([, value = '']) => value);
    },
  };
}

const PATIENCE = { timeout: 30_000, interval: 200 };
/** Includes building the base, the image and the related images, which is done once. */
const LIMIT = 400_000;
const PAGE = 'http://127.0.0.1:9843';
const readme = shellBlocks(readFileSync('README.md', 'utf8')).get('As a container') ?? '';
const [build = '', start = ''] = readme.split(/\n(?=docker run)/u);
const compose = `podman-compose --file ${process.cwd()}/deploy/compose.yaml`;
const { services } = parse(readFileSync('deploy/compose.yaml', 'utf8')) as { readonly services: object };

const NEEDS = [...CONTAINERS, { program: 'podman-compose' }, { program: 'prometheus' }, { program: 'go' }] as const;

describeWhere([...NEEDS, { program: 'prometheus-alertmanager' }], 'in containers,', () => {
  const stack = new AsyncDisposableStack();
  let engine: ContainerEngine;
  let base: string;

  const sh = async (commands: string): Promise<string> => (await engine.sh(commands)).trim();
  const afterwards = (commands: string): void => onTestFinished(() => sh(commands).then(() => undefined));
  const get = (path: string): Promise<string> =>
    engine.get(`${PAGE}${path}`).then(({ status, body }) => `${String(status)} ${body}`);

  beforeAll(async () => {
    engine = stack.use(await createContainerEngine());
    base = await makeNodeImage(engine);
    await sh(build);
  }, LIMIT);

  afterAll(() => stack.disposeAsync(), LIMIT);

  describe('the image, built and started by the commands of README.md,', () => {
    beforeAll(() => sh(start));

    afterAll(() => sh('docker rm --force --volumes ftm-watch'));

    it('answers', async () => {
      await expect.poll(() => get('/-/healthy'), PATIENCE).toBe('200 Healthy\n');
      // A process in a container cannot determine whether its port is published only on this machine.
      await expect.poll(() => get('/-/ready'), PATIENCE).toMatch(/^200 Ready:\n- Everyone who can reach .*\n$/u);
      expect(await get('/')).toContain('</html>');
      expect(await get('/metrics')).toContain('\nftm_store_writable 1\n');
    });

    it('runs as a user without rights, within its memory', async () => {
      const status = await sh('docker exec ftm-watch cat /proc/1/status');
      expect(status).toMatch(/^Uid:\t1000\t1000\t1000\t1000$/mu);
      for (const line of ['CapEff:\t0000000000000000', 'CapBnd:\t0000000000000000', 'NoNewPrivs:\t1', 'Seccomp:\t2'])
        expect(status).toContain(line);
      const limit = 'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || true';
      expect(await sh(`docker exec ftm-watch sh -c '${limit}'`)).toBe(String(512 * 1024 * 1024));
    });

    it('can write in its volume and nowhere else', async () => {
      const writable = 'find / -xdev -writable ! -type l ! -type c 2>/dev/null || true';
      expect((await sh(`docker exec ftm-watch sh -c '${writable}'`)).split('\n')).toEqual(['/var/lib/ftm-watch']);
      expect(await sh('docker exec ftm-watch ls /var/lib/ftm-watch')).toContain('ftm-watch.sqlite');
      await expect(sh('docker exec ftm-watch touch /opt/ftm-watch/here')).rejects.toThrow('Read-only file system');
    });

    it('holds the program and its data, and no package', async () => {
      const files = (await sh('docker exec ftm-watch find /opt/ftm-watch -type d -name node_modules')).split('\n');
      expect(files).toEqual(['']);
      const sizes = await sh(`docker image inspect --format '{{.Size}}' ${base} ftm-watch`);
      const [ofBase = 0, ofImage = 0] = sizes.split('\n').map(Number);
      console.info(`The image adds ${((ofImage - ofBase) / 1e6).toFixed(1)} MB to its base`);
      expect(ofImage - ofBase).toBeLessThan(8e6);
    });

    it('has a command to speak with it', async () => {
      expect(await sh('docker exec ftm-watch ftm-watch --version')).toMatch(/^\d+\.\d+\.\d+$/u);
      await sh('docker exec ftm-watch ftm-watch silence add --for 2h --by me --comment planned');
      expect(await get('/api/v1/silences')).toContain('"comment":"planned"');
    });

    it('tells whether it is healthy, and asks rarely', async () => {
      await sh('podman healthcheck run ftm-watch');
      const interval = await sh("docker image inspect --format '{{.Config.Healthcheck.Interval}}' ftm-watch");
      expect(interval).toBe('1m0s');
      await expect(
        sh('docker run --rm --network none --entrypoint node ftm-watch /opt/ftm-watch/healthcheck.cjs'),
      ).rejects.toThrow('Cannot ask "http://127.0.0.1:9843/-/healthy": connect ECONNREFUSED 127.0.0.1:9843');
    });

    it('drains on SIGTERM, and keeps what it knows', async () => {
      await sh('docker stop --time 20 ftm-watch');
      expect(await sh("docker inspect --format '{{.State.ExitCode}}' ftm-watch")).toBe('0');
      expect((await sh('docker logs ftm-watch')).split('\n').at(-1)).toContain('"event":"stopped"');
      await sh('docker start ftm-watch');
      await expect.poll(() => get('/api/v1/silences'), PATIENCE).toContain('"comment":"planned"');
    });
  });

  it('starts as whoever the platform says', async () => {
    const options = '--detach --name any --user 1000650000:0 --read-only --cap-drop ALL --publish 127.0.0.1:9843:9843';
    const volume = '--mount type=tmpfs,destination=/var/lib/ftm-watch,tmpfs-mode=1777';
    afterwards('docker rm --force any');
    await sh(`docker run ${options} ${volume} ftm-watch`);
    await expect.poll(() => get('/metrics'), PATIENCE).toContain('\nftm_store_writable 1\n');
  });

  it('is built without a network from a program that is built already', async () => {
    const context = join(engine.folder, 'built');
    mkdirSync(join(context, 'build'), { recursive: true });
    execFileSync('npm', ['run', '--silent', 'build:image', '--', join(context, 'build/dist')]);
    await sh(`podman build --quiet --network host --build-context build=${context} --tag offline .`);
    expect(await sh('docker run --rm offline --version')).toMatch(/^\d+\.\d+\.\d+$/u);
  });

  it('the chart runs in a pod, with its volumes, as the user of the image', async () => {
    await using renderer = await buildChartRenderer();
    const { objects } = await renderer.render({
      image: { repository: 'localhost/ftm-watch', tag: 'latest' },
      secrets: ['fac-1'],
      extraEnv: [{ name: 'SITE', value: 'hq' }],
      // Podman does not support fsGroup.
      persistence: { annotations: { 'volume.podman.io/uid': '1000', 'volume.podman.io/gid': '1000' } },
      podSecurityContext: { supplementalGroups: [0] },
    });
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'fac-1' }, stringData: { key: 'hush' } };
    const file = join(engine.folder, 'chart.yaml');
    writeFileSync(file, [secret, ...objects].map((object) => stringify(object)).join('---\n'));
    afterwards(`podman kube down --force ${file}`);
    await sh(`podman kube play --publish 127.0.0.1:9843:9843 ${file}`);
    await expect.poll(() => get('/-/ready'), PATIENCE).toBe('200 Ready\n');
    expect(await get('/metrics')).toContain('\nftm_store_writable 1\n');
    const inside = (command: string): Promise<string> => sh(`podman exec ftm-watch-pod-ftm-watch sh -c '${command}'`);
    expect(await inside('id --user')).toBe('1000');
    expect(await inside('cat /run/secrets/ftm-watch/fac-1/key; echo " $SITE"')).toBe('hush hq');
    expect(await inside('cat /etc/ftm-watch/ftm-watch.yaml')).toContain('site: ftm-watch');
    expect(await inside('cat /proc/1/status')).toContain('CapBnd:\t0000000000000000');
    await expect(inside('touch /here')).rejects.toThrow('Read-only file system');
  });

  it('runs as the units for systemd say that podman makes of deploy/quadlet', async () => {
    const units = generatedUnits(`${process.cwd()}/deploy/quadlet`);
    expect([...units.keys()]).toEqual(['ftm-watch-volume.service', 'ftm-watch.service']);
    const command = (name: string, key: string): string => {
      const [value = 'false'] = units.get(`${name}.service`)?.values('Service', key) ?? [];
      // No systemd here has created a control group.
      return value.replaceAll('%t/%N', `${engine.folder}/quadlet`).replace('--cgroups=split ', '');
    };
    expect(units.get('ftm-watch.service')?.values('Unit', 'Requires')).toEqual(['ftm-watch-volume.service']);
    afterwards('podman rm --force --ignore ftm-watch');
    expect(command('ftm-watch', 'ExecStart')).toContain(' --init ');
    await sh(command('ftm-watch-volume', 'ExecStart'));
    await sh(command('ftm-watch', 'ExecStart'));
    await expect.poll(() => get('/metrics'), PATIENCE).toContain('\nftm_store_writable 1\n');
    const status = await sh('podman exec ftm-watch cat /proc/1/status');
    for (const line of ['Uid:\t1000\t', 'CapBnd:\t0000000000000000', 'NoNewPrivs:\t1']) expect(status).toContain(line);
    await sh(command('ftm-watch', 'ExecReload'));
    await expect.poll(() => sh('podman logs ftm-watch'), PATIENCE).toContain('configuration-reloaded');
    await sh(command('ftm-watch', 'ExecStop'));
    expect(await sh('podman ps --all --quiet')).toBe('');
  });

  it(
    'compose.yaml brings up what watches, and an alert arrives in the mail catcher',
    async () => {
      await makeComposeImages(engine, base);
      // Debian does not package Grafana.
      const names = Object.keys(services).filter((name) => name !== 'grafana');
      afterwards(`${compose} down --volumes`);
      await sh(`${compose} up --detach --no-build ${names.join(' ')}`);
      await expect(sh('ip route get 173.243.138.84')).rejects.toThrow('Network is unreachable');
      // No traffic leaves the host, so the internet is unreachable.
      await expect
        .poll(() => sh('docker logs ftm-watch_mail_1'), { timeout: 90_000, interval: 1_000 })
        .toContain('CRITICAL FTM hq: FortiToken Mobile activation is broken at hq: internet-unreachable');
      expect(await engine.get('http://127.0.0.1:9090/api/v1/targets')).toMatchObject({
        body: expect.stringContaining('"health":"up"'),
      });
    },
    LIMIT,
  );
});
