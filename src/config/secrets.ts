import type { SecretSource } from '../system/secret.ts';
import { type Config, configFile } from './config.ts';
import { plainConfig } from './print.ts';
import { usedTexts } from './schema/uses.ts';

/** Where every secret of a configuration comes from, except for private keys, which are never read as text. */
export function secretSources(config: Config): readonly SecretSource[] {
  return usedTexts(configFile, plainConfig(config)).flatMap(({ use, text }): readonly SecretSource[] => {
    if (use === 'secret-file') return [{ kind: 'file', path: text }];
    return use === 'secret-variable' ? [{ kind: 'env', name: text }] : [];
  });
}

/** URLs that are secrets from their path on. */
export function secretUrls(config: Config): readonly string[] {
  return usedTexts(configFile, config).flatMap(({ use, text }) => (use === 'secret-url' ? [text] : []));
}
