import type { Certificate, DistinguishedName } from '../../core/certificate.ts';
import { oncePer } from '../../core/once-per.ts';

/**
 * Whom a target's certificate may come from: Fortinet's private authorities, any of Mozilla's roots, or only what is
 * configured.
 */
export type TrustProfile = 'fortinet' | 'public' | 'pinned';

/** `shipped` keys are Fortinet's and count only under the profile `fortinet`; `configured` ones under every profile. */
export type TrustOrigin = 'shipped' | 'configured';

/** The hash of a trusted key. It confirms a certificate that was sent, never for one that was not. */
export interface TrustedPin {
  /** `sha256/` and the base64 SHA-256 of the SubjectPublicKeyInfo. */
  readonly pin: string;
  /** Says to a person whose key it is, and where it was taken from. */
  readonly label: string;
  readonly origin: TrustOrigin;
  /** The name that the key is known to carry; null when only the hash is known. */
  readonly name: DistinguishedName | null;
}

/** A certificate to verify under: unlike a pin it confirms what it signed even when it is not sent. */
export interface TrustAnchor {
  readonly certificate: Certificate;
  readonly label: string;
  readonly origin: TrustOrigin;
}

/** Mozilla's roots. Read one by one when they are asked for: parsing all of them at every start would be wasted. */
export interface PublicRoots {
  /** Those with this subject; a name may belong to more than one key. */
  bySubject(name: DistinguishedName): readonly Certificate[];
  /** Whether a public authority, or one below it, has this organization; in the form of `organizationKey`. */
  hasOrganization(organization: string): boolean;
}

export interface Trust {
  readonly pins: readonly TrustedPin[];
  readonly anchors: readonly TrustAnchor[];
  readonly publicRoots: PublicRoots;
}

/** What of the configured trust counts for this profile. */
export function trustUnder(profile: TrustProfile, trust: Trust): Trust {
  return profile === 'fortinet' ? trust : configuredPart(trust);
}

const configuredPart = oncePer(
  ({ pins, anchors, publicRoots }: Trust): Trust => ({
    pins: pins.filter(({ origin }) => origin === 'configured'),
    anchors: anchors.filter(({ origin }) => origin === 'configured'),
    publicRoots,
  }),
);

/** In whose words a configured key is confirmed under this profile; null when it is not (any more). */
export function labelOfKey(pin: string, profile: TrustProfile, trust: Trust): string | null {
  const { pins, anchors } = trustUnder(profile, trust);
  const anchor = anchors.find(({ certificate }) => certificate.pin === pin);
  return anchor?.label ?? pins.find((candidate) => candidate.pin === pin)?.label ?? null;
}
