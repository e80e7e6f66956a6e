import { writeFileSync } from 'node:fs';
import { renderChartFiles } from './chart-files.ts';

for (const [name, text] of renderChartFiles()) writeFileSync(new URL(`ftm-watch/${name}`, import.meta.url), text);
