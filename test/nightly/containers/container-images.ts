import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { rolldown } from 'rolldown';
import { parse } from 'yaml';
import type { ContainerEngine } from './container-engine.ts';
import { debianBase } from '../../support/packaging/debian-base.ts';
import { findProgram } from '../../support/process/privilege.ts';

const RECIPES = 'test/fixtures/containers';

interface ComposeFile {
  readonly services: Readonly<Record<string, { readonly image: string }>>;
}

/** Builds a substitute for the Dockerfile's base image, under the same name. */
export async function makeNodeImage(engine: ContainerEngine): Promise<string> {
  const context = contextIn(engine, 'node');
  const npm = dirname(dirname(realpathSync(programOf('npm'))));
  cpSync(await debianBase(), join(context, 'debian.tar'));
  cpSync(process.execPath, join(context, 'node'));
  cpSync(npm, join(context, 'npm'), { recursive: true });
  cpSync(realpathSync(libraryOf('libatomic.so.1')), join(context, 'libatomic.so.1'));
  const [, base = ''] = /^ARG BASE=(\S+)$/mu.exec(readFileSync('Dockerfile', 'utf8')) ?? [];
  await make(engine, 'node', base);
  return base;
}

/** Builds the images of deploy/compose.yaml for which Debian has programs, and the mail catcher, under their names. */
export async function makeComposeImages(engine: ContainerEngine, base: string): Promise<void> {
  const { services } = parse(readFileSync('deploy/compose.yaml', 'utf8')) as ComposeFile;
  const image = (service: string): string => services[service]?.image ?? '';
  cpSync(programOf('prometheus'), join(contextIn(engine, 'prometheus'), 'prometheus'));
  await make(engine, 'prometheus', image('prometheus'), base);
  const alertmanager = contextIn(engine, 'alertmanager');
  cpSync(programOf('prometheus-alertmanager'), join(alertmanager, 'prometheus-alertmanager'));
  cpSync('/usr/share/prometheus/alertmanager', join(alertmanager, 'templates'), { recursive: true });
  await make(engine, 'alertmanager', image('alertmanager'), base);
  const catcher = await rolldown({ input: 'test/support/mail/mail-catcher.ts', platform: 'node' });
  await catcher.write({ file: join(contextIn(engine, 'mailpit'), 'mail-catcher.mjs'), format: 'esm' });
  await make(engine, 'mailpit', image('mail'), base);
}

function contextIn({ folder }: ContainerEngine, name: string): string {
  const context = join(folder, 'images', name);
  mkdirSync(context, { recursive: true });
  return context;
}

async function make(engine: ContainerEngine, name: string, image: string, base = ''): Promise<void> {
  const recipe = `${RECIPES}/${name}.Containerfile`;
  const context = contextIn(engine, name);
  await engine.sh(`podman build --quiet --build-arg BASE=${base} --file ${recipe} --tag docker.io/${image} ${context}`);
}

function programOf(name: string): string {
  const path = findProgram(name);
  if (path === undefined) throw new Error(`Cannot find the program "${name}"`);
  return path;
}

function libraryOf(name: string): string {
  const listed = execFileSync('/sbin/ldconfig', ['--print-cache'], { encoding: 'utf8' });
  const path = listed.split('\n').find((line) => line.trim().startsWith(`${name} `));
  if (path === undefined) throw new Error(`Cannot find the library "${name}"`);
  return path.split(' => ')[1] ?? '';
}
