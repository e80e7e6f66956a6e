/** When `npm version` has set the version: puts it and the date into the changelog. */
import { readFileSync, writeFileSync } from 'node:fs';
import packageJson from '../../package.json' with { type: 'json' };
import { releasedChangelog } from './changelog.ts';

const date = new Date().toISOString().slice(0, 10);
writeFileSync('CHANGELOG.md', releasedChangelog(readFileSync('CHANGELOG.md', 'utf8'), packageJson.version, date));
