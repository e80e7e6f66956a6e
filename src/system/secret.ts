import { readFile } from 'node:fs/promises';

/**
 * Source of a secret. The value is never part of a configuration object, so it cannot be printed together with the
 * configuration.
 */
export type SecretSource =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'env'; readonly name: string };

/**
 * Reads a secret each time, so that a rotated secret is used. Rejects with a message that never contains the secret.
 */
export type SecretReader = (source: SecretSource) => Promise<string>;

/** Maximum size of a secret. Keys and tokens are smaller, so a larger file is the wrong file. */
const MAX_SECRET_BYTES = 64 * 1024;

/**
 * Reads a secret. Secrets are read each time, so that a rotated secret is used without a reload. One trailing line
 * break is removed.
 * @throws {Error} with the name of the file or variable, without any part of the value
 */
export async function readSecret(source: SecretSource, env: NodeJS.ProcessEnv): Promise<string> {
  switch (source.kind) {
    case 'env': {
      const value = env[source.name];
      if (value === undefined || value === '')
        throw new Error(`Cannot read the secret: environment variable "${source.name}" is not set`);
      return value;
    }
    case 'file': {
      const value = await readSecretFile(source.path);
      if (value === '') throw new Error(`Cannot read the secret: file "${source.path}" is empty`);
      return value;
    }
  }
}

async function readSecretFile(path: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw new Error(
      `Cannot read the secret from file "${path}": ${error instanceof Error ? error.message : 'unknown error'}`,
      {
        cause: error,
      },
    );
  }
  if (bytes.length > MAX_SECRET_BYTES) {
    throw new Error(
      `Cannot read the secret from file "${path}": expected at most ${String(MAX_SECRET_BYTES)} bytes, got ` +
        `${String(bytes.length)}`,
    );
  }
  return bytes.toString('utf8').replace(/\r?\n$/u, '');
}
