/**
 * Builds what the image holds into dist/, or the folder that is named: the program, which can be called, and its health
 * check. That one is compiled, and CommonJS: it costs Node a quarter of the CPU time.
 */
import { chmodSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { rolldown } from 'rolldown';
import '../bundle.ts';

const target = resolve(import.meta.dirname, '../..', process.argv[2] ?? 'dist');
const check = await rolldown({ input: join(import.meta.dirname, 'healthcheck.ts'), platform: 'node' });
await check.write({ file: join(target, 'healthcheck.cjs'), format: 'cjs' });
chmodSync(join(target, 'main.js'), 0o755);
