import type * as z from 'zod';
import { laterFile, readableFile } from '../../config/schema/files.ts';
import { list, section } from '../../config/schema/section.ts';
import { choice, pin } from '../../config/schema/values.ts';

export const trustProfile = choice('fortinet', 'public', 'pinned');
export const pins = list(pin);
export const caFiles = list(readableFile);

export type TrustProfile = z.output<typeof trustProfile>;
export type TrustConfig = z.output<typeof trust>;

export const trust = section({
  profile: trustProfile
    .prefault('fortinet')
    .describe(
      "What makes the licence server's certificate genuine. fortinet: Fortinet's own authorities, by key. " +
        "public: the authorities that browsers trust. pinned: only the pins, files and learned keys. The machine's " +
        "own store of roots is never used: a company's root in it would hide an inspecting proxy.",
    ),
  pins: pins.describe('More public keys to trust, as SHA-256 of the SubjectPublicKeyInfo. Added to the shipped ones.'),
  caFiles: caFiles.describe('PEM files of more root certificates to verify under. Added to the shipped pins.'),
  baselineFile: laterFile
    .prefault('data/trust-baseline.json')
    .describe('Where "ftm-watch trust learn" keeps the chain it saw on a path known to be clean.'),
  productFiles: list(readableFile).describe(
    'More inspection products by their issuers, in the format of config/inspection-products.yaml.',
  ),
});
