import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

/** A file that the page asks for. */
export interface StaticFile {
  readonly contentType: string;
  readonly body: string;
  /** RFC 9110 §8.8.3. */
  readonly etag: string;
}

const CSS = 'text/css; charset=utf-8';
const JAVASCRIPT = 'text/javascript; charset=utf-8';
const SVG = 'image/svg+xml';

/** Ours, in `static/` beside this file. */
const OWN: Readonly<Record<string, string>> = {
  'style.css': CSS,
  'live.js': JAVASCRIPT,
  'copy-buttons.js': JAVASCRIPT,
  'distance.js': JAVASCRIPT,
  'history.js': JAVASCRIPT,
  'icon-ready.svg': SVG,
  'icon-not-ready.svg': SVG,
  'icon-unknown.svg': SVG,
};

/** Of the package uPlot, as it was installed. */
const VENDOR: Readonly<Record<string, { readonly specifier: string; readonly contentType: string }>> = {
  'uplot.js': { specifier: 'uplot/dist/uPlot.iife.min.js', contentType: JAVASCRIPT },
  'uplot.css': { specifier: 'uplot/dist/uPlot.min.css', contentType: CSS },
};

/**
 * Reads them once, at the start: a request never touches the file system.
 * @throws {Error} when the installation lacks one
 */
export async function readStaticFiles(): Promise<ReadonlyMap<string, StaticFile>> {
  const own = Object.entries(OWN).map(([name, contentType]) => ({
    name,
    contentType,
    url: new URL(`./static/${name}`, import.meta.url),
  }));
  const vendor = Object.entries(VENDOR).map(([name, { specifier, contentType }]) => ({
    name,
    contentType,
    url: new URL(import.meta.resolve(specifier)),
  }));
  const entries = [...own, ...vendor].map(async ({ name, contentType, url }): Promise<[string, StaticFile]> => {
    const body = await readFile(url, 'utf8');
    return [
      name,
      { contentType, body, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` },
    ];
  });
  return new Map(await Promise.all(entries));
}
