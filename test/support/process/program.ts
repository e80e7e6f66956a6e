import { resolve } from 'node:path';

const SOURCE = resolve(import.meta.dirname, '../../../src/main.ts');

/** The started program: the bundle that `build-program.ts` has made for the end-to-end tests, otherwise the source. */
export const PROGRAM = process.env['FTM_WATCH_PROGRAM'] ?? SOURCE;
