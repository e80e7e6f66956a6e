import { describe } from 'vitest';
for (const [path, load] of Object.entries(import.meta.glob('../unit/core/interception/**/*.test.ts'))) describe(path, async () => { await load(); });
