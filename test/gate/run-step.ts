import { spawn } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import type { Step } from './steps.ts';

export interface Outcome {
  readonly failed: boolean;
  /** The line to print for the step. */
  readonly line: string;
  /** Output to print below the line: everything after a failure, otherwise only the remarks. */
  readonly output: string;
}

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

function run([program, ...args]: Step['command']): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined },
    });
    let output = '';
    const add = (chunk: string): void => {
      output += chunk;
    };
    child.stdout.setEncoding('utf8').on('data', add);
    child.stderr.setEncoding('utf8').on('data', add);
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({ code, output });
    });
  });
}

/** Runs a step, which fails if its command fails or if it checked no files. */
export async function runStep(step: Step): Promise<Outcome> {
  const started = performance.now();
  const { code, output } = await run(step.command);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const count = step.count(output) ?? 0;
  const failed = code !== 0 || !(count > 0);
  const nothing = code === 0 && count === 0 ? ', and looking at nothing proves nothing' : '';
  const repair = code !== 0 && step.repair !== undefined ? `: run "${step.repair}"` : '';
  const line =
    `${failed ? 'FAIL' : 'ok  '}  ${step.name.padEnd(11)} ${String(count)} ${step.counts} in ${seconds} ` +
    `s${nothing}${repair}`;
  return { failed, line, output: failed ? (step.trim ?? String)(output) : (step.remarks?.(output) ?? '') };
}
