import type { Config } from '../../config/config.ts';

/** What of the configuration the paths are looked at by. */
export type PathSettings = Pick<Config, 'licenseServer' | 'services' | 'resolvers'>;
