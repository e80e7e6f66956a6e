import { laterFile } from './files.ts';
import { section } from './section.ts';
import { duration } from './values.ts';

const DAY = 86_400_000;

export const store = section({
  path: laterFile.prefault('data/ftm-watch.sqlite').describe('The SQLite database. Its folder must be writable.'),
  retention: duration(3650 * DAY)
    .prefault('90d')
    .describe('How long history is kept.'),
});
