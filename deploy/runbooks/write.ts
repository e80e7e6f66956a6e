import { writeFileSync } from 'node:fs';
import { renderRunbooks } from './render.ts';

for (const [name, text] of renderRunbooks())
  writeFileSync(new URL(`../../docs/runbooks/${name}`, import.meta.url), text);
