import { stringify } from 'yaml';
import * as z from 'zod';
import { type Config, configFile } from './config.ts';
import { changeTexts, itemsOf, usedTexts } from './schema/section.ts';
import { withoutPath } from '../text/mask.ts';
import type { SecretSource } from '../system/secret.ts';

export type Plain = string | number | boolean | null | readonly Plain[] | PlainSection;

interface PlainSection {
  readonly [key: string]: Plain;
}

/**
 * Prints what was written, and the defaults. Loading the output yields the same configuration. For a secret, only its
 * file or variable is printed, and for a secret URL, only its scheme and host.
 */
export function printConfig(config: Config): string {
  return printPlain(plainConfig(config));
}

export function printPlain(plain: Plain): string {
  return stringify(plain, { lineWidth: 0 });
}

export function plainConfig({ written, site, services }: Config): PlainSection {
  const shown = changeTexts(configFile, written, ({ use, text }) => (use === 'secret-url' ? withoutPath(text) : text));
  const values = z.record(z.string(), z.json()).parse(shown);
  // The name of a known service is replaced with its settings, so that readers see which host is checked.
  const settings = itemsOf(values['services']).map((service, index) =>
    typeof service === 'string' ? services[index] : service,
  );
  return z.record(z.string(), z.json()).parse({ site, ...values, services: settings });
}

/**
 * Private keys are not included, because they are never read as text.
 * @param isMeant selects top-level sections
 */
export function secretSources(
  { written }: Config,
  isMeant: (section: string) => boolean = () => true,
): readonly SecretSource[] {
  return usedTexts(configFile, written).flatMap(({ use, text, path }): readonly SecretSource[] => {
    if (!isMeant(String(path?.[0]))) return [];
    if (use === 'secret-file') return [{ kind: 'file', path: text }];
    return use === 'secret-variable' ? [{ kind: 'env', name: text }] : [];
  });
}

/** Everything that can send headers from a file or variable, with the token that is sent in addition. */
export function headerSources({
  metrics: { otlp },
  notify: { webhooks },
}: Config): readonly { readonly headers: SecretSource | null; readonly token?: SecretSource | null }[] {
  return [...webhooks, ...(otlp === null ? [] : [otlp])];
}

export function authorityFiles({ written }: Config): readonly string[] {
  return usedTexts(configFile, written).flatMap(({ use, text }) => (use === 'authority-file' ? [text] : []));
}

export function secretUrls({ written }: Config): readonly string[] {
  return usedTexts(configFile, written).flatMap(({ use, text }) => (use === 'secret-url' ? [text] : []));
}
