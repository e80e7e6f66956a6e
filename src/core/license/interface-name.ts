/**
 * Whether a command of FortiOS can hold it between quotes as the name of an interface or a zone. FortiOS takes at most
 * 79 characters and forbids `<>()#'"` (CLI reference, `firewall policy`, `srcintf`); here what its command line reads
 * as more than text is left out too (`?`, `\\`, `$`), and the comma, which stands between names.
 */
export function isInterfaceName(text: string): boolean {
  return /^[\p{L}\p{N}_][\p{L}\p{N}_.:/@+ -]{0,78}$/u.test(text) && !text.endsWith(' ');
}

/** As findings tell them, and back; empty when it is no list of names. */
export const INTERFACE_SEPARATOR = ', ';

export function interfacesOf(text: string): readonly string[] {
  const names = text.split(INTERFACE_SEPARATOR);
  return names.every(isInterfaceName) ? names : [];
}
