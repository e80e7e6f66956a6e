import { appendFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

/** CI prints it at its end, where it is found without scrolling. */
const FILE = '.cache/unsteady.txt';

/**
 * Records the tests that failed, with the start of their errors, and those that passed only on a later attempt,
 * because each of them is a weakness of the test or of the program.
 */
export default class CiReporter implements Reporter {
  onTestModuleEnd(module: TestModule): void {
    for (const { message } of module.errors()) record('Failed', module.relativeModuleId, message);
    for (const test of module.children.allTests()) {
      const result = test.result();
      const name = `${module.relativeModuleId}: ${test.fullName}`;
      if (result.state === 'failed') record('Failed', name, result.errors[0]?.message);
      else if ((test.diagnostic()?.retryCount ?? 0) > 0) record('Needed another attempt', name);
    }
  }
}

function record(outcome: string, name: string, message = ''): void {
  const cause = message.split('\n').slice(0, 4).join(' / ').slice(0, 600);
  appendFileSync(FILE, `${outcome}: ${name}${cause === '' ? '' : `\n  ${cause}`}\n`);
}
