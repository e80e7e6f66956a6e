import { writeFileSync } from 'node:fs';
import { renderDashboards } from './dashboards.ts';

for (const [name, text] of renderDashboards()) writeFileSync(new URL(`dashboards/${name}`, import.meta.url), text);
