import { InvalidArgumentError } from 'commander';

/** `parse` returns null if the text is not what is `expected`. */
export function given<T>(parse: (text: string) => T | null, expected: string): (text: string) => T {
  return (text) => {
    const value = parse(text);
    if (value === null) throw notGiven(expected);
    return value;
  };
}

export function notGiven(expected: string): InvalidArgumentError {
  return new InvalidArgumentError(`Expected ${expected}.`);
}
