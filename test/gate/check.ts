/**
 * The gate, `npm run check`: every step, one line each, the whole output of a step that fails. A step that looked at nothing fails
 * too: tools that are misconfigured tend to find nothing and be happy.
 *
 * `--skip STEP` and `--only STEP` choose, and may be given more than once.
 */
import { spawn } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { type Step, steps } from './steps.ts';

interface Outcome {
  readonly failed: boolean;
  readonly line: string;
  /** Only for a step that failed. */
  readonly output: string;
}

function chooseSteps(args: readonly string[]): readonly Step[] {
  const { values } = parseArgs({
    args: [...args],
    options: { skip: { type: 'string', multiple: true }, only: { type: 'string', multiple: true } },
  });
  const names = steps.map((step) => step.name);
  const unknown = [...(values.skip ?? []), ...(values.only ?? [])].find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new Error(`Cannot find the step "${unknown}": expected one of ${names.join(', ')}`);
  }
  const chosen = steps.filter((step) => (values.only ?? names).includes(step.name) && !(values.skip ?? []).includes(step.name));
  if (chosen.length === 0) {
    throw new Error('Cannot run the gate: no step is left');
  }
  return chosen;
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

async function runStep(step: Step): Promise<Outcome> {
  const started = performance.now();
  const { code, output } = await run(step.command);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const count = step.count(output) ?? 0;
  const failed = code !== 0 || count === 0;
  const nothing = code === 0 && count === 0 ? ', and looking at nothing proves nothing' : '';
  const line = `${failed ? 'FAIL' : 'ok  '}  ${step.name.padEnd(10)} ${String(count)} ${step.counts} in ${seconds} s${nothing}`;
  return { failed, line, output: failed ? (step.trim ?? String)(output) : '' };
}

async function main(): Promise<void> {
  const chosen = chooseSteps(process.argv.slice(2));
  let passed = 0;
  for (const step of chosen) {
    const outcome = await runStep(step);
    console.log(outcome.line);
    if (outcome.failed) {
      console.log(outcome.output);
    } else {
      passed += 1;
    }
  }
  console.log(`check: ${String(passed)} of ${String(chosen.length)} steps passed`);
  process.exitCode = passed === chosen.length ? 0 : 1;
}

await main();
