import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { getMimeType } from 'hono/utils/mime';

/** A file that the page asks for. */
export interface StaticFile {
  readonly contentType: string;
  readonly body: string;
  /** RFC 9110 §8.8.3. */
  readonly etag: string;
}

/** Ours, in `static/` beside this file. */
const OWN: readonly string[] = [
  'style.css',
  'live.js',
  'copy-buttons.js',
  'distance.js',
  'history.js',
  'incidents.js',
  'chart-kinds.js',
  'icon-ready.svg',
  'icon-not-ready.svg',
  'icon-unknown.svg',
];

/** Of the package uPlot. */
const VENDOR: readonly (readonly [name: string, url: string])[] = [
  ['uplot.js', import.meta.resolve('uplot/dist/uPlot.iife.min.js')],
  ['uplot.css', import.meta.resolve('uplot/dist/uPlot.min.css')],
];

/**
 * Reads them once, at the start: a request never touches the file system.
 * @throws {Error} when the installation lacks one
 */
export async function readStaticFiles(): Promise<ReadonlyMap<string, StaticFile>> {
  const files = [
    ...OWN.map((name) => [name, new URL(`./static/${name}`, import.meta.url)] as const),
    ...VENDOR.map(([name, url]) => [name, new URL(url)] as const),
  ];
  const entries = files.map(async ([name, url]): Promise<[string, StaticFile]> => {
    const body = await readFile(url, 'utf8');
    const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
    return [name, { contentType: getMimeType(name) ?? 'text/plain', body, etag }];
  });
  return new Map(await Promise.all(entries));
}
