import { appendFileSync } from 'node:fs';
import type { Reporter, TestCase } from 'vitest/node';

/** CI reads them from this file. */
const FILE = '.cache/second-attempts.txt';

/**
 * Records the tests that passed only on the second attempt, because each is a weakness of the test or of the program.
 */
export default class SecondAttempts implements Reporter {
  onTestCaseResult(test: TestCase): void {
    if ((test.diagnostic()?.retryCount ?? 0) === 0) return;
    appendFileSync(FILE, `  ${test.module.relativeModuleId}: ${test.fullName}\n`);
  }
}
