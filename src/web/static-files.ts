import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

/** A file that the page asks for. */
export interface StaticFile {
  readonly contentType: string;
  readonly body: string;
  /** RFC 9110 §8.8.3. */
  readonly etag: string;
}

export type StaticFileName =
  | 'style.css'
  | 'live.js'
  | 'copy-buttons.js'
  | 'distance.js'
  | 'icon-ready.svg'
  | 'icon-not-ready.svg'
  | 'icon-unknown.svg';

const CONTENT_TYPES: Readonly<Record<StaticFileName, string>> = {
  'style.css': 'text/css; charset=utf-8',
  'live.js': 'text/javascript; charset=utf-8',
  'copy-buttons.js': 'text/javascript; charset=utf-8',
  'distance.js': 'text/javascript; charset=utf-8',
  'icon-ready.svg': 'image/svg+xml',
  'icon-not-ready.svg': 'image/svg+xml',
  'icon-unknown.svg': 'image/svg+xml',
};

/**
 * Reads them once, at the start: a request never touches the file system. They lie beside this file, in `static/`.
 * @throws {Error} when the installation lacks one
 */
export async function readStaticFiles(): Promise<ReadonlyMap<string, StaticFile>> {
  const entries = Object.entries(CONTENT_TYPES).map(async ([name, contentType]): Promise<[string, StaticFile]> => {
    const body = await readFile(new URL(`./static/${name}`, import.meta.url), 'utf8');
    return [name, { contentType, body, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` }];
  });
  return new Map(await Promise.all(entries));
}
