/** What validation needs to know about the machine; all of it handed in, so that a test decides. */
export interface SchemaContext {
  /** Folder of the configuration file: relative file names in it start here. */
  readonly baseDirectory: string;
  /** Working directory: default file names start here. */
  readonly cwd: string;
  /** Name of the site where the file gives none. */
  readonly hostname: string;
  readonly env: NodeJS.ProcessEnv;
  /** Why the file cannot be read ("no such file"), or null when it can. */
  readonly fileProblem: (path: string) => Promise<string | null>;
}

/** For what asks about the shape alone (JSON Schema, known keys): no file and no variable is looked at. */
export const SHAPE_ONLY: SchemaContext = {
  baseDirectory: '/',
  cwd: '/',
  hostname: 'localhost',
  env: {},
  fileProblem: () => Promise.resolve(null),
};
