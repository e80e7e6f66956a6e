import { stringify } from 'yaml';
import * as z from 'zod';
import { type Config, configFile } from './config.ts';
import { type SectionFields, fieldsOf, usedTexts } from './schema/section.ts';
import type { SecretSource } from '../system/secret.ts';

/** A value in a printed configuration. */
export type Plain = string | number | boolean | null | readonly Plain[] | PlainSection;

/** A mapping in a printed configuration. */
interface PlainSection {
  readonly [key: string]: Plain;
}

/**
 * Prints the configuration with every default, as YAML that loads to the same configuration. File names are absolute.
 * Secrets are not printed, only the file or variable from which they are read. For URLs of webhooks and of the
 * heartbeat, only the scheme and host are printed, because the rest is secret.
 */
export function printConfig(config: Config): string {
  return printPlain(plainConfig(config));
}

/** Prints data as YAML, with one line per value. */
export function printPlain(plain: Plain): string {
  return stringify(plain, { lineWidth: 0 });
}

/** Returns the configuration as plain data. */
export function plainConfig(config: Config): PlainSection {
  const { file: _, site, ...sections } = config;
  // The host name may not be a valid value for this field.
  return { site, ...plainSection(fieldsOf(z.encode(configFile, { ...sections, site: null }))) };
}

function plainSection(section: SectionFields): PlainSection {
  return Object.fromEntries(
    Object.entries(section).flatMap(([key, value]) => (value === undefined ? [] : [[key, plain(value)]])),
  );
}

function plain(value: unknown): Plain {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value === null)
    return value;
  if (Array.isArray(value)) return value.map(plain);
  return plainSection(fieldsOf(value));
}

/**
 * Returns the sources of all secrets in a configuration, except for private keys, which are never read as text.
 * @param isMeant selects top-level sections
 */
export function secretSources(
  config: Config,
  isMeant: (section: string) => boolean = () => true,
): readonly SecretSource[] {
  return usedTexts(configFile, plainConfig(config)).flatMap(({ use, text, path }): readonly SecretSource[] => {
    if (!isMeant(String(path?.[0]))) return [];
    if (use === 'secret-file') return [{ kind: 'file', path: text }];
    return use === 'secret-variable' ? [{ kind: 'env', name: text }] : [];
  });
}

/** Returns all files with authorities that verify servers or recipients. */
export function authorityFiles(config: Config): readonly string[] {
  return usedTexts(configFile, plainConfig(config)).flatMap(({ use, text }) =>
    use === 'authority-file' ? [text] : [],
  );
}

/** Returns the URLs whose path is secret. */
export function secretUrls(config: Config): readonly string[] {
  return usedTexts(configFile, config).flatMap(({ use, text }) => (use === 'secret-url' ? [text] : []));
}
