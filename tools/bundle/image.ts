/**
 * Builds what the image holds into dist/, or the folder that is named: the program, which can be called, and its health
 * check. That one is compiled, and CommonJS: it costs Node a quarter of the CPU time.
 */
import { chmodSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { rolldown } from 'rolldown';
import './bundle.ts';

const ROOT = join(import.meta.dirname, '../..');
const target = resolve(ROOT, process.argv[2] ?? 'dist');
const check = await rolldown({ input: join(ROOT, 'deploy/image/healthcheck.ts'), platform: 'node' });
await check.write({ file: join(target, 'healthcheck.cjs'), format: 'cjs' });
chmodSync(join(target, 'main.js'), 0o755);
