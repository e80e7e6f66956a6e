import { appendFileSync } from 'node:fs';
import type { Reporter, TestCase } from 'vitest/node';

/** Where CI reads them from. */
const FILE = '.cache/second-attempts.txt';

/** Writes down the tests that passed only when they ran again: each is a weakness, of the test or of the program. */
export default class SecondAttempts implements Reporter {
  onTestCaseResult(test: TestCase): void {
    if ((test.diagnostic()?.retryCount ?? 0) === 0) return;
    appendFileSync(FILE, `  ${test.module.relativeModuleId}: ${test.fullName}\n`);
  }
}
