/** Before each test file: properties try the same values in each run. */
import fc from 'fast-check';
import { SEED } from './samples.ts';

fc.configureGlobal({ seed: SEED });
