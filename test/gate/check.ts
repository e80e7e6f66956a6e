/**
 * The gate, `npm run check`. Prints one line for each step, and the whole output of a step that fails. A step that
 * checked no files fails as well, because a misconfigured tool tends to find nothing and succeed. The steps run side by
 * side, but the tests last and alone, because some of them measure times.
 *
 * `--skip STEP` and `--only STEP` select steps and can be repeated.
 */
import { parseArgs } from 'node:util';
import { codeSizeTable } from './code-size.ts';
import { runStep } from './run-step.ts';
import { type Step, steps } from './steps.ts';

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
  const chosen = steps.filter(
    (step) => (values.only ?? names).includes(step.name) && !(values.skip ?? []).includes(step.name),
  );
  if (chosen.length === 0) {
    throw new Error('Cannot run the gate: no step is left');
  }
  return chosen;
}

async function main(): Promise<void> {
  const chosen = chooseSteps(process.argv.slice(2));
  let passed = 0;
  const runAndPrint = async (step: Step): Promise<void> => {
    const outcome = await runStep(step);
    console.log(outcome.line);
    if (outcome.output !== '') {
      console.log(outcome.output);
    }
    passed += outcome.failed ? 0 : 1;
  };
  const { quick = [], slow = [] } = Object.groupBy(chosen, ({ name }) => (name === 'tests' ? 'slow' : 'quick'));
  await Promise.all(quick.map(runAndPrint));
  await Promise.all(slow.map(runAndPrint));
  for (const line of codeSizeTable(process.cwd())) console.log(line);
  console.log(`check: ${String(passed)} of ${String(chosen.length)} steps passed`);
  process.exitCode = passed === chosen.length ? 0 : 1;
}

await main();
