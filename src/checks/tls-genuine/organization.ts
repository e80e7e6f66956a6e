/**
 * Legal forms at the end of a company's name: one company writes them in several ways, `DigiCert Inc` and `DigiCert,
 * Inc.`.
 */
const LEGAL_FORM = / (?:inc|llc|ltd|limited|corp|corporation|gmbh|ag|as|sa|sas|nv-sa|co|kft)$/u;

/** The same for the ways in which one organization writes its name. */
export function organizationKey(name: string): string {
  const plain = name.toLowerCase().replaceAll(/[.,]/gu, '').replaceAll(/\s+/gu, ' ').trim();
  return plain.replace(LEGAL_FORM, '').replace(LEGAL_FORM, '');
}
