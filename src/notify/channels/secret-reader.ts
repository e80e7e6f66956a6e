import type { SecretSource } from '../../system/secret.ts';

/** Reads a secret again, so that a rotated one is taken at the next use; rejects with a message that never holds it. */
export type SecretReader = (source: SecretSource) => Promise<string>;
