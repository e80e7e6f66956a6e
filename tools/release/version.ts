const VERSION = /^(?<major>0|[1-9]\d*)\.(?<minor>0|[1-9]\d*)\.(?<patch>0|[1-9]\d*)$/u;

/**
 * Returns the version for `major`, `minor`, `patch` or an explicit version.
 *
 * @throws if it is invalid, or not later than the current one
 */
export function nextVersion(current: string, wanted: string): string {
  const [major, minor, patch] = numbersOf(current);
  switch (wanted) {
    case 'major':
      return `${String(major + 1)}.0.0`;
    case 'minor':
      return `${String(major)}.${String(minor + 1)}.0`;
    case 'patch':
      return `${String(major)}.${String(minor)}.${String(patch + 1)}`;
    default:
      if (!isLater(numbersOf(wanted), [major, minor, patch]))
        throw new Error(`Cannot release "${wanted}": expected a version later than ${current}`);
      return wanted;
  }
}

type Numbers = readonly [major: number, minor: number, patch: number];

function numbersOf(version: string): Numbers {
  const { major, minor, patch } = VERSION.exec(version)?.groups ?? {};
  if (major === undefined)
    throw new Error(`Cannot release "${version}": expected major, minor, patch or a version like 1.2.3`);
  return [Number(major), Number(minor), Number(patch)];
}

function isLater(one: Numbers, other: Numbers): boolean {
  const place = one.findIndex((number, index) => number !== other[index]);
  return place !== -1 && (one[place] ?? 0) > (other[place] ?? 0);
}
