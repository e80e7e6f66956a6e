import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { cleanEnvironment } from './clean-environment.ts';
import type { Instruction, Stage } from './dockerfile.ts';

const run = promisify(execFile);

/** The folders that the stages of a Dockerfile would have as their root. */
export interface Image extends AsyncDisposable {
  /** Root of the last stage. */
  readonly root: string;
  /** Its working folder, below `root`. */
  readonly workdir: string;
}

/**
 * Carries the steps of a Dockerfile out without a container engine: each stage in an empty folder, with the Node of
 * this process instead of the base image. COPY copies; of RUN the commands run as they stand, in the folder of WORKDIR,
 * with folders below /var put below the stage's root.
 */
export async function assembleImage(stages: readonly Stage[], context: string): Promise<Image> {
  await using stack = new AsyncDisposableStack();
  const base = await mkdtemp(join(tmpdir(), 'ftm-watch-image-'));
  stack.defer(() => rm(base, { recursive: true, force: true }));
  let last = { root: base, workdir: base };
  for (const [index, { name, instructions }] of stages.entries()) {
    const root = join(base, name === '' ? `stage-${String(index)}` : name);
    last = { root, workdir: await assembleStage(root, instructions, { base, context }) };
  }
  const owned = stack.move();
  return { ...last, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

interface Sources {
  readonly base: string;
  readonly context: string;
}

async function assembleStage(root: string, instructions: readonly Instruction[], sources: Sources): Promise<string> {
  let workdir = root;
  for (const { keyword, value } of instructions) {
    if (keyword === 'WORKDIR') workdir = join(root, value);
    await mkdir(workdir, { recursive: true });
    if (keyword === 'COPY') await copy(value, { root, workdir }, sources);
    if (keyword === 'RUN') await shell(value.replaceAll(' /var/', ` ${root}/var/`), workdir);
  }
  return workdir;
}

async function copy(
  value: string,
  { root, workdir }: Pick<Image, 'root' | 'workdir'>,
  { base, context }: Sources,
): Promise<void> {
  const words = value.split(/\s+/u);
  const from = words.find((word) => word.startsWith('--from='))?.slice('--from='.length);
  const paths = words.filter((word) => !word.startsWith('--'));
  const target = paths.pop() ?? '.';
  const destination = target.startsWith('/') ? join(root, target) : resolve(workdir, target);
  for (const path of paths) {
    const source = join(from === undefined ? context : join(base, from), path);
    const into = target.endsWith('/') ? join(destination, path.split('/').pop() ?? path) : destination;
    await mkdir(dirname(into), { recursive: true });
    await cp(source, into, { recursive: true, verbatimSymlinks: true });
  }
}

async function shell(command: string, cwd: string): Promise<void> {
  try {
    await run('sh', ['-c', command], { cwd, env: cleanEnvironment() });
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { readonly stdout?: string; readonly stderr?: string };
    throw new Error(`Cannot carry out "RUN ${command}" of the Dockerfile:\n${stdout}${stderr}`, { cause: error });
  }
}
