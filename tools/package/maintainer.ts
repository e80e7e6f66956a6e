/** Who answers for the packages, as Debian's and RPM's fields want it: a name and an address. */
const MAINTAINER = /^[^<>@%\n]+ <[^<>@%\s]+@[^<>@%\s]+>$/u;

/** For packages that are not released. No mail is delivered to this address. */
export const NO_MAINTAINER = 'built without a maintainer <unset@maintainer.invalid>';

export function isMaintainer(text: string): boolean {
  return MAINTAINER.test(text);
}
