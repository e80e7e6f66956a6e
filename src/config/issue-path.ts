export type IssuePath = readonly (string | number)[];
