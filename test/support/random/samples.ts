/** Number of samples relative to `npm test`. The nightly run tries many more. */
const FACTOR = wholeNumber('FTM_SAMPLES', process.env['FTM_SAMPLES']);

/** The seed of all randomness: the same in each run, except for the nightly run, which prints it. */
export const SEED: number = wholeNumber('FTM_SEED', process.env['FTM_SEED']);

/** Returns the number of runs of a property for which `few` are enough in `npm test`. */
export function samples(few: number): number {
  return few * FACTOR;
}

/** Returns one row of `every`, or all of them when there are that many times as many samples. */
export function sampleOf<Row>(rows: readonly Row[], every: number): readonly Row[] {
  const step = Math.max(1, Math.floor(every / FACTOR));
  return rows.filter((_, index) => index % step === 0);
}

function wholeNumber(name: string, text = '1'): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new Error(`Cannot read ${name}: expected a whole number of 1 or more, got "${text}"`);
  return value;
}
